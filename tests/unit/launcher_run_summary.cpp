// What a run's log ends with.
#include <string>
#include <vector>

#include "launcher/run/run_report.h"
#include "launcher/run/run_summary.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

using Lines = std::vector<std::string>;

boot::Boot boot_that_reached(boot::Stage stage, double began, double at) {
    boot::Boot boot;
    boot.began = began;
    boot.marks = {{boot::Stage::machine, began, boot::Proof::qemu, ""},
                  {stage, at, boot::Proof::console, ""}};
    return boot;
}

RunSummary summary_of_run(const std::vector<boot::Boot>& boots, double lasted = 60) {
    boot::ReportHead head;
    head.lasted = lasted;
    return summarised(head, boots, {"boot.json", "a b.html"});
}

TEST_CASE("a run that went well: stage, bytes, reports, and where the time went") {
    boot::Boot boot = boot_that_reached(boot::Stage::os, 0, 23.4);
    boot.marks.push_back({boot::Stage::kernel, 20.4, boot::Proof::console, ""});
    boot::Fetch fetch;
    fetch.url = "http://h/vmlinuz";
    fetch.began = 1;
    fetch.answered = 1;
    fetch.ended = 3;
    fetch.latest = 3;
    fetch.received = 12'000'000;
    fetch.state = boot::FetchState::done;
    boot.fetches = {fetch};
    CHECK(lines_of(summary_of_run({boot}), HowItEnded::well) ==
          Lines{"✓ reached os in 23.4 s; 12.0 MB fetched; report: boot.json, a b.html",
                "where the time went: kernel 3.00 s; vmlinuz 2.00 s"});
}

TEST_CASE("a machine that never ran has no boot to tell of") {
    CHECK(lines_of({}, HowItEnded::well).empty());
    CHECK(lines_of(summary_of_run({}), HowItEnded::failed) == Lines{"report: boot.json, a b.html"});
    CHECK(lines_of(summary_of_run({boot::Boot{}}), HowItEnded::failed) ==
          Lines{"report: boot.json, a b.html"});
    CHECK(console_below({}, {"w", "y", "h"}).empty());
}

TEST_CASE("a run has gone well only where it came to what it was to, and nothing was forced") {
    const supervise::Config any;
    supervise::Config waits;
    waits.until = "os";
    supervise::State state;
    const supervise::Finish good{0, std::nullopt, "the guest powered off"};
    CHECK(how_it_ended(good, any, state) == HowItEnded::well);
    CHECK(how_it_ended(good, waits, state) == HowItEnded::stopped);
    state.until_reached = true;
    CHECK(how_it_ended(good, waits, state) == HowItEnded::well);
    state.forced = true;
    CHECK(how_it_ended(good, waits, state) == HowItEnded::stopped);
    state.forced = false;
    CHECK(how_it_ended({5, std::nullopt, "the guest powered off"}, any, state) == HowItEnded::stopped);
    CHECK(how_it_ended({4, Fault{"what", "", "", ExitCode::qemu}, ""}, any, state) == HowItEnded::failed);
}

TEST_CASE("a machine that came no further is told of where the run failed") {
    boot::Boot boot;
    boot.marks = {{boot::Stage::machine, 0, boot::Proof::qemu, ""}};
    RunSummary summary = summary_of_run({boot});
    CHECK(lines_of(summary, HowItEnded::failed).at(0) ==
          "reached machine in 0 ms; report: boot.json, a b.html");
    CHECK(lines_of(summary, HowItEnded::well).at(0) == "report: boot.json, a b.html");
    summary.reports.clear();
    summary.spent.clear();
    CHECK(lines_of(summary, HowItEnded::stopped).empty());
}

TEST_CASE("the line of the end is in the log for programs whatever its level") {
    std::string text;
    for (const LogFormat format : {LogFormat::json, LogFormat::text}) {
        Log log{LogLevel::error, format, [&](std::string_view line) { text += line; }};
        say_end({0, std::nullopt, "the guest powered off"}, HowItEnded::well, {}, log);
    }
    const auto line = nlohmann::json::parse(text);
    CHECK(line["event"] == "end");
    CHECK(line["level"] == "info");
    CHECK(line["exit_code"] == 0);
}

TEST_CASE("a boot that was reset as soon as it began is not told for the one before") {
    boot::Boot first = boot_that_reached(boot::Stage::firmware, 0, 1);
    first.ended = 9;
    first.console.line("last words");
    boot::Boot second = boot_that_reached(boot::Stage::address, 9, 12);
    second.console.line("no answer");
    boot::Boot third;
    third.began = 20;
    third.marks = {{boot::Stage::machine, 20, boot::Proof::qemu, ""}};
    const RunSummary summary = summary_of_run({first, second, third});
    CHECK(lines_of(summary, HowItEnded::failed).at(0) ==
          "reached dhcp in 3.00 s (boot 2); report: boot.json, a b.html");
    CHECK(summary.console == Lines{"no answer"});
    first.left_out.boots = 7;
    CHECK(summary_of_run({first, second}).boot == 9);
}

TEST_CASE("the console's last five lines stand below a fault, as text alone") {
    boot::Boot boot = boot_that_reached(boot::Stage::firmware, 0, 1);
    for (const char* line : {"1", "2", "3 http://me:secret@h/", "4\xff", "5\x1b[2J", "6"}) {
        boot.console.line(line);
    }
    const RunSummary summary = summary_of_run({boot});
    CHECK(console_below(summary, {"what", "why", "hint"}) ==
          "  console: 2\n           3 http://***@h/\n           4\\xff\n           5\\x1b[2J\n           6");
    CHECK(as_json(summary)["console"].size() == 5);
}

TEST_CASE("fault, console and summary together have ten lines at most") {
    boot::Boot boot = boot_that_reached(boot::Stage::kernel, 0, 3);
    for (int number = 0; number < 9; ++number) {
        boot.console.line(std::to_string(number));
    }
    const RunSummary summary = summary_of_run({boot});
    for (const char* why : {"", "one", "one\ntwo", "1\n2\n3\n4\n5\n6", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10"}) {
        const Fault fault{"what", why, "hint"};
        const std::string below = console_below(summary, fault);
        const auto count = [](const std::string& text) {
            return text.empty() ? 0 : std::count(text.begin(), text.end(), '\n') + 1;
        };
        const auto all = count(to_text(fault)) + count(below) +
                         static_cast<std::ptrdiff_t>(lines_of(summary, HowItEnded::failed).size());
        CAPTURE(why, below);
        CHECK(all <= std::max<std::ptrdiff_t>(10, count(to_text(fault)) + 2));
        CHECK((count(below) == 5) == (std::string_view{why}.size() <= 3));
    }
}

TEST_CASE("the summary for programs") {
    CHECK(as_json({}) == nlohmann::ordered_json::parse(
                             R"({"reached": null, "reached_after": 0.0, "boot": 1, "fetched_bytes": 0,
                                 "spent": [], "reports": [], "console": []})"));
    const auto json = as_json(summary_of_run({boot_that_reached(boot::Stage::kernel, 0, 3)}, 5));
    CHECK(json["reached"] == "kernel");
    CHECK(json["reached_after"] == 3.0);
    CHECK(json["spent"][0]["what"] == "kernel");
    CHECK(json["spent"][0]["seconds"] == 2.0);
    CHECK(json["reports"][1] == "a b.html");
}

}  // namespace
}  // namespace vml
