#include "launcher/commands/completion_rules.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/text.h"
#include "launcher/commands/help_parts.h"
#include "launcher/commands/subcommands.h"
#include "launcher/settings/nic_options.h"

namespace vml {

namespace {

std::string dashed(std::string_view flag) {
    return fmt::format("--{}", flag);
}

Offered offered_for(const OptionRow& row) {
    switch (row.kind) {
        case ValueKind::choice:
            return {Offer::words, row.choices};
        case ValueKind::choices:
            return {Offer::list, row.choices};
        case ValueKind::file:
            return {Offer::files};
        case ValueKind::folder:
            return {Offer::folders};
        case ValueKind::bridge:
            return {Offer::bridges};
        case ValueKind::link:
            return {Offer::links};
        case ValueKind::boolean:
        case ValueKind::text:
        case ValueKind::number:
        case ValueKind::duration:
        case ValueKind::amount:
            break;
    }
    return row.suggested == nullptr ? Offered{} : Offered{Offer::words, row.suggested()};
}

Offered offered_for(const UsedFlag& own) {
    if (own.suggested != nullptr) {
        return {Offer::words, own.suggested()};
    }
    return {own.metavar == "NAME" ? Offer::vms : own.metavar == "FILE" ? Offer::files : Offer::nothing};
}

Offered nic_key_words() {
    Offered offered{Offer::keys};
    for (const NicKey& key : nic_keys()) {
        offered.words.push_back(fmt::format("{}=", key.key));
    }
    return offered;
}

void add_rule(std::vector<ValueRule>& rules, std::string flag, Offered offered) {
    const auto same = std::find_if(rules.begin(), rules.end(),
                                   [&](const ValueRule& rule) { return rule.offered == offered; });
    if (same == rules.end()) {
        rules.push_back({{std::move(flag)}, std::move(offered)});
    } else if (std::find(same->flags.begin(), same->flags.end(), flag) == same->flags.end()) {
        same->flags.push_back(std::move(flag));
    }
}

std::vector<std::string> names_of_subcommands() {
    std::vector<std::string> names;
    for (const Subcommand& subcommand : subcommands()) {
        names.emplace_back(subcommand.name);
    }
    return names;
}

// "bash|zsh" → its words; what is in capitals is none.
std::vector<std::string> alternatives_in(std::string_view usage) {
    std::vector<std::string> words;
    std::string word;
    for (const char c : std::string{usage} + "|") {
        if ((c >= 'a' && c <= 'z') || (c == '-' && !word.empty())) {
            word += c;
        } else if (c == '|' || c == ']') {
            if (!word.empty()) {
                words.push_back(std::exchange(word, {}));
            }
        }
    }
    return words;
}

}  // namespace

std::vector<ValueRule> value_rules() {
    std::vector<ValueRule> rules;
    for (const Subcommand& subcommand : subcommands()) {
        for (const UsedFlag& own : subcommand.flags) {
            const bool two_meanings = subcommand.takes_settings && find_option(own.flag) != nullptr;
            if (own.is_own() && !own.is_switch() && !two_meanings) {
                add_rule(rules, dashed(own.flag), offered_for(own));
            }
        }
    }
    add_rule(rules, "--config", {Offer::files});
    for (const OptionRow& row : option_table()) {
        const std::string flag = dashed(row.flag);
        const bool is_known = std::any_of(rules.begin(), rules.end(), [&](const ValueRule& rule) {
            return std::find(rule.flags.begin(), rule.flags.end(), flag) != rule.flags.end();
        });
        if (!row.is_boolean() && !is_known) {
            add_rule(rules, flag, row.flag == "nic" ? nic_key_words() : offered_for(row));
        }
    }
    return rules;
}

std::vector<std::string> boolean_words() {
    return {"on", "off"};
}

std::vector<std::string> boolean_flags() {
    std::vector<std::string> flags;
    for (const OptionRow& row : option_table()) {
        if (row.is_boolean()) {
            flags.push_back(dashed(row.flag));
        }
        if (row.has_negation()) {
            flags.push_back(dashed(row.negation()));
        }
    }
    return flags;
}

std::vector<FlagWords> flags_of(const Subcommand& subcommand) {
    std::vector<FlagWords> flags;
    const auto add = [&](std::string_view flag, std::string_view help) {
        flags.push_back({dashed(flag), std::string{help}});
    };
    for (const UsedFlag& used : subcommand.flags) {
        add(used.flag, used.help);
    }
    for (const OptionRow& row : option_table()) {
        const bool is_setting_there = subcommand.takes_settings && own_flag(subcommand, row.flag) == nullptr;
        if (is_setting_there || row.flag == flag_of_colour) {
            add(row.flag, row.help);
        } else if (row.flag == flag_of_faults) {
            add(row.flag, "how it writes what went wrong");
        }
        if (subcommand.takes_settings && row.has_negation()) {
            add(row.negation(), "not: " + row.help);
        }
    }
    for (const GeneralOption& option : general_options_of(subcommand)) {
        add(option.flag, option.help);
    }
    return flags;
}

Offered words_of(const Subcommand& subcommand) {
    const std::string_view usage = subcommand.usage;
    if (usage.starts_with("[NAME]")) {
        return {usage.find("FILE") == std::string_view::npos ? Offer::vms : Offer::vm_then_file};
    }
    if (usage.find('|') != std::string_view::npos && !subcommand.takes_settings &&
        usage.find("FILE") == std::string_view::npos) {
        Offered offered{Offer::words, alternatives_in(usage)};
        if (usage.find("SUBCOMMAND") != std::string_view::npos) {
            const auto names = names_of_subcommands();
            offered.words.insert(offered.words.end(), names.begin(), names.end());
        }
        return offered;
    }
    if (usage.find("FILE") != std::string_view::npos) {
        return {Offer::files};
    }
    return {usage.starts_with("[DIR]") ? Offer::folders : Offer::nothing};
}

}  // namespace vml
