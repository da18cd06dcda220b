#include "launcher/settings/guest_exec_line.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "base/text.h"
#include "launcher/settings/values.h"

namespace vml {

namespace {

using Words = std::vector<std::string>;

const UsedFlag* own_flag_named(std::string_view word) {
    const std::vector<UsedFlag>& flags = guest_exec_flags();
    const auto found = std::find_if(flags.begin(), flags.end(), [&](const UsedFlag& own) {
        return word == fmt::format("--{}", own.flag);
    });
    return found == flags.end() ? nullptr : &*found;
}

// The last of the words that it takes.
Words::const_iterator take_flag_at(Words::const_iterator word, Words::const_iterator end,
                                   ParsedCommandLine& line) {
    const std::size_t equals = word->find('=');
    const std::string flag = word->substr(0, equals);
    std::optional<std::string> value =
        equals == std::string::npos ? std::nullopt : std::optional{word->substr(equals + 1)};
    const UsedFlag* const own = own_flag_named(flag);
    const bool is_switch = own != nullptr && own->is_switch();
    const bool of_all =
        flag == fmt::format("--{}", flag_of_faults) || flag == fmt::format("--{}", flag_of_colour);
    if (!value && !is_switch && (own != nullptr || of_all) && std::next(word) != end) {
        value = *++word;
    }
    if (is_switch || (own != nullptr && value)) {
        take_own_flag(*own, value.value_or("1"), line);
    } else if (of_all && value) {
        line.layer.values.insert_or_assign(flag.substr(2), Raw{*value, flag});
    } else if (*word == "--help" || *word == "-h") {
        line.command.help = true;
    } else {
        line.layer.fault(fmt::format("{}: unknown option {}", guest_exec_name, visible(flag)), "",
                         fmt::format("its options are --wait, --name NAME, --{} FORMAT and --{} WHEN; the "
                                     "command's own go after the command",
                                     flag_of_faults, flag_of_colour));
    }
    return word;
}

}  // namespace

const std::vector<UsedFlag>& guest_exec_flags() {
    static const std::vector<UsedFlag> flags{
        {"wait", "wait for the VM and its guest's agent",
         [](CommandLine& command, std::string_view value) { command.wait = parse_value<bool>(value); }},
        {"name", "the VM; may be left out where one runs",
         [](CommandLine& command, std::string_view value) { command.words = {std::string{value}}; }, "NAME"}};
    return flags;
}

std::optional<ParsedCommandLine> guest_exec_line(const Words& arguments) {
    if (arguments.empty() || arguments.front() != guest_exec_name) {
        return std::nullopt;
    }
    ParsedCommandLine line;
    line.command.subcommand = guest_exec_name;
    line.command.named = true;
    auto word = std::next(arguments.begin());
    while (word != arguments.end() && word->starts_with('-') && *word != "--") {
        word = std::next(take_flag_at(word, arguments.end(), line));
    }
    word += word != arguments.end() && *word == "--" ? 1 : 0;
    line.command.rest = {word, arguments.end()};
    Words& command = line.command.rest;
    if (command.size() == 1 && command.front().find(' ') != std::string::npos) {
        command.insert(command.begin(), {"/bin/sh", "-c"});
    }
    return line;
}

}  // namespace vml
