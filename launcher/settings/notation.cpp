#include "launcher/settings/notation.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "launcher/settings/nic_options.h"
#include "launcher/settings/option_table.h"

namespace vml {

namespace {

bool is_flag_character(char c) {
    return std::islower(static_cast<unsigned char>(c)) != 0 ||
           std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '-';
}

bool is_value_character(char c) {
    return std::isspace(static_cast<unsigned char>(c)) == 0 && c != ')' && c != ',' && c != ';' && c != '`';
}

std::size_t end_of(std::string_view text, std::size_t from, bool (*belongs)(char)) {
    std::size_t end = from;
    while (end < text.size() && belongs(text[end])) {
        ++end;
    }
    return end;
}

// A value follows the flag as a word of its own: a placeholder ("DIR"), or one of the words that the setting
// takes.
bool is_value_of(const OptionRow& row, std::string_view word) {
    return !word.empty() &&
           (std::isupper(static_cast<unsigned char>(word.front())) != 0 ||
            std::find(row.choices.begin(), row.choices.end(), word) != row.choices.end() ||
            word.front() == '/' || std::isdigit(static_cast<unsigned char>(word.front())) != 0);
}

// "--nic mode=nat" → "NETWORK2_MODE=nat"; `end` is where the flag ended. A hint speaks of one more NIC,
// mostly the second.
std::string nic_variable(std::string_view text, std::size_t& end) {
    const std::size_t value_end = end_of(text, std::min(end + 1, text.size()), is_value_character);
    const std::string_view pair = text.substr(std::min(end + 1, text.size()), value_end - end - 1);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || flag_of_nic_key(pair.substr(0, equals)).empty()) {
        return {};
    }
    end = value_end;
    return shown_nic_key(pair.substr(0, equals), pair.substr(equals + 1), 2, true);
}

// What stands at `at` in place of a flag there; `end` becomes where it ended. Empty: it is none of ours.
std::string variable_at(std::string_view text, std::size_t at, std::size_t& end) {
    end = end_of(text, at + 2, is_flag_character);
    const std::string_view flag = text.substr(at + 2, end - at - 2);
    if (flag == "nic" && end < text.size()) {
        return nic_variable(text, end);
    }
    const bool negated = find_option(flag) == nullptr && flag.starts_with(negating);
    const OptionRow* row = find_option(negated ? flag.substr(negating.size()) : flag);
    if (row == nullptr || row->environment.empty()) {
        return {};
    }
    const bool has_value =
        end < text.size() && (text[end] == '=' || (text[end] == ' ' && !row->is_boolean()));
    if (has_value) {
        const std::size_t value_end = end_of(text, end + 1, is_value_character);
        const std::string_view value = text.substr(end + 1, value_end - end - 1);
        if (text[end] == '=' || is_value_of(*row, value)) {
            end = value_end;
            return fmt::format("{}={}", row->environment, value);
        }
    }
    if (row->is_boolean()) {
        return fmt::format("{}={}", row->environment, negated ? 0 : 1);
    }
    return std::string{row->environment};
}

// "NAME=… (NAME=…)" and "NAME=DIR (NAME)" say the same twice.
std::string without_repetition(std::string text) {
    for (std::size_t open = text.find(" ("); open != std::string::npos; open = text.find(" (", open + 1)) {
        const std::size_t close = text.find(')', open);
        if (close == std::string::npos) {
            break;
        }
        const std::string inside = text.substr(open + 2, close - open - 2);
        const std::string name = inside.substr(0, inside.find('='));
        const bool is_name = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
            return std::isupper(c) != 0 || std::isdigit(c) != 0 || c == '_';
        });
        if (is_name && text.rfind(name + "=", open) != std::string::npos) {
            text.erase(open, close + 1 - open);
        }
    }
    return text;
}

}  // namespace

std::string with_variables(std::string_view text) {
    std::string result;
    bool quoted = false;
    for (std::size_t at = 0; at < text.size();) {
        quoted = quoted != (text[at] == '`');
        std::size_t end = at + 1;
        const bool begins = at == 0 || text[at - 1] == ' ' || text[at - 1] == '(' || text[at - 1] == '\'';
        const std::string variable =
            !quoted && begins && text.substr(at).starts_with("--") ? variable_at(text, at, end) : "";
        if (variable.empty()) {
            result += text[at++];
        } else {
            result += variable;
            at = end;
        }
    }
    return without_repetition(std::move(result));
}

bool speaks_in_variables(const Layer& layer, bool by_strange_ones) {
    bool any = by_strange_ones;
    bool all = true;
    const auto count = [&](const Raw& raw) {
        any = true;
        all = all && raw.origin.starts_with('$');
    };
    for (const auto& [flag, raw] : layer.values) {
        count(raw);
    }
    for (const RawNic& nic : layer.nics) {
        if (nic.whole) {
            count(*nic.whole);
        }
        for (const auto& [key, raw] : nic.keys) {
            count(raw);
        }
    }
    for (const std::vector<Raw>* list :
         {&layer.disks, &layer.devices, &layer.extra_disks, &layer.dhcp_options}) {
        std::for_each(list->begin(), list->end(), count);
    }
    return any && all;
}

}  // namespace vml
