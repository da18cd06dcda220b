// How large a report is: whatever was seen no larger than its limit, and of what is healthy it tells
// everything.
#include <algorithm>
#include <string>
#include <vector>

#include "bootwatch/report.h"
#include "bootwatch/report_page.h"
#include "bootwatch/weight.h"
#include "tests/unit/bootwatch_machine.h"
#include "tests/unit/catch.h"

namespace vml::boot {
namespace {

using namespace test;

std::string json_text(const std::vector<Boot>& boots) {
    return report_as_json({}, boots).dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

// The largest that the bounds of lists and texts allow, of characters that grow most in a report.
Boot worst_boot(char letter) {
    const auto text = [&](std::size_t size) { return std::string(size, letter); };
    Boot boot;
    boot.marks.push_back({Stage::machine, 0, Proof::qemu, text(longest_detail)});
    for (const std::string_view name : stage_names()) {
        const Stage stage = *stage_named(name);
        boot.marks.insert(boot.marks.end(), stage == Stage::fetch ? most_fetch_marks : most_marks,
                          {stage, 123456.789, Proof::firmware_log, text(longest_detail)});
    }
    Offer offer{123456.789, {}, Address::v4(0xFFFFFFFF)};
    offer.message.bootfile = offer.message.server_name = offer.message.root_path = text(1024);
    offer.message.options.assign(128, 255);
    DhcpTalk talk{Client::firmware, "net0", 1};
    talk.offers.assign(most_offers, offer);
    talk.naks.assign(most_refusals, offer);
    talk.ack = offer;
    boot.dhcp.assign(most_talks, talk);
    Fetch fetch;
    fetch.url = fetch.location = text(longest_url);
    fetch.words = text(longest_words);
    fetch.protocol = "tftp-size";
    fetch.state = FetchState::failed;
    boot.fetches.assign(Fetches::most_fetches, fetch);
    fetch.protocol = "https";
    std::fill_n(boot.fetches.begin(), Fetches::most_fetches - 1, fetch);
    boot.lookups.assign(most_texts, {text(255), 1});
    boot.complaints.assign(most_texts, {1, text(longest_console_line), 0x2d0c613b});
    boot.firmware_errors.assign(most_texts, text(longest_console_line));
    boot.unanswered.assign(most_texts, {Address::v4(0xFFFFFFFF), 1});
    boot.ipxe = boot.firmware = text(longest_detail);
    for (std::size_t i = 0; i < ConsoleTail::most_lines; ++i) {
        boot.console.line(text(ConsoleTail::longest_line));
    }
    boot.console.partial(text(ConsoleTail::longest_line));
    boot.stub_error = boot.loader_error = boot.ipxe_word = boot.ipxe_usage = text(longest_console_line);
    boot.ipv6.bootfile = text(1024);
    boot.outcome = Outcome::panic;
    boot.outcome_text = text(longest_detail);
    boot.ended = boot.began = 1;
    return boot;
}

// As a timeline keeps them: heavier than may be, and made lighter once one more is over.
std::vector<Boot> worst_boots(std::size_t count, char letter) {
    const Boot worst = worst_boot(letter);
    std::vector<Boot> earlier{worst};
    lighten(earlier, most_reported / 10);
    std::vector<Boot> boots;
    if (count > 1) {
        boots.assign(count - 2, earlier.front());
        boots.push_back(worst);
        lighten(boots, most_reported);
    }
    boots.push_back(worst);
    return boots;
}

TEST_CASE("a report of the worst record is smaller than its limit, and tells what it leaves out") {
    for (const char letter : {'"', '\xff'}) {
        for (const std::size_t count : {std::size_t{1}, most_boots}) {
            CAPTURE(letter, count);
            std::vector<Boot> boots = worst_boots(count, letter);
            const std::string json = json_text(boots);
            CHECK(json.size() < largest_report);
            const std::string page = report_as_html({}, boots);
            CHECK(page.size() < largest_report);
            CHECK(page.find("<li>") != std::string::npos);
            CHECK(page.find("more fetches and connections were left out") != std::string::npos);
            lighten(boots, most_reported);
            CHECK(weight_of(boots) <= most_reported);
            CHECK(json.size() < weight_of(boots));
            CHECK(page.size() > largest_report / 4);  // no more is left out than must be
            for (const Boot& boot : boots) {
                CHECK(boot.reached(Stage::os));
                CHECK_FALSE(boot.dhcp.empty());
                CHECK(boot.left_out.fetches + boot.fetches.size() == Fetches::most_fetches);
            }
        }
    }
}

TEST_CASE("a record that is small is left as it is") {
    Machine machine;
    machine.has_address().http("/k", linux_kernel());
    std::vector<Boot> boots = machine.timeline.boots();
    lighten(boots, most_reported);
    CHECK(boots == machine.timeline.boots());
    CHECK(boots.back().left_out == LeftOut{});
}

TEST_CASE("each list alone takes no more of a report than it weighs") {
    for (const char letter : {'a', '"', '\x01', '\xff'}) {
        for (int kind = 0; kind < 7; ++kind) {
            CAPTURE(letter, kind);
            const Boot worst = worst_boot(letter);
            Boot frame;  // with its picture
            frame.marks.push_back({Stage::machine, 0, Proof::qemu, ""});
            Boot boot = frame;
            boot.marks = kind == 0 ? worst.marks : boot.marks;
            boot.dhcp = kind == 1 ? worst.dhcp : boot.dhcp;
            boot.fetches = kind == 2 ? worst.fetches : boot.fetches;
            boot.lookups = kind == 3 ? worst.lookups : boot.lookups;
            boot.complaints = kind == 4 ? worst.complaints : boot.complaints;
            boot.firmware_errors = kind == 5 ? worst.firmware_errors : boot.firmware_errors;
            boot.unanswered = kind == 6 ? worst.unanswered : boot.unanswered;
            std::vector<Boot> boots{boot};
            lighten(boots, most_reported);
            const std::size_t weight = weight_of(boots) - weight_of(frame);
            CHECK(json_text(boots).size() - json_text({frame}).size() <= weight);
            const std::size_t data =
                as_data(report_as_json({}, boots)).size() - as_data(report_as_json({}, {frame})).size();
            const std::size_t page = report_as_html({}, boots).size() - report_as_html({}, {frame}).size();
            CHECK(data <= weight);
            CHECK(page <= 2 * weight);
        }
    }
}

struct Healthy {
    int boots;
    int fetches;
    std::size_t url;  // bytes
};

// Whose last boot runs.
std::vector<Boot> healthy_boots(const Healthy& healthy) {
    Machine machine;
    for (int boot = 0; boot < healthy.boots; ++boot) {
        if (boot > 0) {
            machine.timeline.reset(machine.at += 1);
            machine.says("SeaBIOS (version 1)");
            machine.says("iPXE 1.0 -- Open Source Network Boot Firmware -- http://ipxe.org");
        }
        machine.has_address();
        for (int i = 0; i < healthy.fetches; ++i) {
            const std::string name = "/" + std::to_string(i);
            const std::size_t before = std::string{"http://h"}.size() + name.size();
            machine.http(name + std::string(healthy.url - std::min(healthy.url, before), 'a'),
                         linux_kernel());
        }
    }
    return machine.timeline.boots();
}

TEST_CASE("the report of healthy boots tells everything, and is not much smaller than they weigh") {
    for (const Healthy healthy :
         {Healthy{30, 12, 60}, {40, 6, 60}, {50, 3, 60}, {1, 300, 118}, {1, 400, 118}, {1, 2000, 118}}) {
        CAPTURE(healthy.boots, healthy.fetches);
        std::vector<Boot> boots = healthy_boots(healthy);
        const std::vector<Boot> all = boots;
        lighten(boots, most_reported);
        CHECK(boots == all);
        REQUIRE(boots.size() == static_cast<std::size_t>(healthy.boots));
        for (const Boot& boot : boots) {
            CHECK(boot.left_out == LeftOut{});
            CHECK(boot.fetches.size() == static_cast<std::size_t>(healthy.fetches));
            CHECK(boot.dhcp.at(0).offers.size() == 1);
        }
        const std::size_t json = json_text(boots).size();
        const std::size_t page = report_as_html({}, boots).size();
        const std::size_t weight = weight_of(boots);
        CAPTURE(json, page, weight);
        CHECK(json < weight);
        CHECK(page < 2 * weight);
        CHECK(page < largest_report);
        CHECK(weight < json * 5 / 2);
    }
}

TEST_CASE("an installer keeps all its fetches when it reboots") {
    Machine machine;
    machine.has_address();
    for (int i = 0; i < 300; ++i) {
        machine.http("/" + std::to_string(i) + std::string(107, 'a'), "x");
    }
    machine.timeline.reset(machine.at += 1);
    const auto& boots = machine.timeline.boots();
    REQUIRE(boots.size() == 2);
    CHECK(boots[0].fetches.size() == 300);
    CHECK(boots[0].left_out == LeftOut{});
}

TEST_CASE("what is a little too heavy loses little, and light boots nothing") {
    std::vector<Boot> boots = healthy_boots({4, 3, 60});
    Boot heavy = boots.front();
    heavy.fetches.assign(200, heavy.fetches.front());
    boots.insert(boots.begin(), heavy);
    const std::vector<Boot> all = boots;
    const std::size_t weight = weight_of(boots);
    lighten(boots, weight - 100);
    CHECK(weight_of(boots) <= weight - 100);
    CHECK(weight_of(boots) > weight - weight / 4);
    CHECK(boots.front().fetches.size() > 150);
    CHECK(std::equal(
        boots.begin() + 1, boots.end(), all.begin() + 1, all.end(), [](const Boot& a, const Boot& b) {
            return a.marks == b.marks && a.left_out == b.left_out && a.fetches.size() == b.fetches.size();
        }));
    // The same down to the last.
    std::vector<Boot> one{boots.back()};
    for (std::size_t most = weight_of(one); one.back().fetches.size() > 1; --most) {
        const std::size_t before = one.back().fetches.size();
        lighten(one, most);
        CHECK(one.back().fetches.size() + 1 >= before);
    }
}

}  // namespace
}  // namespace vml::boot
