#include "launcher/cases/judge.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.h"
#include "base/text.h"
#include "launcher/cases/report_view.h"
#include "launcher/cases/way.h"

namespace vml::cases {

namespace {

using nlohmann::json;

std::string namer_words(const SeenFile::Namer& namer) {
    return namer.server.empty() ? std::string{to_string(namer.by)}
                                : fmt::format("{} ({})", to_string(namer.by), printable(namer.server));
}

std::string namers_words(const SeenFile& file) {
    std::vector<std::string> words;
    for (const SeenFile::Namer& namer : file.namers) {
        words.push_back(namer_words(namer));
    }
    return listed(words, "and");
}

// Why files, and who named them, are not all known; none: they are.
struct Unknown {
    std::optional<std::string> files;
    std::optional<std::string> namers;
};

// Why this file, which has the URL, is not the one that was expected; none: it is.
std::optional<std::string> why_another(const ExpectedFile& wanted, const SeenFile& seen,
                                       const Unknown& unknown) {
    if (!seen.whole) {
        return "it did not come whole";
    }
    if (wanted.from && *wanted.from != seen.from && !(*wanted.from == "vm-launch" && seen.by_vm_launch)) {
        return fmt::format(
            "it came from {}, not from {}",
            seen.by_vm_launch ? fmt::format("vm-launch ({})", printable(seen.from)) : printable(seen.from),
            printable(*wanted.from));
    }
    if (!wanted.by && !wanted.offered) {
        return std::nullopt;
    }
    if (unknown.namers) {
        return fmt::format("who named it: not seen: {}", *unknown.namers);
    }
    const std::string wanted_words =
        wanted.by ? std::string{to_string(*wanted.by)} : "an offer of " + printable(*wanted.offered);
    if (seen.namers.empty()) {
        return fmt::format("who named it was not seen, expected {}", wanted_words);
    }
    const bool all = std::all_of(seen.namers.begin(), seen.namers.end(), [&](const SeenFile::Namer& namer) {
        return (!wanted.by || namer.by == *wanted.by) && (!wanted.offered || namer.server == *wanted.offered);
    });
    return all ? std::nullopt
               : std::optional{fmt::format("it was named by {}, not by {}", namers_words(seen),
                                           wanted.offered && wanted.by
                                               ? fmt::format("{} ({})", wanted_words, *wanted.offered)
                                               : wanted_words)};
}

std::string missing_words(const std::string& url, const std::vector<SeenFile>& files) {
    constexpr std::size_t most = 4;
    std::vector<std::string> fetched;
    for (const SeenFile& file : files) {
        if (file.whole && fetched.size() < most) {
            fetched.push_back(printable(file.url));
        }
    }
    return fmt::format("{} was not fetched; {}", printable(url),
                       fetched.empty() ? "nothing was" : "fetched was " + listed(fetched, "and"));
}

std::optional<std::string> why_not_fetched(const ExpectedFile& wanted, const std::vector<SeenFile>& files,
                                           const Unknown& unknown) {
    std::optional<std::string> why;
    for (const SeenFile& file : files) {
        if (!fits(wanted.url, file.url)) {
            continue;
        }
        const auto another = why_another(wanted, file, unknown);
        if (!another) {
            return std::nullopt;
        }
        why = fmt::format("{}: {}", printable(file.url), *another);
    }
    if (why) {
        return why;
    }
    return unknown.files ? fmt::format("{}: not seen: {}", printable(wanted.url), *unknown.files)
                         : missing_words(wanted.url, files);
}

std::string verdict_line(const json& report) {
    const auto verdict = report.is_object() ? report.find("verdict") : report.end();
    if (verdict != report.end() && verdict->is_object()) {
        const std::string why = text_at(*verdict, "why");
        return printable(text_at(*verdict, "what") + (why.empty() ? "" : ": " + why));
    }
    return report.is_object() ? printable(text_at(report, "summary")) : "";
}

// Of vm-launch's own words that of the failure: the last lines.
std::string last_lines(std::string_view text, std::size_t most) {
    std::string_view rest = text;
    while (rest.ends_with('\n')) {
        rest.remove_suffix(1);
    }
    std::size_t begin = rest.size();
    for (std::size_t lines = 0; lines < most && begin != std::string_view::npos && begin > 0; ++lines) {
        begin = rest.rfind('\n', begin - 1);
    }
    return std::string{begin == std::string_view::npos || begin == 0 ? rest : rest.substr(begin + 1)};
}

std::string exit_words(const Expectation& expect, const Evidence& evidence) {
    std::string words = fmt::format("exit code {}, expected {}", evidence.exit_code, expect.exit_code);
    const std::string verdict = verdict_line(evidence.report);
    if (evidence.exit_code != 0 && !verdict.empty()) {
        words += ": " + verdict;
    } else if (evidence.report.is_null() && !evidence.log.empty()) {
        constexpr std::size_t lines_of_a_fault = 3;  // what, why, hint
        words += ": " + printable(last_lines(evidence.log, lines_of_a_fault));
    }
    return words;
}

void check_stage(boot::Stage stage, const json& report, std::vector<std::string>& reasons) {
    if (!reached(report, stage)) {
        const auto furthest = furthest_stage(report);
        reasons.push_back(fmt::format("the stage {} was not reached; the furthest was {}",
                                      boot::name_of(stage), furthest ? boot::name_of(*furthest) : "none"));
    }
}

void check_seconds(double most, const json& report, std::vector<std::string>& reasons) {
    const auto lasted = time_at(report, "lasted");
    if (!lasted) {
        reasons.emplace_back("how long the boot took: not seen: there is no report");
    } else if (*lasted > most) {
        reasons.push_back(fmt::format("it took {:.1f} s, more than {:g} s", *lasted, most));
    }
}

void check_bytes(std::uint64_t most, const json& report, std::vector<std::string>& reasons) {
    const std::vector<SeenFile> files = fetched_files(report);
    const auto fetched =
        std::accumulate(files.begin(), files.end(), std::uint64_t{0},
                        [](std::uint64_t sum, const SeenFile& file) { return sum + file.bytes; });
    if (const auto unknown = why_files_are_unknown(report)) {
        reasons.push_back("the bytes that were fetched: not seen: " + *unknown);
    } else if (fetched > most) {
        reasons.push_back(fmt::format("{} bytes were fetched, more than {}", fetched, most));
    }
}

}  // namespace

bool fits(std::string_view wanted, std::string_view url) {
    std::size_t at = 0;
    std::size_t in = 0;
    std::size_t star = std::string_view::npos;
    std::size_t resume = 0;
    while (in < url.size()) {
        if (at < wanted.size() && wanted[at] == '*') {
            star = at++;
            resume = in;
        } else if (at < wanted.size() && wanted[at] == url[in]) {
            ++at;
            ++in;
        } else if (star != std::string_view::npos) {
            at = star + 1;
            in = ++resume;
        } else {
            return false;
        }
    }
    return wanted.find_first_not_of('*', at) == std::string_view::npos;
}

std::vector<std::string> unmet_files(const Expectation& expect, const json& report) {
    if (expect.fetched.empty() && expect.not_fetched.empty()) {
        return {};
    }
    std::vector<std::string> reasons;
    const std::vector<SeenFile> files = fetched_files(report);
    const Unknown unknown{why_files_are_unknown(report), why_namers_are_unknown(report)};
    for (const ExpectedFile& wanted : expect.fetched) {
        if (const auto why = why_not_fetched(wanted, files, unknown)) {
            reasons.push_back(*why);
        }
    }
    for (const std::string& unwanted : expect.not_fetched) {
        const auto found = std::find_if(files.begin(), files.end(), [&](const SeenFile& file) {
            return file.whole && fits(unwanted, file.url);
        });
        if (found != files.end()) {
            reasons.push_back(fmt::format("{} was fetched", printable(found->url)));
        } else if (unknown.files) {
            reasons.push_back(
                fmt::format("that {} was not fetched: not seen: {}", printable(unwanted), *unknown.files));
        }
    }
    return reasons;
}

std::vector<std::string> unmet(const Expectation& expect, const Evidence& evidence) {
    std::vector<std::string> reasons;
    if (evidence.overdue) {
        reasons.push_back(fmt::format("it had not ended after {:.0f} s, and was stopped", evidence.took));
    }
    if (evidence.exit_code != expect.exit_code) {
        reasons.push_back(exit_words(expect, evidence));
    }
    if (expect.stage) {
        check_stage(*expect.stage, evidence.report, reasons);
    }
    if (expect.console && !evidence.console_matched) {
        reasons.push_back(
            evidence.console_seen
                ? fmt::format("no line of the console matches {}", printable(*expect.console))
                : fmt::format("{}: not seen: the console said nothing", printable(*expect.console)));
    }
    if (expect.seconds) {
        check_seconds(*expect.seconds, evidence.report, reasons);
    }
    if (expect.bytes) {
        check_bytes(*expect.bytes, evidence.report, reasons);
    }
    for (std::string& reason : unmet_files(expect, evidence.report)) {
        reasons.push_back(std::move(reason));
    }
    for (std::string& reason : unmet_way(expect, evidence.report)) {
        reasons.push_back(std::move(reason));
    }
    return reasons;
}

Result result_of(const Cell& cell, const Evidence& evidence) {
    Result result{cell.name,          cell.vm,      Outcome::passed, unmet(cell.expect, evidence),
                  evidence.exit_code, evidence.took};
    result.outcome = result.reasons.empty() ? Outcome::passed : Outcome::failed;
    const auto furthest = furthest_stage(evidence.report);
    result.stage = furthest ? boot::name_of(*furthest) : "";
    result.verdict = verdict_line(evidence.report);
    result.stem = cell.stem;
    result.console = evidence.console;
    result.log = evidence.log;
    return result;
}

Tally tally_of(const std::vector<Result>& results) {
    const auto count = [&](Outcome outcome) {
        return static_cast<std::size_t>(std::count_if(
            results.begin(), results.end(), [&](const Result& each) { return each.outcome == outcome; }));
    };
    return {count(Outcome::passed), count(Outcome::failed), count(Outcome::skipped), count(Outcome::not_run)};
}

ExitCode exit_code_of(const std::vector<Result>& results) {
    const Tally tally = tally_of(results);
    if (tally.failed > 0) {
        return ExitCode::tests_failed;
    }
    return tally.passed > 0 ? ExitCode::ok : ExitCode::settings;
}

}  // namespace vml::cases
