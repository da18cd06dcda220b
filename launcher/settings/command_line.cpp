#include "launcher/settings/command_line.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <boost/program_options.hpp>
#include <fmt/format.h>

#include "launcher/settings/boot_word.h"
#include "launcher/settings/foreign_variables.h"
#include "launcher/settings/guest_exec_line.h"
#include "launcher/settings/option_table.h"
#include "launcher/settings/suggest.h"

namespace vml {

namespace {

namespace po = boost::program_options;

using Arguments = std::vector<std::string>;

constexpr std::string_view dashes = "--";

// What Docker-VM-Runner calls `plan`.
constexpr auto names_of_plan = std::to_array<std::string_view>({"--show-config", "--dry-run"});

// Booleans have a value by now (with_boolean_values), so no option takes one that may be left out.
po::options_description described_options(const std::vector<Subcommand>& subcommands) {
    po::options_description options;
    auto add = options.add_options();
    for (const OptionRow& row : option_table()) {
        add(std::string{row.flag}.c_str(), po::value<std::string>());
        if (row.has_negation()) {
            add(row.negation().c_str(), po::value<std::string>());
        }
    }
    add("help,h", "")("version,V", "")("config", po::value<std::string>())("format",
                                                                           po::value<std::string>());
    // Those of other subcommands are known, so that they can be refused by name.
    for (const std::string& name : own_flags_alone(subcommands)) {
        const char letter = own_flag_of_any(subcommands, name)->letter;
        add((letter == '\0' ? name : fmt::format("{},{}", name, letter)).c_str(), po::value<std::string>());
    }
    return options;
}

Arguments known_flags(const Subcommand& subcommand) {
    Arguments flags{"--help", "--version"};
    if (!subcommand.formats.empty()) {
        flags.emplace_back("--format");
    }
    if (subcommand.takes_settings) {
        flags.emplace_back("--config");
    }
    if (subcommand.name == "run") {
        flags.insert(flags.end(), names_of_plan.begin(), names_of_plan.end());
    }
    for (const UsedFlag& used : subcommand.flags) {
        flags.push_back(fmt::format("--{}", used.flag));
    }
    for (const OptionRow& row : option_table()) {
        if (!uses(subcommand, row.flag)) {
            continue;
        }
        flags.push_back(fmt::format("--{}", row.flag));
        if (row.has_negation()) {
            flags.push_back("--" + row.negation());
        }
    }
    return flags;
}

// The boolean that a flag such as "ipxe" or "no-ipxe" is about, if it is about one.
const OptionRow* boolean_of(std::string_view flag) {
    const OptionRow* row = find_option(flag);
    if (row == nullptr && flag.starts_with(negating)) {
        row = find_option(flag.substr(negating.size()));
    }
    return row != nullptr && row->is_boolean() ? row : nullptr;
}

bool is_boolean_flag(std::string_view word, const std::vector<Subcommand>& subcommands) {
    if (!word.starts_with(dashes)) {
        return false;
    }
    const std::string_view flag = word.substr(dashes.size());
    const UsedFlag* const own = own_flag_of_any(subcommands, flag);
    return boolean_of(flag) != nullptr || (own != nullptr && own->is_switch());
}

std::optional<bool> boolean_in(std::string_view text) {
    return choice_named<bool>(lower(trimmed(text)));
}

// "--ipxe" → "--ipxe=1", "--fast-boot off" → "--fast-boot=off": a boolean takes no next word but a boolean.
Arguments with_boolean_values(const Arguments& arguments, const std::vector<Subcommand>& subcommands) {
    Arguments result;
    for (auto word = arguments.begin(); word != arguments.end(); ++word) {
        if (!is_boolean_flag(*word, subcommands)) {
            result.push_back(*word);
            continue;
        }
        const auto next = std::next(word);
        const bool has_value = next != arguments.end() && boolean_in(*next);
        result.push_back(fmt::format("{}={}", *word, has_value ? *next : "1"));
        word = has_value ? next : word;
    }
    return result;
}

void take_qemu_args(Arguments& arguments, ParsedCommandLine& line) {
    const auto end = std::find(arguments.begin(), arguments.end(), dashes);
    if (end != arguments.end()) {
        line.qemu_args.emplace(std::next(end), arguments.end());
        arguments.erase(end, arguments.end());
    }
}

const Subcommand& take_subcommand(Arguments& arguments, const std::vector<Subcommand>& subcommands,
                                  ParsedCommandLine& line) {
    if (arguments.empty() || arguments.front().starts_with('-')) {
        return subcommands.front();
    }
    const std::string word = arguments.front();
    arguments.erase(arguments.begin());
    if (const Subcommand* found = find_subcommand(subcommands, word)) {
        line.command.subcommand = word;
        line.command.named = true;
        return *found;
    }
    if (word.find_first_of("./") != std::string::npos) {
        arguments.insert(arguments.begin(), word);  // something to boot
        return subcommands.front();
    }
    Arguments names;
    for (const Subcommand& subcommand : subcommands) {
        names.emplace_back(subcommand.name);
    }
    line.layer.fault(fmt::format("unknown subcommand '{}'", visible(word)), "",
                     did_you_mean(word, names,
                                  fmt::format("expected {}; a script to boot is FILE.ipxe, a folder ./DIR",
                                              listed(names))));
    return subcommands.front();
}

// A run that is only to be shown is a plan.
const Subcommand& or_plan(const Subcommand& given, Arguments& arguments,
                          const std::vector<Subcommand>& subcommands, ParsedCommandLine& line) {
    constexpr std::string_view plan = "plan";
    const Subcommand* const found = find_subcommand(subcommands, plan);
    const bool may_be = &given == &subcommands.front() || given.name == plan;
    const auto asks = [](const std::string& word) {
        return std::find(names_of_plan.begin(), names_of_plan.end(), word) != names_of_plan.end();
    };
    if (found == nullptr || !may_be || std::erase_if(arguments, asks) == 0) {
        return given;
    }
    line.command.subcommand = plan;
    return *found;
}

// "vm-launch boot.ipxe", "vm-launch ./netboot".
bool take_what_to_boot(const std::string& word, Layer& layer) {
    const auto flag = setting_of_word(word);
    return flag && layer.values.try_emplace(std::string{*flag}, Raw{word, fmt::format("--{}", *flag)}).second;
}

// `before` is the argument in front of it, or empty.
void take_word(const std::string& word, std::string_view before, const Subcommand& subcommand,
               const std::vector<Subcommand>& subcommands, ParsedCommandLine& line) {
    if (subcommand.takes_words && (!subcommand.takes_settings || is_test_file(word))) {
        line.command.words.push_back(word);
        return;
    }
    if (subcommand.takes_settings && before != "--persist" && take_what_to_boot(word, line.layer)) {
        return;
    }
    line.layer.fault(fmt::format("unexpected argument '{}'", visible(word)), "",
                     !line.command.named && find_subcommand(subcommands, word) != nullptr
                         ? fmt::format("a subcommand goes first: vm-launch {} …", word)
                     : subcommand.takes_settings ? hint_for_word(word, before)
                                                 : see_help(subcommand));
}

void take_format(const std::string& value, const Subcommand& command, ParsedCommandLine& line) {
    const Arguments formats = split_list(command.formats);
    if (formats.empty()) {
        line.layer.fault(fmt::format("'{}' does not take --format", command.name), "", see_help(command));
    } else if (std::find(formats.begin(), formats.end(), value) == formats.end()) {
        line.layer.fault(fmt::format("--format: {}", not_one_of(value, formats).what()), "", "");
    } else {
        line.command.format = choice_named<OutputFormat>(value);
    }
}

// What is no boolean is refused when the setting is assigned, with its origin.
std::string negated(const std::string& value) {
    const std::optional<bool> given = boolean_in(value);
    return !given ? value : *given ? "0" : "1";
}

void take_setting(const std::string& key, const std::string& value, Layer& layer) {
    const std::string origin = "--" + key;
    if (key == "nic") {
        layer.nics.push_back({Raw{value, origin}, {}});
    } else if (key == "disk") {
        layer.disks.push_back({value, origin});
    } else if (key == "dhcp-option") {
        layer.dhcp_options.push_back({value, origin});
    } else if (key == "extra-disk") {
        layer.extra_disks.push_back({value, origin});
    } else if (find_option(key) == nullptr) {
        layer.values.insert_or_assign(key.substr(negating.size()), Raw{negated(value), origin});
    } else if (const auto given = layer.values.find(key);
               given != layer.values.end() && find_option(key)->adds_up) {
        given->second.text += "," + value;
    } else {
        layer.values.insert_or_assign(key, Raw{value, origin});
    }
}

// "no-ipxe" is about "ipxe".
std::string_view setting_of_flag(std::string_view flag) {
    const OptionRow* boolean = boolean_of(flag);
    return boolean == nullptr ? flag : boolean->flag;
}

// Not one of another subcommand's own.
bool is_setting(std::string_view flag) {
    return flag == "config" || find_option(setting_of_flag(flag)) != nullptr;
}

void refuse_flag(const std::string& key, const Subcommand& subcommand, Layer& layer) {
    const bool named = key == "name" && subcommand.usage.starts_with("[NAME]");
    layer.fault(fmt::format("'{}' does not take --{}", subcommand.name, key), "",
                named ? fmt::format("the VM is named without it: vm-launch {} NAME", subcommand.name)
                      : see_help(subcommand));
}

void take_known_flag(const std::string& key, const std::string& value, const Subcommand& subcommand,
                     ParsedCommandLine& line) {
    if (key == "help") {
        line.command.help = true;
    } else if (key == "version") {
        line.command.version = true;
    } else if (key == "format") {
        take_format(value, subcommand, line);
    } else if (const UsedFlag* own = own_flag(subcommand, key)) {
        take_own_flag(*own, value, line);
    } else if (!is_setting(key) || !uses(subcommand, setting_of_flag(key))) {
        refuse_flag(key, subcommand, line.layer);
    } else if (key == "config") {
        line.layer.config = Raw{value, "--config"};
    } else {
        take_setting(key, value, line.layer);
    }
}

std::string_view argument_before(const std::string& word, const Arguments& arguments) {
    const auto found = std::find(arguments.begin(), arguments.end(), word);
    return found == arguments.begin() || found == arguments.end() ? std::string_view{} : *std::prev(found);
}

void take_flag(const po::option& option, const Subcommand& subcommand, ParsedCommandLine& line) {
    if (option.unregistered) {
        const std::string& flag = option.original_tokens.front();
        const std::string name = flag.substr(0, flag.find('='));
        line.layer.fault(fmt::format("unknown option {}", visible(name)), "",
                         foreign_flag_answer(name).value_or(
                             did_you_mean(name, known_flags(subcommand), hint_on_flags(subcommand))));
    } else {
        take_known_flag(option.string_key, option.value.empty() ? "1" : option.value.front(), subcommand,
                        line);
    }
}

std::vector<po::option> parsed(const Arguments& arguments, const po::options_description& options) {
    using Style = po::command_line_style::style_t;
    return po::command_line_parser(arguments)
        .options(options)
        .style(Style::unix_style & ~Style::allow_guessing)
        .allow_unregistered()
        .run()
        .options;
}

// The parser stops at its first error, and users want all of them: the word at fault is taken out and the
// rest parsed again.
std::vector<po::option> all_flags(Arguments arguments, const std::vector<Subcommand>& subcommands,
                                  Layer& layer) {
    const po::options_description options = described_options(subcommands);
    while (true) {
        try {
            return parsed(arguments, options);
        } catch (const po::error_with_option_name& error) {
            const std::string name = error.get_option_name();
            const auto culprit = std::find_if(
                arguments.begin(), arguments.end(),
                [&](const std::string& word) { return word == name || word.starts_with(name + "="); });
            layer.fault(fmt::format("{} requires a value", name), "", "see vm-launch --help");
            if (culprit == arguments.end()) {
                return {};
            }
            arguments.erase(culprit);
        }
    }
}

void take_rest(const Subcommand& subcommand, ParsedCommandLine& line) {
    if (subcommand.takes_settings || !line.qemu_args) {
        return;
    }
    line.command.rest = *std::exchange(line.qemu_args, std::nullopt);
    if (!subcommand.takes_rest()) {
        line.layer.fault(fmt::format("'{}' takes nothing after --", subcommand.name), "",
                         see_help(subcommand));
    }
}

}  // namespace

ParsedCommandLine parse_command_line(std::vector<std::string> arguments,
                                     const std::vector<Subcommand>& subcommands) {
    if (auto line = guest_exec_line(arguments)) {
        return *std::move(line);
    }
    ParsedCommandLine line;
    take_qemu_args(arguments, line);
    const Subcommand& given = take_subcommand(arguments, subcommands, line);
    const Subcommand& subcommand = or_plan(given, arguments, subcommands, line);
    Arguments words;
    const Arguments with_values = with_boolean_values(arguments, subcommands);
    for (const po::option& option : all_flags(with_values, subcommands, line.layer)) {
        if (option.position_key >= 0) {
            words.insert(words.end(), option.value.begin(), option.value.end());
        } else {
            take_flag(option, subcommand, line);
        }
    }
    for (const std::string& word : words) {  // a flag goes before a word that stands for it
        take_word(word, argument_before(word, arguments), subcommand, subcommands, line);
    }
    take_rest(subcommand, line);
    return line;
}

}  // namespace vml
