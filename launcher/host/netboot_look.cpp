#include "launcher/host/netboot_look.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/error.h"
#include "base/url.h"
#include "ipxescript/urls.h"
#include "launcher/host/data_files.h"
#include "launcher/host/file_head.h"
#include "launcher/host/link_search.h"
#include "launcher/host/offered_file.h"
#include "launcher/host/script_facts.h"
#include "launcher/settings/tidy.h"
#include "netserve/folder.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view magic = "#!ipxe";

int http_obstacle(const fs::path& folder) {
    constexpr mode_t list_and_enter = S_IROTH | S_IXOTH;
    if (const int error = serve::folder_obstacle(folder.string()); error != 0) {
        return error;
    }
    return plain_read_obstacle(folder, list_and_enter);
}

// The file that DHCP is to name, in the folder.
std::string netboot_file(const std::optional<std::string>& bootfile) {
    return fs::path{bootfile.value_or("boot.ipxe")}.relative_path().string();
}

// What the script is, and what it fetches, in the folder.
std::vector<std::string> names_of(const std::optional<ScriptFacts>& script) {
    std::vector<std::string> names;
    if (script) {
        names.push_back(script->name);
        for (const ScriptFacts::File& file : script->files) {
            names.push_back(file.name);
        }
    }
    return names;
}

// `boots`: what the folder holds, or the bootfile names in it, is what boots.
NetbootFacts look_at_folder(const fs::path& folder, const std::optional<std::string>& bootfile, bool boots) {
    NetbootFacts facts;
    if (!bootfile || !is_url(*bootfile)) {
        const fs::path script = folder / netboot_file(bootfile);
        facts.script = head_of(script, magic.size()) == magic;
        facts.http_error = http_obstacle(folder);
        if (facts.http_error == 0 && facts.script && boots) {
            facts.http_error = plain_read_obstacle(script, S_IROTH);
        }
        facts.read = read_netboot_script(folder, netboot_file(bootfile));
        facts.outside_links = outside_links(folder, names_of(facts.read));
    }
    facts.folder = look_at(folder, O_RDONLY);
    facts.has_boot_ipxe = look_at(folder / "boot.ipxe", O_RDONLY).kind == PathFacts::Kind::file;
    if (bootfile && !is_url(*bootfile)) {
        facts.bootfile = look_at(folder / fs::path{*bootfile}.relative_path(), O_RDONLY);
    }
    return facts;
}

std::optional<OfferedFile> look_unless_url(const std::string& name) {
    return is_url(name) ? std::nullopt : std::optional{look_at_offered(name)};
}

// vm-launch holds these back until the VM runs: whoever waits for somebody must look for them.
bool is_to_end() {
    sigset_t pending{};
    ::sigpending(&pending);
    const auto has = [&](int number) { return ::sigismember(&pending, number) == 1; };
    return has(SIGINT) || has(SIGTERM) || has(SIGHUP) || has(SIGQUIT);
}

// Waits for bytes, or the end; false: a signal came before.
bool wait_for_input() {
    constexpr int glance_ms = 200;
    pollfd input{STDIN_FILENO, POLLIN, 0};
    while (!is_to_end()) {
        if (::poll(&input, 1, glance_ms) != 0) {
            return true;
        }
    }
    return false;
}

// To its end, or more than a script may have.
std::string read_standard_input(GivenScriptFacts& facts) {
    std::string text;
    if (::isatty(STDIN_FILENO) == 1) {
        facts.why_not = "it is a terminal";
        return text;
    }
    std::array<char, 4096> piece{};
    ssize_t count = 0;
    bool more = true;
    while (more && text.size() <= ipxescript::longest_script) {
        if (!wait_for_input()) {
            facts.why_not = "a signal came before its end";
            return text;
        }
        count = ::read(STDIN_FILENO, piece.data(), piece.size());
        text.append(piece.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
        more = count > 0 || (count < 0 && (errno == EINTR || errno == EAGAIN));
    }
    if (count < 0) {
        facts.why_not = errno_text(errno);
    } else if (text.size() > ipxescript::longest_script) {
        facts.why_not = "it is too long for a script";
    } else if (text.empty()) {
        facts.why_not = "it is empty";
    }
    return text;
}

// ".ssh/id_ed25519", "../x": what a stranger's script is not to be given.
bool is_private(const fs::path& name) {
    return std::any_of(name.begin(), name.end(),
                       [](const fs::path& part) { return part.string().starts_with('.'); });
}

// Where a name of this script's leads to, below the folder that is served.
std::string below_root(const std::string& name, const std::string& script) {
    const fs::path path =
        name.starts_with('/') ? fs::path{name}.relative_path() : fs::path{script}.parent_path() / name;
    return path.lexically_normal().string();
}

// What the script and the scripts that it chains name and that is there, in its folder.
std::vector<std::string> names_beside(const fs::path& folder, GivenScriptFacts& facts) {
    std::vector<std::pair<std::string, std::string>> scripts{{facts.read.name, facts.read.bytes}};
    std::vector<std::string> seen{facts.read.name};
    for (std::size_t at = 0; at < scripts.size(); ++at) {
        const auto [script, bytes] = scripts[at];
        for (const std::string& own : ipxescript::own_files(ipxescript::read_script(bytes))) {
            const std::string name = below_root(own, script);
            std::error_code error;
            if (std::find(seen.begin(), seen.end(), name) != seen.end() ||
                !fs::is_regular_file(folder / name, error)) {
                continue;
            }
            if (is_private(name) || folder == folder.root_path() || seen.size() > ipxescript::most_named) {
                facts.not_served.push_back(own);
                continue;
            }
            seen.push_back(name);
            if (head_of(folder / name, magic.size()) == magic) {
                scripts.emplace_back(name, head_of(folder / name, ipxescript::longest_script));
            }
        }
    }
    seen.erase(seen.begin());
    return seen;
}

// The names come from the script, which may be a stranger's: what a link leads out of the folder is not
// served.
void find_files_beside(const fs::path& folder, GivenScriptFacts& facts) {
    const std::vector<std::string> names = names_beside(folder, facts);
    facts.outside_links = outside_links_among(folder, names);
    for (const std::string& name : names) {
        const bool outside = std::any_of(facts.outside_links.begin(), facts.outside_links.end(),
                                         [&](const OutsideLink& link) { return link.name == name; });
        std::error_code error;
        const fs::path real = fs::canonical(folder / name, error);
        if (!outside && !error) {
            facts.beside.push_back({name, real});
        }
    }
}

// A folder that is served is where its names lead; else the one that it lies in.
void look_at_script_file(const fs::path& path, const std::optional<fs::path>& served,
                         GivenScriptFacts& facts) {
    facts.file = look_at_offered(path);
    if (facts.file->path.kind != PathFacts::Kind::file || facts.file->path.open_error != 0) {
        return;
    }
    const fs::path folder = served.value_or(fs::absolute(path).parent_path());
    const std::string name = path.filename().string();
    facts.read = script_facts(folder, name, head_of(path, ipxescript::longest_script));
    if (!served) {
        facts.read.served = ScriptFacts::Served::named;
        find_files_beside(folder, facts);
    }
}

GivenScriptFacts look_at_script(const std::string& script, const std::optional<fs::path>& served) {
    GivenScriptFacts facts;
    const bool from_input = script == "-";
    if (!from_input && !is_script_text(script)) {
        look_at_script_file(script, served, facts);
        return facts;
    }
    const std::string text = from_input ? read_standard_input(facts) : script;
    facts.read = script_facts(served.value_or(""), from_input ? "stdin.ipxe" : "script.ipxe", text);
    return facts;
}

void look_at_kernel(const Settings& settings, OfferedFacts& offered) {
    offered.kernel = settings.kernel ? look_unless_url(*settings.kernel) : std::nullopt;
    for (const std::string& initrd : settings.initrds) {
        offered.initrds.push_back(look_unless_url(initrd));
    }
}

// What the user serves goes before the distribution's.
std::optional<NamedOffer> look_for_undionly(const Settings& settings) {
    std::vector<fs::path> folders{"/usr/lib/ipxe", "/usr/share/ipxe"};
    if (settings.netboot_dir) {
        folders.insert(folders.begin(), *settings.netboot_dir);
    } else if (settings.script && is_script_file(*settings.script)) {
        folders.insert(folders.begin(), fs::absolute(*settings.script).parent_path());
    }
    for (const fs::path& folder : folders) {
        const fs::path file = folder / undionly_program;
        std::error_code error;
        if (fs::is_regular_file(file, error)) {
            return NamedOffer{file, look_at_offered(file)};
        }
    }
    return std::nullopt;
}

}  // namespace

void look_at_netboot(const Settings& settings, HostFacts& facts) {
    const ipxescript::Build build = facts.roms.empty() || facts.roms.front().empty()
                                        ? ipxescript::Build::any
                                        : ipxe_build_of(facts.roms.front().front().path);
    if (settings.netboot_dir) {
        facts.netboot =
            look_at_folder(*settings.netboot_dir, settings.bootfile, !settings.script && !settings.kernel);
        if (facts.netboot->read) {
            facts.netboot->read->ipxe = build;
        }
    }
    if (settings.script && !is_url(*settings.script)) {
        facts.offered.script = look_at_script(*settings.script, settings.netboot_dir);
        facts.offered.script->read.ipxe = build;
    }
    look_at_kernel(settings, facts.offered);
    facts.offered.ipxe = build;
    if (settings.undionly) {
        facts.offered.undionly = look_for_undionly(settings);
    }
}

}  // namespace vml
