#include "ipxescript/check.h"

#include <array>
#include <optional>
#include <string_view>

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
        straight_ = straight_ && !leads_away(command);
    }

    void look_at_label(const Line& line, const Command& command, bool certain) {
        if (command.words.size() == 2 && !has_variable(command.words[1]) &&
            !holds(labels_, command.words[1]) && !command.handled) {
            findings_.push_back(finding(Finding::Kind::no_label, line, command.words[1], certain));
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
