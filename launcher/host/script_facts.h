// The script that is to be served, as it lies in the folder. Reads files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "launcher/vm/script_check.h"

namespace vml {

// Nothing where there is no such file.
[[nodiscard]] std::optional<ScriptFacts> read_netboot_script(const std::filesystem::path& folder,
                                                             const std::string& name);

// Of a script that is served in that folder under this name, and need not lie there; "": there is no folder.
[[nodiscard]] ScriptFacts script_facts(const std::filesystem::path& folder, const std::string& name,
                                       std::string bytes);

// Which iPXE this ROM is, by where Debian's packages put it.
[[nodiscard]] ipxescript::Build ipxe_build_of(const std::filesystem::path& rom);

}  // namespace vml
