#include "launcher/process/child_environment.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

namespace vml {

namespace {

constexpr auto whole_names = std::to_array<std::string_view>(
    {"PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR", "LANG", "LANGUAGE", "TZ", "DISPLAY", "WAYLAND_DISPLAY",
     "XAUTHORITY", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"});
constexpr auto beginnings = std::to_array<std::string_view>({"LC_", "QEMU_", "SDL_", "PULSE_", "PIPEWIRE_"});

bool is_needed(std::string_view name) {
    return std::find(whole_names.begin(), whole_names.end(), name) != whole_names.end() ||
           std::any_of(beginnings.begin(), beginnings.end(),
                       [&](std::string_view beginning) { return name.starts_with(beginning); });
}

}  // namespace

std::vector<std::string> child_environment(const char* const* all) {
    std::vector<std::string> needed;
    for (; all != nullptr && *all != nullptr; all = std::next(all)) {
        const std::string_view variable{*all};
        if (is_needed(variable.substr(0, variable.find('=')))) {
            needed.emplace_back(variable);
        }
    }
    return needed;
}

}  // namespace vml
