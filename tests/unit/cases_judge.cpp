// A run's report against what was expected: what was not seen passes nothing.
#include "launcher/cases/judge.h"
#include "launcher/cases/progress.h"
#include "launcher/cases/report_view.h"
#include "tests/unit/cases_support.h"

namespace vml::cases::test {
namespace {

using nlohmann::json;

// A boot of a ProxyDHCP server's iPXE, whose script chains another one.
json a_report() {
    return json::parse(R"({"lasted": 12.5, "exit_code": 0, "summary": "the boot reached os", "verdict": null,
        "nics": [{"id": "net0", "watched": true}], "lost_frames": 0,
        "boots": [{"stages": [{"stage": "address", "reached": true}, {"stage": "kernel", "reached": true},
                              {"stage": "os", "reached": false}],
            "left_out": {"fetches": 0},
            "dhcp": [
              {"acknowledged": {"at": 1, "server": "10.0.0.1", "proxy": false, "file": ""},
               "own_offer": null, "offers": [
                  {"at": 1, "server": "10.0.0.1", "proxy": false, "file": "other.efi"},
                  {"at": 1, "server": "10.0.0.2", "proxy": true, "next_server": null, "file": "/ipxe.efi"}]},
              {"acknowledged": {"at": 3, "server": "10.0.0.1", "proxy": false, "next_server": "10.0.0.9",
                                "file": "http://10.0.0.9/boot.ipxe"}, "offers": []}],
            "fetches": [
              {"url": "tftp://10.0.0.2/ipxe.efi", "protocol": "tftp-size", "server": "10.0.0.2", "began": 2, "state": "done", "bytes": 7},
              {"url": "tftp://10.0.0.2/ipxe.efi", "protocol": "tftp", "server": "10.0.0.2", "began": 2, "ended": 2.5, "state": "done", "bytes": 100, "content": "efi-x86_64"},
              {"url": "http://10.0.0.9/boot.ipxe", "protocol": "http", "server": "10.0.0.9", "began": 4, "ended": 4.5, "state": "done", "bytes": 50, "content": "ipxe-script", "by_vm_launch": true},
              {"url": "http://10.0.0.9/52-54.ipxe", "protocol": "http", "server": "10.0.0.9", "began": 5, "ended": 5, "state": "done", "bytes": 10, "expected_bytes": 40, "content": "ipxe-script"},
              {"url": "http://10.0.0.9/none", "protocol": "http", "server": "10.0.0.9", "began": 6, "ended": 6, "state": "failed", "bytes": 0}]}]})");
}

Evidence evidence_of(json report, int exit_code = 0) {
    Evidence evidence;
    evidence.exit_code = exit_code;
    evidence.report = std::move(report);
    return evidence;
}

std::string why(const Expectation& expect, json report = a_report(), int exit_code = 0) {
    std::string text;
    for (const std::string& reason : unmet(expect, evidence_of(std::move(report), exit_code))) {
        text += reason + "\n";
    }
    return text;
}

Expectation files(std::vector<ExpectedFile> fetched, std::vector<std::string> not_fetched = {}) {
    Expectation expect;
    expect.fetched = std::move(fetched);
    expect.not_fetched = std::move(not_fetched);
    return expect;
}

TEST_CASE("a star stands for any text") {
    CHECK(fits("a", "a"));
    CHECK_FALSE(fits("a", "ab"));
    CHECK_FALSE(fits("ab", "a"));
    CHECK(fits("*", ""));
    CHECK(fits("http://*/x", "http://10.0.0.1:80/a/x"));
    CHECK_FALSE(fits("http://*/x", "http://10.0.0.1/xy"));
    CHECK(fits("*ab*ab", "abxababab"));
    CHECK_FALSE(fits("*ab*c", "ababab"));
    CHECK(fits("a**", "a"));
    CHECK_FALSE(fits(std::string(200, '*') + "b", std::string(20000, 'a')));
}

TEST_CASE("what was asked for and what came") {
    CHECK(why({}).empty());
    Expectation expect;
    expect.stage = boot::Stage::kernel;
    expect.seconds = 13;
    expect.bytes = 190;  // what came whole had its told size; the question for a size is none
    CHECK(why(expect).empty());
    expect.stage = boot::Stage::os;  // told in its context is not reached
    expect.seconds = 12;
    expect.bytes = 189;
    const std::string text = why(expect);
    CHECK(contains(text, "the stage os was not reached; the furthest was kernel"));
    CHECK(contains(text, "it took 12.5 s, more than 12 s"));
    CHECK(contains(text, "190 bytes were fetched, more than 189"));
}

TEST_CASE("the exit code, with the verdict") {
    json report = a_report();
    report["verdict"] = {{"what", "the boot failed"}, {"why", "404 Not Found"}, {"hint", "h"}, {"code", 13}};
    CHECK(contains(why({}, report, 13), "exit code 13, expected 0: the boot failed: 404 Not Found"));
    Expectation expect;
    expect.exit_code = 13;
    CHECK(why(expect, report, 13).empty());
    CHECK(contains(why(expect, report, 0), "exit code 0, expected 13"));
}

TEST_CASE("without a report vm-launch's own last words are told") {
    Evidence evidence = evidence_of(nullptr, 3);
    evidence.log =
        "vm-launch: one\nvm-launch: error: no bridge br9\n  why:  it is not there\n  hint: make it\n";
    const std::vector<std::string> reasons = unmet({}, evidence);
    REQUIRE(reasons.size() == 1);
    CHECK(contains(reasons.front(), "no bridge br9"));
    CHECK_FALSE(contains(reasons.front(), "one"));
}

TEST_CASE("which files, from where, and who named them") {
    CHECK(why(files({{"http://10.0.0.9/52-54.ipxe"}, {"tftp://*/ipxe.efi"}})).empty());
    CHECK(why(files({{"*/ipxe.efi", "10.0.0.2", NamedBy::proxydhcp, "10.0.0.2"},
                     {"*/boot.ipxe", "vm-launch", NamedBy::dhcp, "10.0.0.1"},
                     {"*/52-54.ipxe", "10.0.0.9", NamedBy::script}},
                    {"*/none", "*.iso"}))
              .empty());
    CHECK(contains(why(files({{"*/per-machine.ipxe"}})),
                   "*/per-machine.ipxe was not fetched; fetched was tftp://10.0.0.2/ipxe.efi"));
    CHECK(contains(why(files({{"*/none"}})), "http://10.0.0.9/none: it did not come whole"));
    CHECK(contains(why(files({{"*/ipxe.efi", {}, NamedBy::dhcp}})),
                   "it was named by proxydhcp (10.0.0.2), not by dhcp"));
    CHECK(contains(why(files({{"*/ipxe.efi", {}, {}, "10.0.0.1"}})), "not by an offer of 10.0.0.1"));
    CHECK(contains(why(files({{"*/boot.ipxe", "10.0.0.1"}})),
                   "it came from vm-launch (10.0.0.9), not from 10.0.0.1"));
    CHECK(contains(why(files({}, {"*.ipxe"})), "http://10.0.0.9/boot.ipxe was fetched"));
}

TEST_CASE("a file that two servers name is neither's") {
    json report = a_report();
    report["boots"][0]["dhcp"][0]["acknowledged"]["file"] = "ipxe.efi";
    report["boots"][0]["dhcp"][0]["acknowledged"]["next_server"] = "10.0.0.2";
    CHECK(contains(why(files({{"*/ipxe.efi", {}, NamedBy::proxydhcp}}), report),
                   "it was named by dhcp (10.0.0.1) and proxydhcp (10.0.0.2), not by proxydhcp"));
}

TEST_CASE("an offer that came after the question named nothing") {
    json report = a_report();
    report["boots"][0]["dhcp"][0]["offers"][1]["at"] = 3;
    CHECK(contains(why(files({{"*/ipxe.efi", {}, NamedBy::proxydhcp}}), report),
                   "who named it was not seen, expected proxydhcp"));
}

TEST_CASE("what could not be seen fails an expectation about it") {
    Expectation expect = files({{"*/other"}}, {"*/iso"});
    expect.bytes = 1000000;
    json blind = a_report();
    blind["nics"][0]["watched"] = false;
    json lossy = a_report();
    lossy["lost_frames"] = 3;
    json cut = a_report();
    cut["boots"][0]["left_out"]["fetches"] = 1;
    json half_blind = a_report();
    half_blind["nics"].push_back({{"id", "net1"}, {"watched", false}});
    json rebooted = a_report();
    rebooted["boots"][0]["left_out"]["boots"] = 2;
    json never = a_report();
    never["boots"] = json::array();
    for (const auto& [report, words] :
         {std::pair{blind, "could not be watched"}, std::pair{lossy, "3 of the guest's packets"},
          std::pair{cut, "more fetches than"}, std::pair{half_blind, "could not be watched"},
          std::pair{rebooted, "more boots than"}, std::pair{never, "never ran"},
          std::pair{json(nullptr), "never ran"}}) {
        const std::vector<std::string> reasons = unmet(expect, evidence_of(report));
        INFO(words);
        REQUIRE(reasons.size() == 3);
        for (const std::string& reason : reasons) {
            CHECK(contains(reason, "not seen: "));
            CHECK(contains(reason, words));
        }
    }
    CHECK(why(files({{"*/boot.ipxe"}}), blind).empty());  // iPXE's own words are evidence too
    Expectation timed;
    timed.seconds = 1;
    CHECK(contains(why(timed, nullptr), "not seen"));
}

TEST_CASE("an offer that was not seen may have named the file too") {
    json lossy = a_report();
    lossy["lost_frames"] = 3;
    json half_blind = a_report();
    half_blind["nics"].push_back({{"id", "net1"}, {"watched", false}});
    json talks = a_report();
    talks["boots"][0]["left_out"]["dhcp"] = 1;
    json offers = a_report();
    offers["boots"][0]["left_out"]["offers"] = 1;
    const std::vector<ExpectedFile> named{{"*/ipxe.efi", {}, NamedBy::proxydhcp},
                                          {"*/boot.ipxe", {}, {}, "10.0.0.1"},
                                          {"*/52-54.ipxe", {}, NamedBy::script}};
    for (const json& report : {lossy, half_blind, talks, offers}) {
        for (const ExpectedFile& file : named) {
            INFO(file.url);
            CHECK(contains(why(files({file}), report), "who named it: not seen: "));
            CHECK(why(files({{file.url}}), report).empty());
        }
    }
}

TEST_CASE("a run that had to be stopped met nothing") {
    Evidence evidence = evidence_of(a_report());
    evidence.overdue = true;
    evidence.took = 61.2;
    const std::vector<std::string> reasons = unmet({}, evidence);
    REQUIRE(reasons.size() == 1);
    CHECK(reasons.front() == "it had not ended after 61 s, and was stopped");
}

TEST_CASE("a report of another shape is no evidence, and no crash") {
    Expectation expect = files({{"*"}}, {"*"});
    expect.stage = boot::Stage::os;
    expect.seconds = 1;
    expect.bytes = 1;
    for (const char* text :
         {"[]", "7", R"({"boots": 1})", R"({"boots": [1, {"fetches": {}, "stages": [[]], "dhcp": "x"}]})",
          R"({"boots": [{"fetches": [{"url": 1, "state": [], "began": "x", "bytes": -1}],
                                 "dhcp": [{"offers": [7], "acknowledged": 3}]}], "nics": {}, "lasted": "x"})"}) {
        INFO(text);
        CHECK(unmet(expect, evidence_of(json::parse(text))).size() >= 4);
    }
}

TEST_CASE("the console's lines are looked at as they come, however they are cut") {
    Progress progress{"^Debian .* login:$"};
    progress.console("GRUB\r\nDebian GNU/Linux 12 x ");
    CHECK_FALSE(progress.console_matched());
    progress.console("login:\r\nmore\n");
    CHECK(progress.console_matched());
    Progress prompt{"login:"};
    prompt.console("web login: ");
    prompt.finish();
    CHECK(prompt.console_matched());
    Progress none{std::nullopt};
    none.finish();
    CHECK_FALSE(none.console_seen());
}

TEST_CASE("a line is cut to the terminal's columns") {
    CHECK(cut_to_columns("abc", 3) == "abc");
    CHECK(cut_to_columns("abcd", 3) == "abc");
    CHECK(cut_to_columns("\xc3\xa4\xc3\xb6\xc3\xbc", 2) == "\xc3\xa4\xc3\xb6");
    CHECK(cut_to_columns("\xe6\x97\xa5\xe6\x9c\xac", 3) == "\xe6\x97\xa5");
    CHECK(cut_to_columns("\xff\xff", 1) == "\xff");
    CHECK(cut_to_columns("a", 0).empty());
}

TEST_CASE("output without end takes no memory without end") {
    Progress progress{"x"};
    const std::string much(std::size_t{1} << 20, 'a');
    for (int i = 0; i < 32; ++i) {
        progress.console(much);
        progress.log(much);
        progress.events(much);
    }
    CHECK(progress.console_tail().size() <= (std::size_t{16} << 10));
    CHECK(progress.log_tail().size() <= (std::size_t{16} << 10));
    CHECK(progress.stage().empty());
}

TEST_CASE("the stage is the latest that was reached in the boot that runs") {
    Progress progress{std::nullopt};
    progress.events(R"({"event": "stage", "stage": "rom", "detail": "iPXE \u001b[2J", "reached": true})"
                    "\nrubbish\n");
    CHECK(contains(progress.stage(), "rom"));
    CHECK_FALSE(contains(progress.stage(), "\x1b"));
    progress.events(R"({"event": "stage", "stage": "os", "detail": "", "reached": false})"
                    "\n");
    CHECK(contains(progress.stage(), "rom"));
    progress.events("{\"event\": \"boot\"}\n");
    CHECK(progress.stage().empty());
}

}  // namespace
}  // namespace vml::cases::test
