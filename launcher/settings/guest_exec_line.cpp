#include "launcher/settings/guest_exec_line.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/text.h"

namespace vml {

std::optional<ParsedCommandLine> guest_exec_line(const std::vector<std::string>& arguments) {
    if (arguments.empty() || arguments.front() != guest_exec_name) {
        return std::nullopt;
    }
    ParsedCommandLine line;
    line.command.subcommand = guest_exec_name;
    line.command.named = true;
    auto word = std::next(arguments.begin());
    for (; word != arguments.end() && word->starts_with('-') && *word != "--"; ++word) {
        if (*word == "--wait") {
            line.command.wait = true;
        } else if (*word == "--name" && std::next(word) != arguments.end()) {
            line.command.words = {*++word};
        } else if (*word == "--help" || *word == "-h") {
            line.command.help = true;
        } else {
            line.layer.fault(
                fmt::format("{}: unknown option {}", guest_exec_name, visible(*word)), "",
                "its options are --wait and --name NAME; the command's own go behind the command");
        }
    }
    word += word != arguments.end() && *word == "--" ? 1 : 0;
    line.command.rest = {word, arguments.end()};
    std::vector<std::string>& command = line.command.rest;
    if (command.size() == 1 && command.front().find(' ') != std::string::npos) {
        command.insert(command.begin(), {"/bin/sh", "-c"});
    }
    return line;
}

}  // namespace vml
