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
    std::string_view meaning;
};

constexpr std::array rows{
    Row{Stage::machine, "machine", "machine", "QEMU has built the machine, and runs it"},
    Row{Stage::firmware, "firmware", "firmware", "SeaBIOS or UEFI speaks"},
    Row{Stage::option_rom, "rom", "option ROM", "iPXE runs"},
    Row{Stage::link, "link", "link", "the NIC's link is up, or carries frames"},
    Row{Stage::discover, "discover", "DHCP", "a DHCP client looks for a server"},
    Row{Stage::offer, "offer", "DHCP", "a DHCP server answers"},
    Row{Stage::address, "dhcp", "DHCP", "the client has an address"},
    Row{Stage::fetch, "fetch", "fetch", "a file was fetched whole"},
    Row{Stage::script, "script", "script", "an iPXE script runs"},
    Row{Stage::kernel, "kernel", "kernel", "an operating system's kernel was started"},
    Row{Stage::os, "os", "operating system", "the operating system runs"},
    Row{Stage::agent, "agent", "guest agent", "the guest agent answers"},
};

}  // namespace

std::string_view title_of(Stage stage) {
    return rows.at(static_cast<std::size_t>(stage)).title;
}

std::string_view name_of(Stage stage) {
    return rows.at(static_cast<std::size_t>(stage)).name;
}

std::string_view meaning_of(Stage stage) {
    return rows.at(static_cast<std::size_t>(stage)).meaning;
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
