#include "launcher/host/script_facts.h"

#include <algorithm>
#include <fstream>
#include <system_error>
#include <vector>

namespace vml {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_names = 1000;

std::string beginning_of(const fs::path& path) {
    std::ifstream stream{path, std::ios::binary};
    std::string bytes(ipxescript::longest_script, '\0');
    stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(stream.gcount(), 0)));
    return bytes;
}

std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code error;
    fs::directory_iterator entry{folder, error};
    while (!error && entry != fs::directory_iterator{} && names.size() < most_names) {
        names.push_back(entry->path().filename().string());
        entry.increment(error);
    }
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

std::optional<ScriptFacts> read_netboot_script(const fs::path& folder, const std::string& name) {
    std::error_code error;
    if (!fs::is_regular_file(folder / name, error)) {
        return std::nullopt;
    }
    ScriptFacts facts;
    facts.name = name;
    facts.bytes = beginning_of(folder / name);
    const ipxescript::Script script = ipxescript::read_script(facts.bytes);
    if (!script.magic) {
        return facts;
    }
    // A name is relative to the script's own folder, or with a slash to the one that is served.
    const fs::path own = fs::path{name}.parent_path();
    facts.names = names_in(folder / own);
    for (ipxescript::FileUse& use : ipxescript::files_of(script)) {
        const fs::path file = use.name.starts_with('/') ? fs::path{use.name}.relative_path() : own / use.name;
        facts.files.push_back({std::move(use), fs::exists(folder / file, error), file.string()});
    }
    return facts;
}

// Debian 12's are where its package puts them; Debian 13's are in QEMU's own folder, and linked from there.
ipxescript::Build ipxe_build_of(const fs::path& rom) {
    std::error_code error;
    const fs::path home = fs::canonical(rom, error).parent_path();
    if (home == "/usr/lib/ipxe/qemu") {
        return ipxescript::Build::y2019;
    }
    return home == "/usr/share/qemu" ? ipxescript::Build::y2025 : ipxescript::Build::any;
}

}  // namespace vml
