#include "launcher/plan/plan_writer.h"

#include <utility>

#include <fmt/format.h>

#include "base/shell.h"

namespace vml {

namespace {

// QEMU util/qemu-option.c, get_opt_value.
std::string comma_doubled(std::string_view value) {
    std::string result;
    for (const char c : value) {
        result += c == ',' ? ",," : std::string{c};
    }
    return result;
}

}  // namespace

Properties::Properties(std::string_view head) : text_{comma_doubled(head)} {}

Properties& Properties::add(std::string_view key, std::string_view value) {
    text_ += fmt::format("{}{}={}", text_.empty() ? "" : ",", key, comma_doubled(value));
    return *this;
}

Properties& Properties::more(std::string_view value) {
    text_ += comma_doubled(value);
    return *this;
}

Properties& Properties::bootindex(const std::optional<int>& index) {
    return index ? add("bootindex", std::to_string(*index)) : *this;
}

void PlanWriter::add(std::string option, std::string value, std::string reason,
                     std::optional<std::string> by_hand) {
    plan_.args.push_back({std::move(option), std::move(value), std::move(reason), std::move(by_hand)});
}

int PlanWriter::fd(PlannedFd planned) {
    planned.number = first_planned_fd + static_cast<int>(plan_.fds.size());
    plan_.fds.push_back(std::move(planned));
    return plan_.fds.back().number;
}

void PlanWriter::file_node(const std::string& node, PlannedFd planned, const std::string& path_by_hand,
                           const std::string& access, const std::string& reason) {
    const int number = fd(std::move(planned));
    const std::string tail = fmt::format(",node-name={},{}", node, access);
    add("-add-fd", fmt::format("fd={},set={}", number, number), reason, "");
    add("-blockdev", fmt::format("driver=file,filename=/dev/fdset/{}{}", number, tail), "",
        Properties{""}.add("driver", "file").add("filename", path_by_hand).text() + tail);
}

}  // namespace vml
