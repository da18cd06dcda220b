#include "launcher/settings/given_command.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <set>

#include <fmt/format.h>

#include "base/shell.h"
#include "base/text.h"
#include "bootwatch/bounds.h"
#include "launcher/settings/option_table.h"
#include "launcher/settings/tidy.h"

namespace vml {

namespace {

constexpr std::size_t longest_word = 1024;
constexpr std::size_t longest_command = std::size_t{16} << 10;
constexpr std::string_view ellipsis = "…";

std::string cut_short(std::string text, std::size_t most) {
    return text.size() <= most ? std::move(text) : boot::cut_to(text, most) + std::string{ellipsis};
}

// "http://somebody:word@host/": what stands between the slashes and the last @ of the host.
std::string without_logins(std::string_view text) {
    constexpr std::string_view scheme_end = "://";
    std::string result;
    while (true) {
        const std::size_t scheme = text.find(scheme_end);
        if (scheme == std::string_view::npos) {
            return result.append(text);
        }
        const std::size_t begin = scheme + scheme_end.size();
        result += text.substr(0, begin);
        text.remove_prefix(begin);
        const std::size_t at = text.substr(0, text.find_first_of("/ \t\r\n\"'?#")).rfind('@');
        if (at != std::string_view::npos) {
            result += hidden_secret;
            text.remove_prefix(at);
        }
    }
}

// `data`: of QEMU's -object secret,id=…,data=….
bool names_a_secret(std::string_view key, bool in_secret_object) {
    constexpr std::array words{"passw", "passphrase", "secret", "token"};
    const std::string name = lower(key);
    return (in_secret_object && name == "data") ||
           std::any_of(words.begin(), words.end(),
                       [&](const char* word) { return name.find(word) != std::string::npos; });
}

std::size_t length_of_value(std::string_view text) {
    const bool quoted = text.starts_with('"') || text.starts_with('\'');
    const std::size_t end = quoted ? text.find(text.front(), 1) : text.find_first_of(" \t\r\n,;&");
    return end == std::string_view::npos ? text.size() : end + (quoted ? 1 : 0);
}

std::string without_secret_keys(std::string_view text) {
    constexpr std::string_view of_keys = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    const bool in_secret_object = text.starts_with("secret,");
    std::string result;
    for (std::size_t equals = text.find('='); equals != std::string_view::npos; equals = text.find('=')) {
        const std::string_view before = text.substr(0, equals);
        const std::size_t key = before.find_last_not_of(of_keys) + 1;
        const bool secret = names_a_secret(before.substr(key), in_secret_object);
        result += text.substr(0, equals + 1);
        text.remove_prefix(equals + 1);
        if (const std::size_t length = length_of_value(text); secret && length > 0) {
            result += hidden_secret;
            text.remove_prefix(length);
        }
    }
    return result.append(text);
}

std::string shown_value(const OptionRow* row, std::string_view value) {
    const bool secret =
        row != nullptr && (row->is_secret || (row->flag == "user-data" && is_user_data_text(value)));
    return secret ? std::string{hidden_secret} : without_secrets(value);
}

const OptionRow* setting_in(std::string_view word) {
    constexpr std::string_view before_flag = "--";
    return word.starts_with(before_flag) ? find_option(word.substr(before_flag.size())) : nullptr;
}

// `before`: the word in front of it, which may be the flag that it is the value of.
std::string shown_argument(std::string_view word, std::string_view before) {
    if (const OptionRow* row = setting_in(before); row != nullptr && !row->is_boolean()) {
        return shown_value(row, word);
    }
    const std::size_t equals = word.find('=');
    if (const OptionRow* row = setting_in(word.substr(0, equals));
        row != nullptr && equals != std::string::npos) {
        return std::string{word.substr(0, equals + 1)} + shown_value(row, word.substr(equals + 1));
    }
    return without_secrets(word);
}

struct Variable {
    std::string name;
    const OptionRow* row = nullptr;  // nullptr: no setting's alone
    bool operator<(const Variable& other) const { return name < other.name; }
};

// Those that the settings come from, in the order of their names.
std::set<Variable> variables_of(const Layer& layer) {
    std::set<Variable> variables;
    const auto add = [&](const Raw& raw, const OptionRow* row) {
        if (raw.origin.starts_with('$')) {
            variables.insert({raw.origin.substr(1), row});
        }
    };
    for (const auto& [flag, raw] : layer.values) {
        add(raw, find_option(flag));
    }
    for (const RawNic& nic : layer.nics) {
        for (const auto& [key, raw] : nic.keys) {
            add(raw, nullptr);
        }
    }
    for (const auto* list : {&layer.disks, &layer.devices, &layer.extra_disks, &layer.dhcp_options}) {
        for (const Raw& raw : *list) {
            add(raw, nullptr);
        }
    }
    if (layer.config) {
        add(*layer.config, nullptr);
    }
    return variables;
}

}  // namespace

std::string without_secrets(std::string_view text) {
    return without_secret_keys(without_logins(text));
}

std::string given_command(const std::vector<std::string>& arguments, const Environment& environment,
                          const Layer& layer) {
    std::string command;
    for (const Variable& variable : variables_of(layer)) {
        const std::string value = shown_value(variable.row, value_of(environment, variable.name));
        command += fmt::format("{}={} ", variable.name, shell_quoted(cut_short(value, longest_word)));
    }
    command += "vm-launch";
    std::string_view before;
    for (const std::string& word : arguments) {
        command += " " + shell_quoted(cut_short(shown_argument(word, before), longest_word));
        before = word;
    }
    return cut_short(std::move(command), longest_command);
}

}  // namespace vml
