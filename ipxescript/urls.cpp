#include "ipxescript/urls.h"

#include <array>

#include "ipxescript/commands.h"

namespace vml::ipxescript {

namespace {

// Options of the commands that fetch, set or ask, which take a value (src/hci/commands).
bool takes_value(std::string_view option) {
    static constexpr auto names = std::to_array<std::string_view>(
        {"-n", "--name", "-t", "--timeout", "-s", "--signer", "-d", "--default", "--drive", "-k", "--key"});
    return holds(names, option);
}

std::vector<std::string> arguments_of(const Command& command) {
    std::vector<std::string> arguments;
    for (std::size_t i = 1; i < command.words.size(); ++i) {
        const std::string& word = command.words[i];
        if (takes_value(word)) {
            ++i;
        } else if (!word.starts_with('-')) {
            arguments.push_back(word);
        }
    }
    return arguments;
}

// A piece of a word: plain text, or a variable's name without what stands for its type (":hexhyp").
struct Piece {
    bool variable = false;
    std::string text;
};

// Past the brace that closes the variable with which the text begins; npos: none does.
std::size_t end_of_variable(std::string_view text) {
    std::size_t depth = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text.substr(at, 2) == "${") {
            ++depth;
            ++at;
        } else if (text[at] == '}' && --depth == 0) {
            return at + 1;
        }
    }
    return std::string_view::npos;
}

// src/core/settings.c, expand_settings: one variable may stand in another one's name.
std::vector<Piece> pieces_of(std::string_view word) {
    std::vector<Piece> pieces;
    while (!word.empty()) {
        const std::size_t open = std::min(word.find("${"), word.size());
        const std::size_t size = end_of_variable(word.substr(open));
        if (open > 0 || size == std::string_view::npos) {
            const bool rest = size == std::string_view::npos;
            pieces.push_back({false, std::string{word.substr(0, rest ? word.size() : open)}});
            word.remove_prefix(rest ? word.size() : open);
            continue;
        }
        const std::string_view name = word.substr(2, size - 3);
        const bool nested = has_variable(name);
        pieces.push_back({true, std::string{nested ? name : name.substr(0, name.find(':'))}});
        word.remove_prefix(size);
    }
    return pieces;
}

// In a pattern: whatever the variable held.
constexpr char anything = '\0';

// The pattern for a source in which one variable, or none, was empty.
std::string pattern_of(const std::vector<Piece>& pieces, std::string_view empty) {
    std::string pattern;
    for (const Piece& piece : pieces) {
        if (!piece.variable) {
            pattern += piece.text;
        } else if (piece.text != empty) {
            pattern += anything;
        }
    }
    // TFTP names a file without its first slashes.
    constexpr std::string_view tftp = "tftp://";
    const std::size_t path = pattern.starts_with(tftp) ? pattern.find('/', tftp.size()) : std::string::npos;
    while (path != std::string::npos && pattern.substr(path).starts_with("//")) {
        pattern.erase(path, 1);
    }
    return pattern;
}

bool matches(std::string_view pattern, std::string_view text) {
    std::size_t at = 0;
    std::size_t in = 0;
    std::size_t last = std::string_view::npos;  // the latest `anything`, and what it holds so far
    std::size_t held = 0;
    while (in < text.size()) {
        if (at < pattern.size() && pattern[at] == anything) {
            last = at++;
            held = in;
        } else if (at < pattern.size() && pattern[at] == text[in]) {
            ++at;
            ++in;
        } else if (last != std::string_view::npos) {
            at = last + 1;
            in = ++held;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of(anything, at) == std::string_view::npos;
}

bool is_absolute(std::string_view source) {
    const std::size_t colon = source.find("://");
    return colon != std::string_view::npos && source.substr(0, colon).find('/') == std::string_view::npos;
}

// Where the path begins, behind the server's name.
std::size_t path_of(std::string_view url) {
    const std::size_t server = is_absolute(url) ? url.find("://") + 3 : 0;
    return std::min(url.find('/', server), url.size());
}

}  // namespace

std::vector<std::string> sources_of(const Command& command) {
    static constexpr auto fetching =
        std::to_array<std::string_view>({"kernel", "initrd", "module", "imgfetch", "chain", "boot", "imgexec",
                                         "imgload", "imgselect", "sanboot", "shim"});
    std::vector<std::string> sources;
    const bool signature = command.name() == "imgverify";
    if (signature || holds(fetching, command.name())) {
        sources = arguments_of(command);
        sources.resize(std::min(sources.size(), std::size_t{signature ? 2U : 1U}));
    }
    return sources;
}

std::vector<std::string> own_files(const Script& script) {
    std::vector<std::string> files;
    for (const Line& line : script.lines) {
        for (const Command& command : line.commands) {
            for (const std::string& source : sources_of(command)) {
                const std::string name = source.substr(0, source.find_first_of("?#"));
                const bool plain =
                    name.find_first_of("$:\\%") == std::string::npos && !name.empty() && !name.ends_with('/');
                if (plain && !holds(files, name) && files.size() < most_named) {
                    files.push_back(name);
                }
            }
        }
    }
    return files;
}

std::vector<std::string> resolved(std::string_view source, std::string_view script_url) {
    if (is_absolute(source)) {
        return {std::string{source}};
    }
    const std::size_t variable = source.starts_with("${") ? end_of_variable(source) : 0;
    const bool of_server = source.substr(std::min(variable, source.size())).starts_with('/');
    const std::string_view place =
        script_url.substr(0, of_server ? path_of(script_url) : script_url.rfind('/') + 1);
    std::vector<std::string> all{std::string{place}.append(source)};
    if (variable > 0) {  // which may hold a whole URL
        all.emplace_back(source);
    }
    return all;
}

bool fits(std::string_view source, std::string_view url) {
    return matches(pattern_of(pieces_of(source), {}), url);
}

std::vector<std::string> empty_in(std::string_view source, std::string_view url) {
    std::vector<std::string> names;
    const std::vector<Piece> pieces = pieces_of(source);
    for (const Piece& piece : pieces) {
        if (piece.variable && !holds(names, piece.text) && matches(pattern_of(pieces, piece.text), url)) {
            names.push_back(piece.text);
        }
    }
    return names;
}

std::vector<std::string> variables_set(const Script& script) {
    static constexpr auto first = std::to_array<std::string_view>({"set", "read", "inc", "item", "nslookup"});
    std::vector<std::string> names;
    for (const Line& line : script.lines) {
        for (const Command& command : line.commands) {
            const std::vector<std::string> arguments = arguments_of(command);
            if (command.name() == "login") {
                names.insert(names.end(), {"username", "password"});
            } else if (!arguments.empty() && holds(first, command.name())) {
                names.push_back(arguments.front().substr(0, arguments.front().find(':')));
            } else if (!arguments.empty() && command.name() == "choose") {
                names.push_back(arguments.back());
            }
        }
    }
    return names;
}

bool is_given(std::string_view variable) {
    // src/core/settings.c, src/net, src/interface/smbios; the names that its documentation has
    // (ipxe.org/cfg).
    static constexpr auto names = std::to_array<std::string_view>(
        {"asset",    "bios-drive",    "board-serial", "buildarch",    "busid",        "busloc",   "bustype",
         "chip",     "cwduri",        "cwuri",        "dhcp-server",  "dns",          "dns6",     "dnssl",
         "domain",   "errno",         "filename",     "gateway",      "gateway6",     "hostname", "hwaddr",
         "ifname",   "initiator-iqn", "ip",           "ip6",          "keep-san",     "len6",     "linktype",
         "mac",      "manufacturer",  "mtu",          "netmask",      "next-server",  "password", "platform",
         "priority", "product",       "root-path",    "san-filename", "scriptlet",    "serial",   "syslog",
         "unixtime", "user-class",    "username",     "uuid",         "vendor-class", "version",  "vram"});
    return holds(names, variable) || variable.find_first_of("/.$") != std::string_view::npos ||
           variable.find_first_not_of("0123456789") == std::string_view::npos;
}

bool has_empty_part(std::string_view url) {
    const std::size_t path_at = path_of(url);
    const std::size_t server = is_absolute(url) ? url.find("://") + 3 : path_at;
    const bool no_server = is_absolute(url) && (path_at == server || url[server] == ':');
    const std::string_view path = url.substr(path_at, url.find_first_of("?#", path_at) - path_at);
    const std::string_view name = path_at == url.size() ? url : path.substr(path.rfind('/') + 1);
    static constexpr auto kinds = std::to_array<std::string_view>(
        {".ipxe", ".cfg", ".efi", ".img", ".iso", ".txt", ".ks", ".json", ".yaml", ".php", ".gz"});
    const std::size_t dot = name.rfind('.');
    const bool nameless = dot != std::string_view::npos && holds(kinds, name.substr(dot)) &&
                          (dot == 0 || name[dot - 1] == '-' || name[dot - 1] == '_');
    return no_server || path.find("//") != std::string_view::npos || nameless;
}

}  // namespace vml::ipxescript
