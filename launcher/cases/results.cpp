#include "launcher/cases/results.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.h"
#include "base/logins.h"
#include "base/text.h"
#include "bootwatch/report.h"

namespace vml::cases {

namespace {

using nlohmann::ordered_json;

std::string_view word_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::passed:
            return "ok";
        case Outcome::failed:
            return "FAILED";
        case Outcome::skipped:
            return "skipped";
        case Outcome::not_run:
            return "not run";
    }
    return "";
}

std::string padded(const std::string& text, std::size_t width) {
    return text.size() >= width ? text : text + std::string(width - text.size(), ' ');
}

// Of a cell that ran: how long, with which exit code, how far.
std::string figures(const Result& result) {
    if (!result.exit_code) {
        return {};
    }
    return fmt::format("  {:7.1f} s  exit {:<3}  {:<8}", result.seconds, *result.exit_code,
                       result.stage.empty() ? "-" : result.stage);
}

// A line and, in YAML of which JSON's strings are a part, why.
std::string tap_line(std::size_t number, const Result& result) {
    std::string name;
    for (const char c : plain(result.name)) {
        name += c == '#' || c == '\\' ? fmt::format("\\{}", c) : std::string{c};
    }
    const bool good = result.outcome != Outcome::failed;
    std::string line = fmt::format("{} {} - {}", good ? "ok" : "not ok", number, name);
    if (result.outcome == Outcome::skipped || result.outcome == Outcome::not_run) {
        return fmt::format("{} # SKIP {}\n", line, plain(fmt::format("{}", fmt::join(result.reasons, "; "))));
    }
    line += "\n  ---\n";
    for (const std::string& reason : result.reasons) {
        line += fmt::format(
            "{}  - {}\n", &reason == &result.reasons.front() ? "  reasons:\n  " : "  ",
            ordered_json(plain(reason)).dump(-1, ' ', true, ordered_json::error_handler_t::replace));
    }
    return line + fmt::format("  seconds: {:.3f}\n  exit_code: {}\n  stage: {}\n  ...\n", result.seconds,
                              result.exit_code ? std::to_string(*result.exit_code) : "~",
                              result.stage.empty() ? "none" : result.stage);
}

}  // namespace

std::string plain(std::string_view text) {
    return printable(without_logins(text));
}

std::string as_line(const Result& result, std::size_t name_width) {
    std::string text = fmt::format("{:<7}  {}{}", word_of(result.outcome),
                                   padded(plain(result.name), name_width), figures(result));
    if (result.outcome == Outcome::skipped || result.outcome == Outcome::not_run) {
        return text + fmt::format("  {}\n", plain(fmt::format("{}", fmt::join(result.reasons, "; "))));
    }
    text += result.verdict.empty() ? "\n" : fmt::format("  {}\n", plain(result.verdict));
    for (const std::string& reason : result.reasons) {
        text += fmt::format("         {}\n", plain(reason));
    }
    return text;
}

std::string summary_line(const std::vector<Result>& results) {
    const Tally tally = tally_of(results);
    std::string text = fmt::format("{} VM{}: {} passed, {} failed", results.size(),
                                   results.size() == 1 ? "" : "s", tally.passed, tally.failed);
    text += tally.skipped == 0 ? "" : fmt::format(", {} skipped", tally.skipped);
    return text + (tally.not_run == 0 ? "" : fmt::format(", {} not run", tally.not_run)) + "\n";
}

ordered_json results_as_json(const std::vector<Result>& results) {
    const Tally tally = tally_of(results);
    return {
        {"format", "vm-launch-test-results"},
        {"version", 1},
        {"passed", tally.passed},
        {"failed", tally.failed},
        {"skipped", tally.skipped},
        {"not_run", tally.not_run},
        {"results", list_of(results, [](const Result& each) {
             return ordered_json{
                 {"name", plain(each.name)},
                 {"vm", each.vm},
                 {"outcome", to_string(each.outcome)},
                 {"reasons", list_of(each.reasons,
                                     [](const std::string& reason) { return ordered_json(plain(reason)); })},
                 {"exit_code", each.exit_code ? ordered_json(*each.exit_code) : ordered_json(nullptr)},
                 {"seconds", boot::rounded(each.seconds)},
                 {"stage", each.stage.empty() ? ordered_json(nullptr) : ordered_json(each.stage)},
                 {"verdict", plain(each.verdict)},
                 {"files", each.stem}};
         })}};
}

std::string results_as_tap(const std::vector<Result>& results) {
    std::string text = fmt::format("TAP version 13\n1..{}\n", results.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
        text += tap_line(i + 1, results[i]);
    }
    return text;
}

}  // namespace vml::cases
