// What a watch tells, and its table.
#include <nlohmann/json.hpp>

#include "launcher/netwatch/machine_table.h"
#include "launcher/netwatch/watch_clock.h"
#include "launcher/netwatch/watch_words.h"
#include "tests/unit/catch.h"

namespace vml::netwatch {
namespace {

using capture::MachineNow;
using capture::News;

constexpr Mac first{0x52, 0x54, 0, 0, 0, 1};

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

News news(News::Kind kind) {
    News made;
    made.kind = kind;
    made.mac = first;
    made.boot = 2;
    made.when = 1'764'460'000.5;
    made.at = 1.25;
    return made;
}

TEST_CASE("each news of a watch has its line and its fields") {
    News stage = news(News::Kind::mark);
    stage.mark = {boot::Stage::fetch, 1.25, boot::Proof::wire, "tftp://h/a: \x1b[2J not found", false};
    const Telling told = told_of(stage);
    CHECK(told.name == "stage");
    CHECK(told.fields.at("machine") == "52:54:00:00:00:01");
    CHECK(told.fields.at("boot") == 2);
    CHECK(told.fields.at("stage") == "fetch");
    CHECK(told.fields.at("reached") == false);
    CHECK(has(
        told.text,
        "2025-11-29T23:46:40.500Z  52:54:00:00:00:01  fetch             tftp://h/a: \\x1b[2J not found\n"));

    News verdict = news(News::Kind::verdict);
    verdict.verdict = {"cannot fetch it", "the server said so", "look there", ExitCode::fetch_failed};
    verdict.over = true;
    const Telling judged = told_of(verdict);
    CHECK(judged.fields.at("code") == 13);
    CHECK(judged.fields.at("over") == true);
    CHECK(judged.fields.at("hint") == "look there");
    CHECK(has(judged.text, "cannot fetch it (exit code 13)\n"));
    CHECK(has(judged.text, "why               the server said so\n"));

    CHECK(told_of(news(News::Kind::boot)).name == "boot");
    CHECK(has(told_of(news(News::Kind::boot)).text, "number 2 begins"));
    CHECK(told_of(news(News::Kind::goes_on)).fields.at("at") == 1.25);
    CHECK(told_of(news(News::Kind::gives_way)).name == "gives-way");
    CHECK(watching("br0", std::nullopt, 0).fields.at("only").is_null());
    CHECK(watching("br0", first, 0).fields.at("only") == "52:54:00:00:00:01");
    CHECK(frames_lost(3, 0).fields.at("count") == 3);
    CHECK(link_turned("br0", false, 0).fields.at("up") == false);
}

TEST_CASE("the end of a watch counts machines by how they fared") {
    const std::vector<MachineNow> machines{{},
                                           {.verdict = Fault{"fine", "", "", ExitCode::ok}},
                                           {.verdict = Fault{"bad", "", "", ExitCode::no_offer}}};
    const Tally tally = tally_of(machines);
    CHECK(tally.machines == 3);
    CHECK(tally.under_way == 1);
    CHECK(tally.well == 1);
    CHECK(tally.failed == 1);
    const Telling end = ended({.link = "br0", .tally = tally, .lost = 2, .why = "ended by SIGTERM"}, 0);
    CHECK(end.fields.at("failed") == 1);
    CHECK(has(end.text, "3 machines"));
    CHECK(has(end.text, "; 2 frames lost"));
}

TEST_CASE("the table fits on the screen, and who is under way comes first") {
    std::vector<MachineNow> machines;
    for (std::uint8_t i = 0; i < 100; ++i) {
        MachineNow machine;
        machine.mac = {2, 0, 0, 0, 0, i};
        machine.latest = i;
        machine.url = "tftp://10.0.0.1/\x1b[31m" + std::string(300, 'x');
        machine.fetching = true;
        if (i < 98) {
            machine.verdict = Fault{"did not boot", "", "", ExitCode::not_bootable};
        }
        machines.push_back(machine);
    }
    const auto lines = table_of(machines, 1000, {20, 80});
    REQUIRE(lines.size() <= 10);
    for (const std::string& line : lines) {
        CHECK(line.size() <= 80);
        CHECK(line.find('\x1b') == std::string::npos);
    }
    CHECK(has(lines[0], "MACHINE"));
    CHECK(has(lines[1], "02:00:00:00:00:62"));
    CHECK(has(lines[1], "  \\x1b[31mxxx"));
    CHECK(has(lines[2], "02:00:00:00:00:63"));
    CHECK(has(lines[3], "02:00:00:00:00:61"));
    CHECK(has(lines[3], "FAILED: did not"));
    CHECK(has(lines.back(), "of all 2 under way, 0 ok, 98 failed"));
    CHECK(table_of({}, 0, {}).empty());
    CHECK(table_of(machines, 0, {5, 80}).empty());
    CHECK(table_of(machines, 0, {6, 1}).size() == 3);
    machines.back().url = "tftp://10.0.0.1/\xc3\xa4\xc3\xa4";
    CHECK(has(table_of(machines, 0, {20, 80})[2], "  ??, "));
}

TEST_CASE("a table is taken away whole, also where the terminal broke its lines") {
    CHECK(wiping({}, {24, 80}).empty());
    CHECK(wiping({70, 80, 0}, {24, 80}) == "\x1b[3A\r\x1b[J");
    CHECK(wiping({70, 80, 0}, {24, 40}) == "\x1b[5A\r\x1b[J");
}

TEST_CASE("a watch's time goes on where the system's clock is set") {
    constexpr double began = 1'764'460'000;
    WatchClock clock{began, 50};
    clock.read(began + 10.1, 60);
    CHECK(clock.now() == began + 10);
    CHECK(clock.of_frame(began + 9) == began + 9);
    CHECK(clock.shown(began) == began);
    for (const double set : {3600.0, -86'400.0}) {
        clock.read(began + set + 20, 70);
        CHECK(clock.now() == began + 20);
        CHECK(clock.of_frame(began + set + 20) == began + 20);
        CHECK(clock.shown(began + 20) == began + set + 20);
    }
    CHECK(clock.of_frame(began + 3600 + 19) == began + 19);  // stamped before it was set the last time
}

}  // namespace
}  // namespace vml::netwatch
