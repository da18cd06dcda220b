#include "launcher/host/netboot_look.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "launcher/host/data_files.h"
#include "launcher/host/file_head.h"
#include "launcher/host/link_search.h"
#include "launcher/host/script_facts.h"
#include "launcher/settings/tidy.h"
#include "netserve/folder.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view magic = "#!ipxe";

// vm-launch serves without the privileges that it starts with, so root is nobody special.
int plain_read_obstacle(const fs::path& path, mode_t needed) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        return errno;
    }
    const mode_t own = status.st_uid == ::geteuid() ? needed << 6U : needed;
    return (status.st_mode & own) == own ? 0 : EACCES;
}

int http_obstacle(const fs::path& folder, const fs::path& script) {
    constexpr mode_t list_and_enter = S_IROTH | S_IXOTH;
    if (const int error = serve::folder_obstacle(folder.string()); error != 0) {
        return error;
    }
    const int error = plain_read_obstacle(folder, list_and_enter);
    return error != 0 ? error : plain_read_obstacle(script, S_IROTH);
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

NetbootFacts look_at_folder(const fs::path& folder, const std::optional<std::string>& bootfile) {
    NetbootFacts facts;
    if (!bootfile || !is_url(*bootfile)) {
        const fs::path script = folder / netboot_file(bootfile);
        facts.script = head_of(script, magic.size()) == magic;
        facts.http_error = facts.script ? http_obstacle(folder, script) : 0;
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

OfferedFile look_at_offered(const fs::path& path) {
    constexpr mode_t enter = S_IXOTH;
    OfferedFile file{look_at(path, O_RDONLY), {}, 0, 0};
    std::error_code error;
    file.real = fs::canonical(path, error);
    if (!error) {
        const int folder = plain_read_obstacle(file.real.parent_path(), enter);
        file.http_error = folder != 0 ? folder : plain_read_obstacle(file.real, S_IROTH);
        const std::uintmax_t size = fs::file_size(file.real, error);
        file.size = error ? 0 : size;
    }
    return file;
}

std::optional<OfferedFile> look_unless_url(const std::string& name) {
    return is_url(name) ? std::nullopt : std::optional{look_at_offered(name)};
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
    do {
        count = ::read(STDIN_FILENO, piece.data(), piece.size());
        text.append(piece.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    } while ((count > 0 || (count < 0 && errno == EINTR)) && text.size() <= ipxescript::longest_script);
    if (count < 0) {
        facts.why_not = errno_text(errno);
    } else if (text.size() > ipxescript::longest_script) {
        facts.why_not = "it is too long for a script";
    } else if (text.empty()) {
        facts.why_not = "it is empty";
    }
    return text;
}

// What the script and the scripts that it chains name, below the folder that they are in. Their names come
// from the script, which may be a stranger's: what a link leads out of the folder is not served.
void find_files_beside(const fs::path& folder, GivenScriptFacts& facts) {
    std::vector<ScriptFacts> scripts{facts.read};
    std::vector<std::string> seen{facts.read.name};
    for (std::size_t at = 0; at < scripts.size(); ++at) {
        const std::vector<ScriptFacts::File> files = scripts[at].files;
        for (const ScriptFacts::File& file : files) {
            const std::string name = fs::path{file.name}.lexically_normal().string();
            if (!file.exists || name.starts_with("..") || seen.size() > ipxescript::most_files ||
                std::find(seen.begin(), seen.end(), name) != seen.end()) {
                continue;
            }
            seen.push_back(name);
            auto script = read_netboot_script(folder, name);
            if (script && script->bytes.starts_with(magic)) {
                scripts.push_back(*std::move(script));
            }
        }
    }
    seen.erase(seen.begin());
    const std::vector<std::string> out = serve::leading_out(folder.string(), seen);
    for (const std::string& name : seen) {
        std::error_code error;
        const fs::path real = fs::canonical(folder / name, error);
        if (std::find(out.begin(), out.end(), name) != out.end()) {
            facts.outside_links.push_back({name, real, true});
        } else if (!error && fs::is_regular_file(real, error)) {
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
    const fs::path folder = served.value_or(path.parent_path().empty() ? fs::path{"."} : path.parent_path());
    const std::string name = path.filename().string();
    facts.read = script_facts(folder, name, head_of(path, ipxescript::longest_script));
    if (!served) {
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
    facts.read.has_folder = served.has_value();
    return facts;
}

void look_at_kernel(const Settings& settings, OfferedFacts& offered) {
    offered.kernel = settings.kernel ? look_unless_url(*settings.kernel) : std::nullopt;
    for (const std::string& initrd : settings.initrds) {
        offered.initrds.push_back(look_unless_url(initrd));
    }
}

}  // namespace

void look_at_netboot(const Settings& settings, HostFacts& facts) {
    const ipxescript::Build build = facts.roms.empty() || facts.roms.front().empty()
                                        ? ipxescript::Build::any
                                        : ipxe_build_of(facts.roms.front().front().path);
    if (settings.netboot_dir) {
        facts.netboot = look_at_folder(*settings.netboot_dir, settings.bootfile);
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
}

}  // namespace vml
