// Results as text, JSON, TAP, JUnit and a page: whatever guests and networks say in them stays in its place.
#include "bootwatch/report.h"
#include "bootwatch/report_page.h"
#include "launcher/cases/results.h"
#include "tests/unit/cases_support.h"

namespace vml::cases::test {
namespace {

const std::string hostile = "a<b>&\"]]>\x1b[2J\xff#\n# http://user:pass@host/";

std::vector<Result> some_results() {
    Result passed{"bios", "test-1", Outcome::passed, {}, 0, 12.25, "os", "the boot reached os", "01-bios"};
    Result failed{hostile, "test-2", Outcome::failed, {"exit code 13, expected 0: " + hostile, "two"},
                  13,      3.5};
    failed.console = "line one\n" + hostile + "\n";
    failed.log = hostile;
    Result skipped{"secure", "test-3", Outcome::skipped, {"no Secure Boot on pc"}};
    Result left{"last", "test-4", Outcome::not_run, {"the test was stopped before its turn"}};
    return {passed, failed, skipped, left};
}

bool has_controls(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) { return c != '\n' && c >= 0 && c < ' '; });
}

TEST_CASE("lines for people") {
    const std::vector<Result> results = some_results();
    CHECK(as_line(results[0], 6) == "ok       bios       12.2 s  exit 0    os        the boot reached os\n");
    const std::string failed = as_line(results[1], 6);
    CHECK(contains(failed, "FAILED"));
    CHECK(contains(failed, "\n         two\n"));
    CHECK_FALSE(has_controls(failed));
    CHECK_FALSE(contains(failed, "pass@"));
    CHECK(as_line(results[2], 6) == "skipped  secure  no Secure Boot on pc\n");
    CHECK(summary_line(results) == "4 VMs: 1 passed, 1 failed, 1 skipped, 1 not run\n");
    CHECK(summary_line({results[0]}) == "1 VM: 1 passed, 0 failed\n");
}

TEST_CASE("what failed decides the exit code, and what was only skipped is no success") {
    const std::vector<Result> results = some_results();
    CHECK(exit_code_of(results) == ExitCode::tests_failed);
    CHECK(exit_code_of({results[0], results[2]}) == ExitCode::ok);
    CHECK(exit_code_of({results[2]}) == ExitCode::settings);
}

TEST_CASE("TAP has a line each") {
    const std::string tap = results_as_tap(some_results());
    CHECK(tap.starts_with("TAP version 13\n1..4\nok 1 - bios\n  ---\n  seconds: 12.250\n"));
    CHECK(contains(tap, "\nnot ok 2 - a<b>&"));
    CHECK(contains(tap, "\\#"));
    CHECK(contains(tap, "\n    - \"two\"\n"));
    CHECK(contains(tap, "\nok 3 - secure # SKIP no Secure Boot on pc\n"));
    CHECK(contains(tap, "\nok 4 - last # SKIP the test was stopped before its turn\n"));
    CHECK_FALSE(has_controls(tap));
    CHECK(std::count(tap.begin(), tap.end(), '\n') == 19);
}

TEST_CASE("TAP has no exit code of what was never started") {
    const Result unstarted{"a", "test-1", Outcome::failed, {"cannot start"}};
    CHECK(contains(results_as_tap({unstarted}), "\n  exit_code: ~\n"));
}

TEST_CASE("JUnit's text is text") {
    const std::string xml = results_as_junit(some_results());
    CHECK(contains(xml, R"(<testsuites tests="4" failures="1" errors="0" skipped="2" time="15.750">)"));
    CHECK(contains(xml, "a&lt;b&gt;&amp;&quot;]]&gt;"));
    CHECK(contains(xml, "<system-out>line one\n"));
    CHECK_FALSE(has_controls(xml));
    CHECK_FALSE(contains(xml, "\xff"));
    CHECK_FALSE(contains(xml, "pass@"));
    CHECK_FALSE(contains(results_as_junit({Result{"\xef\xbf\xbf", "v", Outcome::passed}}), "\xef\xbf\xbf"));
}

TEST_CASE("JSON for programs") {
    const auto document = results_as_json(some_results());
    CHECK(document["failed"] == 1);
    CHECK(document["results"][0]["exit_code"] == 0);
    CHECK(document["results"][2]["exit_code"].is_null());
    CHECK(document["results"][3]["outcome"] == "not run");
    CHECK_FALSE(contains(document.dump(), "pass@"));
}

TEST_CASE("the page has each report's own waterfalls, and no more of it") {
    boot::Boot boot;
    boot.marks.push_back({boot::Stage::firmware, 0.5, boot::Proof::console, "<div class=\"waterfall\">"});
    boot::ReportHead head;
    head.name = "</div> <svg";
    head.started = "now";
    head.lasted = 2;
    const std::string page = boot::report_as_html(head, {boot, boot});
    const std::vector<std::string> waterfalls = boot::waterfalls_in(page);
    REQUIRE(waterfalls.size() == 2);
    CHECK(waterfalls.front().starts_with("<svg"));
    CHECK(waterfalls.front().ends_with("</svg>\n"));
    CHECK(boot::waterfalls_in("").empty());
    const std::string index = results_as_page(some_results(), {{"01-bios", waterfalls}});
    CHECK(contains(index, waterfalls.front()));
    CHECK(contains(index, "href=\"01-bios.html\""));
    CHECK(contains(index, "a&lt;b&gt;"));
    CHECK_FALSE(contains(index, "<b>&\""));
    CHECK_FALSE(contains(index, "pass@"));
    const std::string cut = results_as_page(some_results(), {{"01-bios", {std::string(1U << 20U, 'x')}}});
    CHECK(contains(cut, "there is more in its own report"));
    CHECK(cut.size() < (1U << 18U));
}

}  // namespace
}  // namespace vml::cases::test
