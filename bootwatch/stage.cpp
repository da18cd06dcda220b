#include "bootwatch/stage.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace vml::boot {

namespace {

struct Row {
    Stage stage;
    std::string_view name;
    std::string_view title;
};

constexpr std::array rows{
    Row{Stage::machine, "machine", "machine"},   Row{Stage::firmware, "firmware", "firmware"},
    Row{Stage::option_rom, "rom", "option ROM"}, Row{Stage::link, "link", "link"},
    Row{Stage::discover, "discover", "DHCP"},    Row{Stage::offer, "offer", "DHCP"},
    Row{Stage::address, "dhcp", "DHCP"},         Row{Stage::fetch, "fetch", "fetch"},
    Row{Stage::script, "script", "script"},      Row{Stage::kernel, "kernel", "kernel"},
    Row{Stage::os, "os", "operating system"},    Row{Stage::agent, "agent", "guest agent"},
};

}  // namespace

std::string_view title_of(Stage stage) {
    return rows.at(static_cast<std::size_t>(stage)).title;
}

std::string_view name_of(Stage stage) {
    return rows.at(static_cast<std::size_t>(stage)).name;
}

std::vector<std::string_view> stage_names() {
    std::vector<std::string_view> names;
    std::transform(rows.begin(), rows.end(), std::back_inserter(names),
                   [](const Row& row) { return row.name; });
    return names;
}

std::optional<Stage> stage_named(std::string_view name) {
    const auto* row =
        std::find_if(rows.begin(), rows.end(), [&](const Row& candidate) { return candidate.name == name; });
    return row == rows.end() ? std::nullopt : std::optional{row->stage};
}

}  // namespace vml::boot
