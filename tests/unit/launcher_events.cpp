// What happens to a VM, as programs are told it.
#include <algorithm>
#include <chrono>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/json.h"
#include "launcher/events/boot_news.h"
#include "launcher/events/run_record.h"
#include "launcher/events/stage_wait.h"
#include "tests/unit/bootwatch_frames.h"
#include "tests/unit/catch.h"

namespace vml::events {
namespace {

using boot::Boot;
using boot::Fetch;
using boot::FetchState;
using nlohmann::json;

const Stamp noon{1.5, std::chrono::system_clock::time_point{std::chrono::seconds{1'700'000'000}}};

std::vector<std::string> names(const std::vector<Event>& events) {
    std::vector<std::string> result;
    for (const Event& event : events) {
        result.emplace_back(name_of(event.kind));
    }
    return result;
}

boot::DhcpTalk talk(boot::Client client, double began) {
    boot::DhcpTalk talk;
    talk.client = client;
    talk.nic = "net0";
    talk.began = began;
    talk.discovers = 1;
    return talk;
}

boot::Offer offer_at(double at) {
    boot::Offer offer;
    offer.at = at;
    return offer;
}

Event of_kind(Kind kind) {
    Boot boot;
    BootNews news;
    switch (kind) {
        case Kind::begin:
            return begins({});
        case Kind::boot:
            return boot_begins(1, 0);
        case Kind::stage:
            return stage(1, {});
        case Kind::fetch:
            return fetch(1, {});
        case Kind::hint:
            return hint("");
        case Kind::qemu:
            return qemu("STOP", {});
        case Kind::verdict:
            return verdict({});
        case Kind::limit:
            return limit(Kind::fetch, 1);
        case Kind::end:
            return ends(0, "", {});
        case Kind::following:
            return following("");
        case Kind::lost:
            return lost(1);
        case Kind::dhcp:
            boot.dhcp.push_back(talk(boot::Client::other, 0));
            return news.look(0, boot, {}).back();
        case Kind::console:
            boot.ipxe = "1.0";
            return news.look(0, boot, {}).back();
    }
    return {};
}

// Those in backticks before the first bracket or "as in" of each clause.
std::set<std::string> documented_fields(std::string_view text) {
    std::string plain = std::regex_replace(
        std::string{text}, std::regex{R"(\([^)]*\)|: as in [^;]*|; of an offer.*|; the same.*)"}, "");
    std::set<std::string> fields;
    const std::regex word{"`([^`]+)`"};
    for (auto at = std::sregex_iterator{plain.begin(), plain.end(), word}; at != std::sregex_iterator{};
         ++at) {
        fields.insert((*at)[1]);
    }
    return fields;
}

TEST_CASE("each event has the fields that its row names, and no others") {
    for (const Row& row : rows()) {
        CAPTURE(row.name);
        const Event event = of_kind(row.kind);
        CHECK(name_of(event.kind) == row.name);
        std::set<std::string> fields;
        for (const auto& [key, value] : event.fields.items()) {
            fields.insert(key);
        }
        CHECK(fields == documented_fields(row.fields));
    }
}

TEST_CASE("a line is one object in ASCII with its number and both times") {
    const std::string line = line_of(hint("a\nb \x1b[2J \xc3\xa4 \xff"), noon, 7);
    CHECK(line.ends_with("}\n"));
    CHECK(std::count(line.begin(), line.end(), '\n') == 1);
    CHECK(std::all_of(line.begin(), line.end() - 1, [](char c) { return c >= ' ' && c <= '~'; }));
    const json object = json::parse(line);
    CHECK(object["v"] == 1);
    CHECK(object["event"] == "hint");
    CHECK(object["seq"] == 7);
    CHECK(object["t"] == 1.5);
    CHECK(object["time"] == "2023-11-14T22:13:20.000Z");
    CHECK(object["text"] == "a\nb \x1b[2J \xc3\xa4 \xef\xbf\xbd");
    CHECK_FALSE(json::parse(line_of(lost(3), noon, {})).contains("seq"));
    const json long_one = json::parse(line_of(hint(std::string(longest_line, 'x')), noon, 8));
    CHECK(long_one["too_long"] == true);
    CHECK_FALSE(long_one.contains("text"));
}

TEST_CASE("time is RFC 3339 in UTC") {
    using std::chrono::milliseconds;
    CHECK(rfc3339(std::chrono::system_clock::time_point{milliseconds{1'700'000'000'007}}) ==
          "2023-11-14T22:13:20.007Z");
}

TEST_CASE("what floods is told up to a limit, which is told once, and anew in the next boot") {
    RunRecord record;
    unsigned lines = 0;
    unsigned limits = 0;
    for (std::uint64_t count = 0; count < RunRecord::most_of_a_kind + 10; ++count) {
        const auto told = record.take(qemu("RTC_CHANGE", {}), noon);
        lines += told ? 1U : 0U;
        limits += told && told->event.kind == Kind::limit ? 1U : 0U;
    }
    CHECK(lines == RunRecord::most_of_a_kind + 1);
    CHECK(limits == 1);
    for (std::uint64_t count = 0; count < 2 * RunRecord::most_of_a_kind; ++count) {
        REQUIRE(record.take(events::stage(1, {}), noon));
    }
    CHECK(record.take(ends(0, "", {}), noon));
    CHECK(record.take(boot_begins(2, 9), noon));
    CHECK(record.take(qemu("RTC_CHANGE", {}), noon)->event.kind == Kind::qemu);
}

TEST_CASE("who comes late is told what is so in this boot") {
    const auto mark = [](boot::Stage stage, bool proves) {
        return events::stage(1, {stage, 1, boot::Proof::console, "words", proves});
    };
    RunRecord record;
    std::vector<Event> told{begins({}),
                            boot_begins(1, 0),
                            mark(boot::Stage::kernel, true),
                            boot_begins(2, 5),
                            mark(boot::Stage::machine, true),
                            mark(boot::Stage::fetch, false),
                            mark(boot::Stage::machine, true),
                            verdict({"w", "y", "", ExitCode::no_offer})};
    for (const Event& event : told) {
        static_cast<void>(record.take(event, noon));
    }
    std::istringstream lines{record.present()};
    std::vector<std::string> events;
    for (std::string line; std::getline(lines, line);) {
        events.push_back(json::parse(line)["event"].get<std::string>() +
                         json::parse(line).value("stage", ""));
    }
    CHECK(events == std::vector<std::string>{"begin", "boot", "stagemachine", "verdict"});
    CHECK(record.stage_detail() == "words");
}

TEST_CASE("a verdict that the boot went past is told to nobody who comes late") {
    const auto tells_verdict_after = [](boot::Stage stage, bool proves) {
        RunRecord record;
        for (const Event& event : {verdict({"w", "y", "", ExitCode::no_offer}),
                                   events::stage(1, {stage, 1, boot::Proof::console, "words", proves})}) {
            static_cast<void>(record.take(event, noon));
        }
        return record.present().find("verdict") != std::string::npos;
    };
    for (const auto stage : {boot::Stage::kernel, boot::Stage::os, boot::Stage::agent}) {
        CHECK_FALSE(tells_verdict_after(stage, true));
        CHECK(tells_verdict_after(stage, false));
    }
    CHECK(tells_verdict_after(boot::Stage::fetch, true));
}

// -- what is new in a boot

TEST_CASE("a DHCP talk is told message by message") {
    BootNews news;
    Boot boot;
    CHECK(names(news.look(0, boot, {})) == std::vector<std::string>{"boot"});
    boot.dhcp.push_back(talk(boot::Client::ipxe, 1));
    const auto first = news.look(1, boot, {});
    REQUIRE(first.size() == 1);
    CHECK(first[0].fields["type"] == "discover");
    CHECK(first[0].fields["client"] == "iPXE");
    CHECK(news.look(1.1, boot, {}).empty());
    boot.dhcp[0].offers.push_back(offer_at(2));
    boot.dhcp[0].discovers = 2;
    boot.dhcp[0].requests = 1;
    boot.dhcp[0].ack = offer_at(3);
    std::vector<std::string> types;
    for (const Event& event : news.look(3, boot, {})) {
        types.push_back(event.fields["type"]);
    }
    CHECK(types == std::vector<std::string>{"discover", "offer", "request", "ack"});
    CHECK(news.look(3, boot, {}).empty());
}

Fetch fetched(double began, FetchState state, std::uint64_t bytes) {
    Fetch fetch;
    fetch.protocol = "http";
    fetch.url = "http://h/f";
    fetch.began = began;
    fetch.state = state;
    fetch.received = bytes;
    return fetch;
}

TEST_CASE("a fetch is told at once when it begins and ends, and twice a second while it comes") {
    BootNews news;
    const Boot boot;
    static_cast<void>(news.look(0, boot, {}));
    CHECK(names(news.look(1, boot, {fetched(1, FetchState::asked, 0)})).size() == 1);
    unsigned told = 0;
    for (int tick = 1; tick <= 1000; ++tick) {  // 10 s
        told += static_cast<unsigned>(
            news.look(1 + tick * 0.01, boot,
                      {fetched(1, FetchState::receiving, static_cast<std::uint64_t>(tick))})
                .size());
    }
    CHECK(told >= 18);
    CHECK(told <= 20);
    const auto done = news.look(11.001, boot, {fetched(1, FetchState::done, 2000)});
    REQUIRE(done.size() == 1);
    CHECK(done[0].fields["state"] == "done");
    CHECK(done[0].fields["bytes"] == 2000);
    CHECK(news.look(12, boot, {fetched(1, FetchState::done, 2000)}).empty());
}

TEST_CASE("of the bytes of a file that comes nothing is looked at for a moment") {
    BootNews news;
    Boot boot;
    std::vector<Fetch> fetches(1);
    fetches[0].state = FetchState::asked;
    static_cast<void>(news.look(1, boot, fetches));
    CHECK_FALSE(news.can_wait(1.01, fetches));
    fetches[0].state = FetchState::receiving;
    CHECK_FALSE(news.can_wait(1.01, fetches));  // that it comes is news
    static_cast<void>(news.look(1.01, boot, fetches));
    CHECK(news.can_wait(1.02, fetches));
    CHECK_FALSE(news.can_wait(1.02 + BootNews::longest_wait_s, fetches));
    fetches[0].state = FetchState::done;
    CHECK_FALSE(news.can_wait(1.02, fetches));
    fetches[0].state = FetchState::receiving;
    fetches.push_back(fetches[0]);
    CHECK_FALSE(news.can_wait(1.02, fetches));
}

TEST_CASE("of a fetch in pieces no more is told than of one that comes; the last word is told at the end") {
    BootNews news;
    const Boot boot;
    unsigned told = 0;
    for (int piece = 1; piece <= 200; ++piece) {
        told +=
            static_cast<unsigned>(news.look(1 + piece * 0.001, boot,
                                            {fetched(1, FetchState::done, static_cast<std::uint64_t>(piece))})
                                      .size());
    }
    CHECK(told == 2);  // the boot and the first piece
    const auto last = news.last_look(1.3, boot, {fetched(1, FetchState::done, 200)});
    REQUIRE(last.size() == 1);
    CHECK(last[0].fields["bytes"] == 200);
}

TEST_CASE("what the console complains about is told once, however much of it was left out") {
    BootNews news;
    Boot boot;
    static_cast<void>(news.look(0, boot, {}));
    for (std::uint32_t number = 0; number < 300; ++number) {
        boot::add_bounded(boot.complaints, {1, "line", number}, boot::most_texts, boot.left_out.complaints);
        const auto told = news.look(1, boot, {});
        REQUIRE(told.size() == 1);
        CHECK(told[0].fields["number"] == fmt::format("{:08x}", number));
    }
    boot.outcome = boot::Outcome::dead_end;
    boot.outcome_text = "No bootable device.";
    const auto turn = news.look(2, boot, {});
    REQUIRE(turn.size() == 1);
    CHECK(turn[0].fields["turn"] == "dead-end");
    CHECK(turn[0].fields["text"] == "No bootable device.");
}

TEST_CASE("after a reset everything is new") {
    BootNews news;
    Boot boot;
    boot.dhcp.push_back(talk(boot::Client::other, 1));
    static_cast<void>(news.look(1, boot, {fetched(1, FetchState::done, 1)}));
    boot.began = 5;
    const auto told = news.look(6, boot, {fetched(1, FetchState::done, 1)});
    CHECK(names(told) == std::vector<std::string>{"boot", "dhcp", "fetch"});
    CHECK(told[0].fields["boot"] == 2);
}

// -- waiting

json as_json(const Event& event) {
    return json::parse(line_of(event, noon, 1));
}

Event reaches(boot::Stage stage, bool proves = true) {
    return events::stage(1, {stage, 1, boot::Proof::console, "words", proves});
}

TEST_CASE("a wait is over when its stage is proved, and not by a later one or by talk") {
    StageWait wait{"web", "os"};
    CHECK_FALSE(wait.take(as_json(reaches(boot::Stage::kernel))));
    CHECK_FALSE(wait.take(as_json(reaches(boot::Stage::agent))));
    CHECK_FALSE(wait.take(as_json(reaches(boot::Stage::os, false))));
    CHECK(wait.latest() == "agent: words");
    const auto result = wait.take(as_json(reaches(boot::Stage::os)));
    REQUIRE(result);
    CHECK_FALSE(result->fault);
    CHECK(result->detail == "words");
}

TEST_CASE("a wait fails with the verdict's exit code, or the run's, and never with 0") {
    const auto fails = [](const json& event) {
        StageWait wait{"web", "os"};
        const auto result = wait.take(event);
        REQUIRE(result);
        REQUIRE(result->fault);
        return static_cast<int>(result->fault->code);
    };
    CHECK(fails(as_json(verdict({"w", "y", "h", ExitCode::no_offer}))) == 11);
    CHECK(fails(as_json(ends(12, "s", Fault{"w", "y", "h", ExitCode::nothing_to_boot}))) == 12);
    CHECK(fails(as_json(ends(0, "the guest powered off", {}))) == 1);
    CHECK(fails({{"event", "verdict"}, {"code", 0}}) == 1);
    CHECK(fails({{"event", "verdict"}, {"code", 4096}}) == 1);
    CHECK(fails({{"event", "end"}, {"exit_code", "x"}, {"verdict", 7}}) == 1);
}

TEST_CASE("what is no event is none") {
    StageWait wait{"web", "os"};
    for (const json& odd : {json(), json(1), json::array(), json::object(), json{{"event", 1}},
                            json{{"event", "stage"}, {"stage", 5}, {"reached", "yes"}}}) {
        CHECK_FALSE(wait.take(odd));
        CHECK(sentence_of(odd).find('\n') == std::string::npos);
    }
    CHECK(sentence_of({{"event", "hint"}, {"text", "\x1b[2Jx"}}).find('\x1b') == std::string::npos);
}

}  // namespace
}  // namespace vml::events
