#include "launcher/host/script_facts.h"

#include <algorithm>
#include <system_error>
#include <vector>

#include "launcher/host/file_head.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_names = 1000;

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
    return script_facts(folder, name, head_of(folder / name, ipxescript::longest_script));
}

ScriptFacts script_facts(const fs::path& folder, const std::string& name, std::string bytes) {
    ScriptFacts facts;
    facts.name = name;
    facts.bytes = std::move(bytes);
    const bool has_folder = !folder.empty();
    facts.served = has_folder ? ScriptFacts::Served::folder : ScriptFacts::Served::nothing;
    const ipxescript::Script script = ipxescript::read_script(facts.bytes);
    if (!script.magic) {
        return facts;
    }
    // A name is relative to the script's own folder, or with a slash to the one that is served.
    const fs::path own = fs::path{name}.parent_path();
    if (has_folder) {
        facts.names = names_in(folder / own);
    }
    std::error_code error;
    for (ipxescript::FileUse& use : ipxescript::files_of(script)) {
        const fs::path file = use.name.starts_with('/') ? fs::path{use.name}.relative_path() : own / use.name;
        const bool exists = has_folder && fs::exists(folder / file, error);
        facts.files.push_back({std::move(use), exists, file.string()});
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
