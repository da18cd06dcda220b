#include "launcher/settings/given_command.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <set>

#include <fmt/format.h>

#include "base/logins.h"
#include "base/shell.h"
#include "base/text.h"
#include "bootwatch/bounds.h"
#include "launcher/settings/option_table.h"
#include "launcher/settings/secrets.h"
#include "launcher/settings/tidy.h"

namespace vml {

namespace {

constexpr std::size_t longest_word = 1024;
constexpr std::size_t longest_command = std::size_t{16} << 10;
constexpr std::string_view ellipsis = "…";

std::string cut_short(std::string text, std::size_t most) {
    return text.size() <= most ? std::move(text) : boot::cut_to(text, most) + std::string{ellipsis};
}

// Of too many, those that fit: the rest of a word could be taken for another command.
std::string joined(const std::vector<std::string>& words) {
    std::string line;
    for (const std::string& word : words) {
        if (line.size() + 1 + word.size() > longest_command) {
            return line.append(" ").append(ellipsis);
        }
        line.append(line.empty() ? "" : " ").append(word);
    }
    return line;
}

// iPXE's user names and passwords (src/include/ipxe/dhcp.h), each also within its option 175.
bool is_login_option(std::string_view option) {
    constexpr std::array<std::string_view, 4> codes{"190", "191", "192", "193"};
    const std::string_view code = trimmed(option.substr(0, option.find('=')));
    return std::find(codes.begin(), codes.end(), code.substr(code.find('.') + 1)) != codes.end();
}

std::string shown_dhcp_option(std::string_view option) {
    return is_login_option(option)
               ? std::string{option.substr(0, option.find('='))} + "=" + std::string{hidden_secret}
               : without_secrets(option);
}

std::string shown_value(const OptionRow* row, std::string_view value) {
    if (row == nullptr) {
        return without_secrets(value);
    }
    if (row->is_secret || (row->flag == "user-data" && is_user_data_text(value))) {
        return std::string{hidden_secret};
    }
    if (row->flag == "extra-args") {
        return words_without_secrets(value);
    }
    return row->flag == "dhcp-option" ? shown_dhcp_option(value) : without_secrets(value);
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
    for (const auto* list : {&layer.disks, &layer.devices, &layer.extra_disks}) {
        for (const Raw& raw : *list) {
            add(raw, nullptr);
        }
    }
    for (const Raw& raw : layer.dhcp_options) {
        add(raw, find_option("dhcp-option"));
    }
    if (layer.config) {
        add(*layer.config, nullptr);
    }
    return variables;
}

}  // namespace

std::string given_command(const std::vector<std::string>& arguments, const Environment& environment,
                          const Layer& layer) {
    std::vector<std::string> words;
    for (const Variable& variable : variables_of(layer)) {
        const std::string value = shown_value(variable.row, value_of(environment, variable.name));
        words.push_back(fmt::format("{}={}", variable.name, shell_quoted(cut_short(value, longest_word))));
    }
    words.emplace_back("vm-launch");
    std::string_view before;
    for (const std::string& word : arguments) {
        words.push_back(shell_quoted(cut_short(shown_argument(word, before), longest_word)));
        before = word;
    }
    return joined(words);
}

}  // namespace vml
