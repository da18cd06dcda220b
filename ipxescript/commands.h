// Which commands iPXE has. Pure.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace vml::ipxescript {

// Of which iPXE is asked?
enum class Build {
    any,    // whatever its authors have written, switched on by whoever built it
    y2019,  // Debian 12's ROMs for QEMU, 1.0.0+git-20190125
    y2025,  // Debian 13's, 1.21.1+git20250501
};

[[nodiscard]] bool has_command(Build build, std::string_view name);
[[nodiscard]] const std::vector<std::string>& all_commands();

template <typename List>
[[nodiscard]] bool holds(const List& list, std::string_view name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

}  // namespace vml::ipxescript
