#include "launcher/remote/vm_table.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>

#include "base/json.h"
#include "base/output.h"
#include "control/folder.h"
#include "launcher/remote/control_client.h"
#include "launcher/remote/forwards.h"

namespace vml {

namespace {

using nlohmann::json;

constexpr std::size_t columns = 7;
using Line = std::array<std::string, columns>;

// A screen's columns; all that is shown is text in UTF-8.
std::size_t width_of(const std::string& shown) {
    constexpr unsigned char mask = 0xc0;
    constexpr unsigned char continuation = 0x80;
    return static_cast<std::size_t>(std::count_if(shown.begin(), shown.end(), [](char byte) {
        return (static_cast<unsigned char>(byte) & mask) != continuation;
    }));
}

json nics_of(const json& told) {
    const auto found = told.find("nics");
    return found != told.end() && found->is_array() ? *found : json::array();
}

std::string addresses_of(const json& nics) {
    std::string result;
    for (const json& nic : nics) {
        const std::string address = text_at(nic, "address");
        result += address.empty() ? "" : (result.empty() ? "" : ", ") + address;
    }
    return result;
}

std::string screen_of(const json& told) {
    const auto vnc = told.find("vnc");
    return vnc == told.end() || !vnc->is_object()
               ? ""
               : fmt::format("{}:{}", text_at(*vnc, "address"), number_at<int>(*vnc, "port").value_or(0));
}

Line line_of_vm(const RunningStatus& vm) {
    if (!vm.told.is_object()) {
        return {vm.name, "", "", "", "", "", time_in_words(vm.uptime)};
    }
    const std::string paused = text_at(vm.told, "paused");
    const json nics = nics_of(vm.told);
    return {vm.name,
            paused.empty() ? text_at(vm.told, "phase") : paused,
            text_at(vm.told, "stage"),
            addresses_of(nics),
            short_forwards(nics),
            screen_of(vm.told),
            time_in_words(vm.uptime)};
}

}  // namespace

std::string time_in_words(double seconds) {
    constexpr std::uint64_t minute = 60;
    constexpr std::uint64_t hour = 60 * minute;
    constexpr std::uint64_t day = 24 * hour;
    const auto whole = static_cast<std::uint64_t>(seconds);
    if (whole < minute) {
        return fmt::format("{} s", whole);
    }
    if (whole < hour) {
        return fmt::format("{} min", whole / minute);
    }
    if (whole < day) {
        return fmt::format("{} h {} min", whole / hour, whole % hour / minute);
    }
    return fmt::format("{} d {} h", whole / day, whole % day / hour);
}

std::string vms_as_table(const std::vector<RunningStatus>& vms) {
    std::vector<Line> lines{{"NAME", "STATE", "STAGE", "ADDRESS", "PORTS", "VNC", "UP"}};
    std::transform(vms.begin(), vms.end(), std::back_inserter(lines), line_of_vm);
    std::array<std::size_t, columns> widths{};
    for (Line& line : lines) {
        for (std::size_t column = 0; column < columns; ++column) {
            line.at(column) = line.at(column).empty() ? "-" : line.at(column);
            widths.at(column) = std::max(widths.at(column), width_of(line.at(column)));
        }
    }
    std::string result;
    for (const Line& line : lines) {
        for (std::size_t column = 0; column + 1 < columns; ++column) {
            result += line.at(column) + std::string(widths.at(column) - width_of(line.at(column)) + 2, ' ');
        }
        result += line.back() + "\n";
    }
    return result;
}

int list_vms(const ReadResult& read, std::string_view runtime_dir) {
    const std::vector<RunningStatus> vms = vms_with_told({read, control::folders_in_reach(runtime_dir)});
    print(read.command.format == OutputFormat::json ? status_as_json(vms) : vms_as_table(vms));
    return 0;
}

}  // namespace vml
