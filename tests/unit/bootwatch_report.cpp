// The record as documents.
#include <string>

#include "bootwatch/report.h"
#include "bootwatch/verdict.h"
#include "tests/unit/bootwatch_evidence.h"
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
    return head;
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
    CHECK(page.find("<script") == std::string::npos);
    CHECK(page.find("vm&lt;1&gt;") != std::string::npos);
    CHECK(page.find("a &amp; b") != std::string::npos);
    CHECK(page.find("&quot;quoted&quot;") != std::string::npos);
    CHECK(page.find("<svg") != std::string::npos);
    CHECK(page.find("waiting for an IPv6 router") != std::string::npos);
    CHECK(page.find(">vmlinuz<") != std::string::npos);
    for (const char* outside : {"src=", "href=", "url(", "@import", "<link", "<iframe"}) {
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

TEST_CASE("HTML: a run without any evidence still makes a page") {
    const std::string page = report_as_html(head(), {Boot{}});
    CHECK(page.find("<svg") != std::string::npos);
    CHECK(page.ends_with("</html>\n"));
}

}  // namespace
}  // namespace vml::boot
