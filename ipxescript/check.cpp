#include "ipxescript/check.h"

#include <array>
#include <optional>
#include <string_view>

#include "ipxescript/urls.h"

namespace vml::ipxescript {

namespace {

// Behind these, it is not known whether the next line runs: they leave the script, or wait for somebody.
bool leads_away(const Command& command) {
    static constexpr auto names = std::to_array<std::string_view>(
        {"goto", "exit", "chain", "boot", "imgexec", "imgload", "sanboot", "autoboot", "pxebs", "shell",
         "reboot", "poweroff", "config", "login", "prompt", "choose", "present", "read", "sleep"});
    return has_variable(command.name()) || holds(names, command.name());
}

Finding finding(Finding::Kind kind, const Line& line, const std::string& name, bool certain) {
    return {kind, line.number, name, certain};
}

// The host alone, without user, port and path (RFC 3986, 3.2).
bool names_own_host(std::string_view url) {
    const std::size_t scheme = url.find("://");
    if (scheme == std::string_view::npos) {
        return false;
    }
    std::string_view host = url.substr(scheme + 3);
    host = host.substr(0, host.find('/'));
    host = host.substr(host.rfind('@') + 1);
    return host.starts_with("[::1]") || host.substr(0, host.find(':')) == "localhost" ||
           (host.starts_with("127.") && host.find_first_not_of("0123456789.:") == std::string_view::npos);
}

class Check {
  public:
    Check(const Script& script, Build build) : script_{script}, build_{build}, labels_{labels_of(script)} {}

    std::vector<Finding> run() {
        for (const Line& line : script_.lines) {
            for (const Command& command : line.commands) {
                look_at(line, command);
            }
        }
        return std::move(findings_);
    }

  private:
    void look_at(const Line& line, const Command& command) {
        const bool certain = straight_ && !command.conditional && !command.handled;
        const std::string& name = command.name();
        if (!has_variable(name)) {
            if (!has_command(Build::any, name)) {
                report(finding(Finding::Kind::unknown_command, line, name, certain), command);
            } else if (!has_command(build_, name)) {
                report(finding(Finding::Kind::not_in_build, line, name, certain), command);
            }
        }
        if (name == "goto") {
            look_at_label(line, command, certain);
        }
        for (const std::string& source : command.handled ? std::vector<std::string>{} : sources_of(command)) {
            look_at_url(line, source);
        }
        straight_ = straight_ && !leads_away(command);
    }

    void look_at_label(const Line& line, const Command& command, bool certain) {
        if (command.words.size() == 2 && !has_variable(command.words[1]) &&
            !holds(labels_, command.words[1]) && !command.handled) {
            findings_.push_back(finding(Finding::Kind::no_label, line, command.words[1], certain));
        }
    }

    void look_at_url(const Line& line, const std::string& url) {
        if (names_own_host(url)) {
            findings_.push_back(finding(Finding::Kind::own_host, line, url, false));
        } else if (build_ == Build::y2019 && url.starts_with("https://")) {
            findings_.push_back(finding(Finding::Kind::no_protocol, line, url, false));
        }
    }

    // What is tried, with something else to do where it is missing, is meant so.
    void report(Finding found, const Command& command) {
        if (found.kind == Finding::Kind::unknown_command || !command.handled) {
            findings_.push_back(std::move(found));
        }
    }

    const Script& script_;
    Build build_;
    std::vector<std::string> labels_;
    std::vector<Finding> findings_;
    bool straight_ = true;
};

bool fetch_takes_value(std::string_view option) {
    static constexpr auto names = std::to_array<std::string_view>({"-n", "--name", "-t", "--timeout"});
    return holds(names, option);
}

std::string base_name(std::string_view path) {
    return std::string{path.substr(path.rfind('/') + 1)};
}

struct Fetch {
    std::string source;
    std::string name;  // under which the image is known
};

std::optional<Fetch> fetch_of(const Command& command) {
    Fetch fetch;
    for (std::size_t i = 1; i < command.words.size(); ++i) {
        const std::string& word = command.words[i];
        if (fetch_takes_value(word)) {
            ++i;
            fetch.name =
                word.find('n') == std::string::npos || i >= command.words.size() ? "" : command.words[i];
        } else if (word.front() != '-') {
            fetch.source = word;
            break;
        }
    }
    if (fetch.source.empty()) {
        return std::nullopt;
    }
    fetch.name = fetch.name.empty() ? base_name(fetch.source) : fetch.name;
    return fetch;
}

// No variable, no scheme ("http:", "tftp:", also without slashes), no query.
bool is_plain_name(std::string_view source) {
    return source.find_first_of("$:?#%\\") == std::string_view::npos && !source.ends_with('/');
}

}  // namespace

namespace {

// What iPXE itself sets, and no URL begins with. What a script sets may hold one.
bool begins_with_known_variable(std::string_view source) {
    static constexpr auto names =
        std::to_array<std::string_view>({"asset", "board-serial", "buildarch", "hostname", "ip", "mac",
                                         "manufacturer", "platform", "product", "serial", "uuid"});
    const std::string_view name = source.substr(2, source.find_first_of(":}") - 2);
    const std::string_view setting = name.substr(name.rfind('/') + 1);  // "net0/mac"
    return holds(names, setting);
}

bool is_name_by_variable(std::string_view source) {
    return has_variable(source) && (!source.starts_with("${") || begins_with_known_variable(source)) &&
           source.find("://") == std::string_view::npos;
}

}  // namespace

std::vector<FileUse> files_by_variable(const Script& script) {
    std::vector<FileUse> files;
    for (const Line& line : script.lines) {
        for (const Command& command : line.commands) {
            for (const std::string& source : sources_of(command)) {
                if (is_name_by_variable(source) && files.size() < most_files) {
                    files.push_back({line.number, command.name(), source, command.handled});
                }
            }
        }
    }
    return files;
}

std::vector<std::string> labels_of(const Script& script) {
    std::vector<std::string> labels;
    for (const Line& line : script.lines) {
        if (!line.label.empty()) {
            labels.push_back(line.label);
        }
    }
    return labels;
}

std::vector<Finding> check(const Script& script, Build build) {
    if (!script.magic) {
        return script.text ? std::vector<Finding>{{Finding::Kind::no_magic, 1, "", true}}
                           : std::vector<Finding>{};
    }
    return Check{script, build}.run();
}

std::vector<FileUse> files_of(const Script& script) {
    static constexpr auto fetching =
        std::to_array<std::string_view>({"kernel", "initrd", "module", "imgfetch", "chain"});
    std::vector<FileUse> files;
    std::vector<std::string> fetched;
    for (const Line& line : script.lines) {
        for (const Command& command : line.commands) {
            const std::optional<Fetch> fetch =
                holds(fetching, command.name()) ? fetch_of(command) : std::nullopt;
            if (!fetch) {
                continue;
            }
            const bool known_image = holds(fetched, fetch->source);
            fetched.push_back(fetch->name);
            if (!known_image && is_plain_name(fetch->source) && files.size() < most_files) {
                files.push_back({line.number, command.name(), fetch->source, command.handled});
            }
        }
    }
    return files;
}

}  // namespace vml::ipxescript
