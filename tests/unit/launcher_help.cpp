// --help, the man page and the table of settings: each knows every row of the option table.
#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "bootwatch/stage.h"
#include "launcher/commands/help.h"
#include "launcher/commands/man_page.h"
#include "launcher/commands/subcommands.h"
#include "launcher/settings/option_table.h"
#include "launcher/settings/settings_reader.h"
#include "launcher/settings/shell_words.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using test::contains;
using test::text_of;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
        text.replace(at, from.size(), to);
    }
    return text;
}

// As the man page's source has a word with dashes.
std::string in_roff(std::string_view text) {
    return replaced(replaced(std::string{text}, "-", "\\-"), "…", "...");
}

std::string with_metavar(const OptionRow& row) {
    return "--" + std::string{row.flag} + (row.is_boolean() ? "" : " " + std::string{row.metavar});
}

// The help's lines are wrapped; a sentence is looked for in one long line.
std::string unwrapped(const std::string& text) {
    std::istringstream words{text};
    std::string line;
    for (std::string word; words >> word;) {
        line += word + " ";
    }
    return line;
}

TEST_CASE("every setting is in the help, with its variable, default and meaning") {
    const std::string help = help_text();
    const std::string flat = unwrapped(help);
    for (const OptionRow& row : option_table()) {
        CAPTURE(row.flag);
        CHECK(contains(help, "\n  " + with_metavar(row)));
        const std::string variable = row.environment.empty() ? "" : "; $" + std::string{row.environment};
        CHECK(contains(flat, std::string{row.help} + " [" + std::string{row.fallback} + variable + "]"));
    }
}

TEST_CASE("every setting is in the man page, with its variables, default and meaning") {
    const std::string page = man_page();
    for (const OptionRow& row : option_table()) {
        CAPTURE(row.flag);
        const std::size_t at = page.find(".TP\n.B " + in_roff(with_metavar(row)) + "\n");
        REQUIRE(at != std::string::npos);
        const std::string entry = page.substr(at, page.find("\n.TP", at + 1) - at);
        CHECK(contains(entry, in_roff(row.help)));
        CHECK(contains(entry, "Default: " + in_roff(row.fallback)));
        CHECK(contains(entry, in_roff(row.environment)));
        CHECK(contains(entry, in_roff(row.also)));
    }
}

TEST_CASE("every setting is a row of the settings page") {
    const std::string page = settings_page();
    for (const OptionRow& row : option_table()) {
        CAPTURE(row.flag);
        const std::size_t at =
            page.find("| `" + with_metavar(row) + "` | " +
                      (row.environment.empty() ? "–" : "`" + std::string{row.environment}));
        REQUIRE(at != std::string::npos);
        const std::string line = page.substr(at, page.find('\n', at) - at);
        CHECK(contains(line, row.help));
        CHECK(contains(line, row.fallback));
        CHECK(contains(line, row.also));
        CHECK(std::count(line.begin(), line.end(), '|') == 5);
    }
}

TEST_CASE("every exit code is in the help, the man page and the settings page") {
    const std::string page = man_page();
    const std::string settings = settings_page();
    const std::string help = unwrapped(help_text());
    for (const ExitCodeRow& row : exit_code_table()) {
        CAPTURE(row.code);
        CHECK(contains(page, ".B " + in_roff(row.code) + "\n" + in_roff(row.meaning)));
        CHECK(contains(help, row.code + " " + std::string{row.meaning}));
        CHECK(contains(settings, "| " + std::string{row.code} + " | " + std::string{row.meaning} + " |"));
    }
}

TEST_CASE("every subcommand is in the help and the man page") {
    for (const Subcommand& subcommand : subcommands()) {
        CAPTURE(subcommand.name);
        CHECK(contains(help_text(), "  vm-launch " + std::string{subcommand.name}));
        CHECK(contains(unwrapped(help_text()), subcommand.help));
        CHECK(contains(man_page(), "\n.B " + in_roff(subcommand.name)));
    }
}

TEST_CASE("options that are no settings are in the help and the man page") {
    for (const char* flag : {"--config FILE", "--format FORMAT", "--help", "--version"}) {
        CAPTURE(flag);
        CHECK(contains(help_text(), std::string{"\n  "} + flag));
        CHECK(contains(man_page(), "\n.B " + in_roff(flag)));
    }
    CHECK(contains(help_text(), "$VM_LAUNCH_CONFIG"));
}

TEST_CASE("the help fits a terminal of 100 columns") {
    std::istringstream lines{help_text()};
    for (std::string line; std::getline(lines, line);) {
        CAPTURE(line);
        CHECK(replaced(line, "…", ".").size() <= 100);
        CHECK((line.empty() || line.back() != ' '));
    }
}

TEST_CASE("no line of the man page begins a request by accident") {
    std::istringstream lines{man_page()};
    for (std::string line; std::getline(lines, line);) {
        CAPTURE(line);
        const bool request = line.starts_with('.');
        const std::string word = line.substr(0, line.find(' '));
        const std::vector<std::string> known{".TH", ".SH", ".SS", ".TP", ".B",  ".BR", ".BI",
                                             ".I",  ".PP", ".nf", ".fi", ".IP", ".br"};
        CHECK((!request || contains(known, word)));
        CHECK_FALSE(line.starts_with('\''));
        CHECK(std::all_of(line.begin(), line.end(),
                          [](char c) { return static_cast<signed char>(c) >= 0x20; }));
    }
}

std::vector<std::string> examples_in(const std::string& page) {
    std::vector<std::string> examples;
    std::istringstream lines{page};
    bool verbatim = false;
    for (std::string line; std::getline(lines, line);) {
        verbatim = line == ".nf" || (verbatim && line != ".fi");
        line = replaced(replaced(line, "\\-", "-"), "\\e", "\\");
        if (verbatim && line.starts_with("vm-launch ")) {
            examples.push_back(line.substr(std::string{"vm-launch "}.size()));
        }
    }
    return examples;
}

TEST_CASE("every example of the man page is one that the command line takes, and every subcommand has one") {
    std::set<std::string> named;
    for (const std::string& example : examples_in(man_page())) {
        CAPTURE(example);
        const auto words = parse_shell_words(example);
        const ReadResult read = read_settings(
            words, {}, [](const std::string&) { return std::string{"{}"}; }, subcommands());
        CHECK(text_of(read.faults).empty());
        named.insert(read.command.subcommand);
    }
    for (const Subcommand& subcommand : subcommands()) {
        CAPTURE(subcommand.name);
        CHECK(named.contains(std::string{subcommand.name}));
        CHECK(subcommand.example.starts_with(subcommand.name));
        CHECK(contains(help_on(subcommand), "For example: vm-launch " + std::string{subcommand.example}));
    }
}

TEST_CASE("the man page has every variable, stage and file that it should") {
    const std::string page = man_page();
    const std::string variables =
        page.substr(page.find(".SH ENVIRONMENT"), page.find(".SH FILES") - page.find(".SH ENVIRONMENT"));
    for (const OptionRow& row : option_table()) {
        CAPTURE(row.flag);
        CHECK(contains(variables, std::string{row.environment}));
        CHECK(contains(variables, std::string{row.also}));
    }
    for (const char* name : {"VM_LAUNCH_CONFIG", "XDG_RUNTIME_DIR"}) {
        CHECK(contains(variables, name));
    }
    const std::string stages = page.substr(page.find(".SH STAGES"));
    for (const std::string_view name : boot::stage_names()) {
        CHECK(contains(stages, ".B " + std::string{name} + "\n" +
                                   std::string{boot::meaning_of(*boot::stage_named(name))}));
    }
    CHECK(contains(page, ".SH FILES\n.TP\n.I /run/vm"));
}

TEST_CASE("the version is a line of its own") {
    CHECK(version_line().starts_with("vm-launch "));
    CHECK(version_line().find_first_of("0123456789") == std::string{"vm-launch "}.size());
    CHECK_FALSE(contains(version_line(), "\n"));
    CHECK(contains(man_page(), "\"" + in_roff(version_line()) + "\""));
}

}  // namespace
}  // namespace vml
