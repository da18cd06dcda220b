// The record as documents.
#include <algorithm>
#include <string>

#include "bootwatch/report.h"
#include "bootwatch/report_page.h"
#include "bootwatch/verdict.h"
#include "tests/unit/bootwatch_evidence.h"
#include "tests/unit/bootwatch_machine.h"
#include "tests/unit/catch.h"

namespace vml::boot {
namespace {

ReportHead head() {
    ReportHead head;
    head.name = "vm<1>";
    head.started = "2026-01-02T03:04:05Z";
    head.machine = "q35";
    head.firmware = "legacy";
    head.accelerator = "tcg";
    head.boot_order = {"net0", "disk0"};
    head.nics = {
        {"net0", "52:54:00:00:00:01", "virtio", "bridge br0", "/usr/lib/ipxe/qemu/pxe-virtio.rom", true}};
    head.lasted = 40;
    head.summary = "the guest came to os";
    head.versions = {"1.2.3", "10.0.2 (Debian)", "6.12.1", "/usr/share/OVMF/CODE.fd"};
    head.command = "BOOT_ORDER=network vm-launch --ipxe --vnc-password '***'";
    return head;
}

// The JSON in the page, as a browser hands it to a program: the text of the script, which ends at the first
// "</script", whatever the JSON says.
nlohmann::json data_in(const std::string& page) {
    const std::string begin = R"(<script type="application/json" id="report">)";
    const std::size_t at = page.find(begin);
    REQUIRE(at != std::string::npos);
    REQUIRE(page.find("<script", at + 1) == std::string::npos);
    const std::size_t from = at + begin.size();
    return nlohmann::json::parse(page.substr(from, page.find("</script", from) - from));
}

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++count;
    }
    return count;
}

Bar bar_named(const std::vector<Bar>& bars, const std::string& label) {
    const auto found =
        std::find_if(bars.begin(), bars.end(), [&](const Bar& bar) { return bar.label == label; });
    REQUIRE(found != bars.end());
    return *found;
}

TEST_CASE("JSON: everything of a good boot") {
    Timeline timeline = recorded("normal");
    const auto report = report_as_json(head(), timeline.boots());
    CHECK(report["format"] == "vm-launch-boot-report");
    CHECK(report["version"] == 1);
    CHECK(report["exit_code"] == 0);
    CHECK(report["verdict"].is_null());
    CHECK(report["nics"][0]["network"] == "bridge br0");
    const auto& boot = report["boots"][0];
    CHECK(boot["stages"][0]["stage"] == "machine");
    CHECK(boot["stages"].back()["stage"] == "os");
    CHECK(boot["dhcp"][0]["client"] == "iPXE");
    CHECK(boot["dhcp"][0]["offers"][0]["server"] == "10.77.0.1");
    CHECK(boot["dhcp"][0]["acknowledged"]["address"] == "10.77.0.70");
    CHECK(boot["dhcp"][0]["acknowledged"]["file"] == "boot.ipxe");
    CHECK(boot["fetches"][1]["url"] == "http://10.77.0.1/vmlinuz");
    CHECK(boot["fetches"][1]["http_status"] == 200);
    CHECK(boot["fetches"][1]["content"] == "linux-x86");
    CHECK(boot["fetches"][1]["bytes"] == boot["fetches"][1]["expected_bytes"]);
    CHECK(boot["turn"] == "none");
    CHECK(boot["router"]["advertised"].is_null());
}

TEST_CASE("JSON: the verdict of a boot that failed, and iPXE's words explained") {
    Timeline timeline = recorded("http404");
    ReportHead failed = head();
    failed.fault = Fault{"cannot fetch x", "404", "look", ExitCode::fetch_failed};
    failed.exit_code = 13;
    const auto report = report_as_json(failed, timeline.boots());
    CHECK(report["verdict"]["code"] == 13);
    CHECK(report["boots"][0]["ipxe_errors"][0]["number"] == "2d0c613b");
    CHECK(report["boots"][0]["ipxe_errors"][0]["meaning"] == "HTTP 404: the server has no such file");
    CHECK(report["boots"][0]["turn"] == "dead-end");
}

TEST_CASE("HTML: one page that needs nothing else, and whose texts cannot break out") {
    Timeline timeline = recorded("normal");
    ReportHead evil = head();
    evil.fault = Fault{"<script>alert(1)</script>", "a & b", "\"quoted\"", ExitCode::fetch_failed};
    const std::string page = report_as_html(evil, timeline.boots());
    CHECK(page.starts_with("<!DOCTYPE html>"));
    CHECK(page.ends_with("</html>\n"));
    CHECK(count_of(page, "<script") == 1);
    CHECK(data_in(page)["verdict"]["what"] == "<script>alert(1)</script>");
    CHECK(page.find("vm&lt;1&gt;") != std::string::npos);
    CHECK(page.find("a &amp; b") != std::string::npos);
    CHECK(page.find("&quot;quoted&quot;") != std::string::npos);
    CHECK(page.find("<svg") != std::string::npos);
    CHECK(page.find("waiting for an IPv6 router") != std::string::npos);
    CHECK(page.find(">vmlinuz<") != std::string::npos);
    for (const char* outside :
         {"src=", "href=", "url(", "@import", "<link", "<iframe", "<img", "javascript:"}) {
        INFO(outside);
        CHECK(page.find(outside) == std::string::npos);
    }
}

TEST_CASE("HTML: bytes that are no UTF-8 are replaced, and what is stays") {
    ReportHead odd = head();
    odd.summary =
        "a\xff"
        "b \xe2\x82 \xed\xa0\x80 \xc3\xa4 \xf0\x9f\x98\x80 c\xc3";
    const std::string page = report_as_html(odd, {Boot{}});
    const std::string none = "\xef\xbf\xbd";
    CHECK(page.find("a" + none + "b " + none + none + " " + none + none + none +
                    " \xc3\xa4 \xf0\x9f\x98\x80 c" + none + "<") != std::string::npos);
}

TEST_CASE("JSON: versions, the command, the first byte of each answer, and the console's last lines") {
    Timeline timeline = recorded("normal");
    const auto report = report_as_json(head(), timeline.boots());
    CHECK(report["versions"]["vm_launch"] == "1.2.3");
    CHECK(report["versions"]["qemu"] == "10.0.2 (Debian)");
    CHECK(report["versions"]["kernel"] == "6.12.1");
    CHECK(report["versions"]["firmware_file"] == "/usr/share/OVMF/CODE.fd");
    CHECK(report["command"] == head().command);
    const auto& boot = report["boots"][0];
    CHECK(boot["firmware"] == "SeaBIOS 1.16.2-debian-1.16.2-1");
    REQUIRE_FALSE(boot["fetches"].empty());
    for (const auto& fetch : boot["fetches"]) {
        CHECK(fetch["answered"] >= fetch["began"]);
        CHECK(fetch["answered"] <= fetch["ended"]);
    }
    REQUIRE_FALSE(boot["console"].empty());
    CHECK(boot["console"].size() <= ConsoleTail::most_lines);
}

TEST_CASE("HTML: the JSON in the page is the report's, whatever its texts are") {
    const std::string attack = "</script><script>alert(1)</script><!-- <script \"'& ]]> \x01\x7f\xff \u2028";
    Boot boot;
    boot.marks.push_back({Stage::fetch, 1, Proof::wire, attack});
    Fetch fetch;
    fetch.protocol = "http";
    fetch.url = "http://h/" + attack;
    boot.fetches.push_back(fetch);
    fetch.state = FetchState::failed;
    fetch.words = attack;
    fetch.ended = 2;
    boot.fetches.push_back(fetch);
    boot.complaints.push_back({1, attack, 0x2d0c613b});
    boot.firmware_errors = {attack};
    boot.firmware = boot.ipxe = attack;
    boot.outcome = Outcome::panic;
    boot.outcome_text = attack;
    boot.console.line(attack);
    boot.console.partial(attack);
    ReportHead evil = head();
    evil.name = evil.summary = evil.command = attack;
    evil.versions = {attack, attack, attack, attack};
    evil.nics.push_back({attack, attack, attack, attack, attack, false});
    evil.helped = evil.hints = evil.boot_order = {attack};
    for (const bool failed : {false, true}) {
        evil.fault =
            failed ? std::optional{Fault{attack, attack, attack, ExitCode::fetch_failed}} : std::nullopt;
        const std::string page = report_as_html(evil, {boot});
        const std::string json = report_as_json(evil, {boot})
                                     .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
        CHECK(data_in(page) == nlohmann::json::parse(json));
        CHECK(count_of(page, "</script") == 1);
        CHECK(count_of(page, "<!--") == 0);
        CHECK(page.find("alert(1)</script>") == std::string::npos);
        CHECK(page.find('\x01') == std::string::npos);
        CHECK(page.find('\x7f') == std::string::npos);
    }
}

TEST_CASE("HTML: signs that command are made harmless") {
    CHECK(escaped("a\x1b[31mb\x7f\rc") == "a [31mb  c");
    const std::string none = "\xef\xbf\xbd";
    CHECK(escaped("a\xc2\x9b"
                  "31m") == "a" + none + "31m");
    CHECK(escaped("\u202egnp.exe\u2066 \u200f") == none + "gnp.exe" + none + " " + none);
    for (const char* turning :
         {"\u061c", "\u200e", "\u200f", "\u202a", "\u202c", "\u202e", "\u2066", "\u2069"}) {
        CHECK(escaped(turning) == none);
    }
    for (const char* plain : {"\u200d", "\u2010", "\u2029", "\u202f", "\u2065", "\u206a", "\u061b"}) {
        CHECK(escaped(plain) == plain);
    }
    CHECK(escaped("\u00e4\u2013\u20ac") == "\u00e4\u2013\u20ac");
}

TEST_CASE("HTML: a URL may go on in the next line behind a slash, and nothing else may") {
    CHECK(breakable("http://h/a?b=1 and/or") == "http://h/<wbr>a?<wbr>b=1 and/<wbr>or");
    CHECK(breakable("what? / <b>/") == "what? / &lt;b&gt;/");
    CHECK(breakable("/\xff/\u202e") == "/\xef\xbf\xbd/<wbr>\xef\xbf\xbd");
    CHECK(breakable("ROM /usr/lib/x") == "ROM /usr/<wbr>lib/<wbr>x");
    CHECK(breakable("plain") == "plain");
    CHECK(breakable("/") == "/");
    CHECK(breakable("").empty());
}

TEST_CASE("HTML: iPXE's errors link to iPXE's pages, and nothing else is a link") {
    Timeline timeline = recorded("http404");
    const std::string page = report_as_html(head(), timeline.boots());
    CHECK(page.find(R"(href="https://ipxe.org/2d0c613b")") != std::string::npos);
    CHECK(count_of(page, "href=") == count_of(page, R"(href="https://ipxe.org/)"));
}

TEST_CASE("a fetch waits until the first byte of its answer") {
    test::Machine machine;
    machine.has_address();
    machine.connects(80).asks(80, "/k");
    const double asked = machine.at;
    machine.at += 2;
    machine.answers(80, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
    machine.at += 1;
    machine.see(test::tcp(false, machine.port, 80, 1001 + 40, test::ack, "cd"));
    const auto& boot = machine.timeline.boot();
    const std::vector<Bar> bars = bars_of(boot, 20, "");
    const Bar bar = bar_named(bars, "k");
    CHECK(bar.answered > asked + 2);
    CHECK(bar.answered < bar.ended);
    CHECK(bar.colour == "--fetch");
    const Bar dhcp = bar_named(bars, "DHCP, iPXE");
    CHECK(dhcp.answered == dhcp.ended);
    const std::string svg = waterfall_svg(boot, 20, "");
    CHECK(svg.find("s waiting)") != std::string::npos);
    CHECK(svg.find(" s waiting: offer by") != std::string::npos);
}

TEST_CASE("TFTP's answers are a block, an option acknowledgement or an error") {
    using namespace test;
    Machine machine;
    machine.has_address().tftp("a", "x").no_tftp("b", 1, "no");
    for (const Fetch& fetch : machine.timeline.boot().fetches) {
        CAPTURE(fetch.url);
        REQUIRE(fetch.answered);
        CHECK(*fetch.answered == *fetch.ended);
    }
}

TEST_CASE("what nobody answered is a wait until something else happened") {
    using namespace test;
    Machine machine;
    machine.has_address().see(udp(true, 2100, 69, request("lost")));
    const double asked = machine.at;
    machine.at += 5;
    machine.stops();
    const std::vector<Bar> bars = bars_of(machine.timeline.boot(), 30, "");
    const Bar bar = bar_named(bars, "lost");
    CHECK(bar.began == asked);
    CHECK(bar.ended == machine.timeline.boot().outcome_at);
    CHECK(bar.answered == bar.ended);
    CHECK(bar.colour == "--bad");
    CHECK(bar.note == "no answer was seen");
}

TEST_CASE("every bar tells how long it took, however many there are") {
    test::Machine machine;
    machine.has_address();
    for (int i = 0; i < 200; ++i) {
        machine.http("/" + std::string(300, 'a') + std::to_string(i), "x");
    }
    const auto& boot = machine.timeline.boot();
    const std::string svg = waterfall_svg(boot, machine.at, "");
    const std::size_t bars = bars_of(boot, machine.at, "").size();
    CHECK(bars > 200);
    CHECK(count_of(svg, R"(<g class="bar">)") == bars);
    CHECK(count_of(svg, "<title>") == bars);
    CHECK(count_of(svg, "<svg ") == count_of(svg, "</svg>"));
    CHECK(count_of(svg, "<svg ") == (bars + 23) / 24);
}

TEST_CASE("durations are as exact as is of use") {
    CHECK(duration_text(0) == "0 ms");
    CHECK(duration_text(0.0004) == "under 1 ms");
    CHECK(duration_text(0.02) == "20 ms");
    CHECK(duration_text(0.25) == "0.25 s");
    CHECK(duration_text(12.34) == "12.3 s");
    CHECK(duration_text(123.4) == "123.4 s");
}

TEST_CASE("the console's tail is its latest lines, and the prompt behind them") {
    ConsoleTail tail;
    for (int i = 0; i < 100; ++i) {
        tail.line(std::to_string(i) + "  ");
        tail.line("   ");
    }
    tail.partial("iPXE>");
    tail.partial("iPXE> ");
    std::vector<std::string> lines = tail.lines();
    REQUIRE(lines.size() == ConsoleTail::most_lines);
    CHECK(lines.front() == "61");
    CHECK(lines.back() == "iPXE>");
    tail.line("iPXE> exit");
    lines = tail.lines();
    CHECK(lines.size() == ConsoleTail::most_lines);
    CHECK(lines.back() == "iPXE> exit");
    tail.line(std::string(100000, 'x'));
    CHECK(tail.lines().back().size() == ConsoleTail::longest_line);
}

TEST_CASE("HTML: a run without any evidence still makes a page") {
    ReportHead none = head();
    none.started.clear();
    const std::string page = report_as_html(none, {Boot{}});
    CHECK(page.find(R"(<p class="sub">the machine never ran</p>)") != std::string::npos);
    CHECK(page.find("<svg") == std::string::npos);
    CHECK(page.find("<table") == std::string::npos);
    CHECK(page.ends_with("</html>\n"));
}

TEST_CASE("no URL in a report has a login, whoever said it") {
    const std::string url = "http://me:hunter2@10.0.2.2:9/x";
    test::Machine machine;
    machine.has_address(test::option(67, url)).says(url + "... ok").says("<" + url + ">");
    machine.timeline.partial(machine.at, "chain " + url);
    ReportHead told = head();
    told.summary = "cannot fetch " + url;
    told.hints = {url};
    told.fault = Fault{url, url, url, ExitCode::fetch_failed};
    const std::string json = report_as_json(told, machine.timeline.boots()).dump();
    CHECK(json.find("hunter2") == std::string::npos);
    CHECK(json.find(R"("file":"http://***@10.0.2.2:9/x")") != std::string::npos);
    const std::string page = report_as_html(told, machine.timeline.boots());
    CHECK(page.find("hunter2") == std::string::npos);
    CHECK(page.find("chain http://***@10.0.2.2:9/x") != std::string::npos);
    CHECK(breakable(url) == "http://***@10.0.2.2:9/<wbr>x");
    CHECK(shortened(url, 17) == "http://***@10.0.…");
}

TEST_CASE("HTML: the command is what it was, with its line ends") {
    ReportHead two = head();
    two.command = "vm-launch -name 'two\nlines\tand  more'";
    const std::string page = report_as_html(two, {Boot{}});
    CHECK(page.find("<span>'two</span>\n<span>lines</span>\t<span>and</span>  <span>more'</span>") !=
          std::string::npos);
}

TEST_CASE("HTML: the legend is there once, and shows what is drawn") {
    Timeline timeline = recorded("normal");
    const std::vector<Boot> boots{timeline.boot(), timeline.boot()};
    const std::string page = report_as_html(head(), boots);
    CHECK(count_of(page, "<ul class=\"key\">") == 1);
    CHECK(page.find("<i class=\"wait\" style=\"--c:var(--dhcp)\"></i>DHCP, waiting for an offer") !=
          std::string::npos);
    CHECK(page.find("class=\"wait\" style=\"--c:var(--dhcp)\"/>") != std::string::npos);
}

TEST_CASE("HTML: a page of many boots that cannot be made smaller is made once") {
    constexpr std::size_t many = 1000;
    ReportHead long_head = head();
    long_head.summary = std::string(largest_report / many, 'x');
    std::size_t made = 0;
    const std::string page =
        reports_as_html("many", std::vector<ReportedBoots>(many, {long_head, {Boot{}}}), [&](std::size_t) {
            ++made;
            return nlohmann::ordered_json{};
        });
    CHECK(page.size() > largest_report);
    CHECK(made == 1);
}

TEST_CASE("a server that lets nobody in is a wait, and one that did and was asked for nothing is none") {
    using namespace test;
    Machine machine;
    machine.has_address();
    ++machine.port;
    const double began = machine.at + 0.1;
    for (int i = 0; i < 4; ++i) {
        machine.see(tcp(true, machine.port, 80, 100, syn));
        machine.at += 4;
    }
    const std::vector<Bar> refused = bars_of(machine.timeline.boot(), 30, "");
    const Bar bar = bar_named(refused, "http://10.0.0.1/");
    CHECK(bar.began == began);
    CHECK(bar.ended == 30);
    CHECK(bar.answered == bar.ended);
    CHECK(bar.colour == "--bad");
    CHECK(bar.note == "no answer was seen");
    Machine open;
    open.has_address().connects(80);
    const std::vector<Bar> accepted = bars_of(open.timeline.boot(), 30, "");
    CHECK(bar_named(accepted, "http://10.0.0.1/").colour == "--fetch");
}

TEST_CASE("what the firmware calls itself first stays") {
    test::Machine machine;
    machine.says("SeaBIOS (version 9.9-guest)");
    CHECK(machine.timeline.boot().firmware == "SeaBIOS 1");
    Timeline logged{{{"net0", test::guest}}};
    logged.firmware_line(0.1, "SeaBIOS (version 1.16)");
    CHECK(logged.boot().firmware == "SeaBIOS 1.16");
}

}  // namespace
}  // namespace vml::boot
