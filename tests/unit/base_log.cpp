// The log's lines: text for people, JSON for programs.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

using nlohmann::json;

constexpr double moment = 1700000000.25;

struct Lines {
    std::vector<std::string> all;
    Log::Sink sink() {
        return [this](std::string_view line) { all.emplace_back(line); };
    }
};

TEST_CASE("text lines name the level, but for info") {
    CHECK(format_log_line(LogFormat::text, LogLevel::info, "hello", moment) == "vm-launch: hello");
    CHECK(format_log_line(LogFormat::text, LogLevel::debug, "x", moment) == "vm-launch: debug: x");
    CHECK(format_log_line(LogFormat::text, LogLevel::warning, "x", moment) == "vm-launch: warning: x");
    CHECK(format_log_line(LogFormat::text, LogLevel::error, "x", moment) == "vm-launch: error: x");
}

TEST_CASE("what is told is worded for its reader, but not what other programs say") {
    Lines lines;
    Log log{LogLevel::debug, LogFormat::text, lines.sink(),
            [](std::string_view text) { return "<" + std::string{text} + ">"; }};
    log.info("a");
    log.warning("b");
    log.debug("c");
    log.fault({"what", "why", "hint", ExitCode::host});
    CHECK(lines.all == std::vector<std::string>{"vm-launch: <a>\n", "vm-launch: warning: <b>\n",
                                                "vm-launch: debug: c\n",
                                                "vm-launch: error[3]: what\n  why:  why\n  hint: <hint>\n"});
}

TEST_CASE("a JSON line is one object with time, level and message") {
    const std::string line = format_log_line(LogFormat::json, LogLevel::info, "a \"b\"\nc", moment);
    CHECK(line.find('\n') == std::string::npos);
    CHECK(json::parse(line) == json{{"time", moment}, {"level", "info"}, {"message", "a \"b\"\nc"}});
}

TEST_CASE("bytes that are no UTF-8 do not break a JSON line") {
    const std::string line = format_log_line(LogFormat::json, LogLevel::warning, "a\xff\xfe b", moment);
    CHECK(json::parse(line)["level"] == "warning");
}

TEST_CASE("a fault in JSON has what, why, hint and the exit code apart") {
    const Fault fault{"cannot", "because", "do", ExitCode::host};
    CHECK(json::parse(format_fault(LogFormat::json, fault, moment)) == json{{"time", moment},
                                                                            {"level", "error"},
                                                                            {"message", "cannot"},
                                                                            {"why", "because"},
                                                                            {"hint", "do"},
                                                                            {"exit_code", 3}});
}

TEST_CASE("a fault in text") {
    CHECK(format_fault(LogFormat::text, {"cannot", "because", "do", ExitCode::host}, moment) ==
          "vm-launch: error[3]: cannot\n  why:  because\n  hint: do");
}

TEST_CASE("a fault may have lines below it, and be about something") {
    const nlohmann::ordered_json fields{{"reached", "dhcp"}};
    const LogSubject subject{"end", fields};
    const Fault fault{"cannot", "because", "do", ExitCode::fetch_failed};
    CHECK(format_fault(LogFormat::text, fault, subject, "  console: a\x1b[2J", moment) ==
          "vm-launch: error[13]: cannot\n  why:  because\n  hint: do\n  console: a\\x1b[2J");
    CHECK(format_fault(LogFormat::text, fault, subject, "", moment) ==
          format_fault(LogFormat::text, fault, moment));
    const json line = json::parse(format_fault(LogFormat::json, fault, subject, "  console: a", moment));
    CHECK(line["event"] == "end");
    CHECK(line["reached"] == "dhcp");
    CHECK(line["exit_code"] == 13);
    CHECK(line.dump().find("console") == std::string::npos);
}

TEST_CASE("colour: a dim prefix, the level, and what was reached") {
    CHECK(in_colour(LogLevel::info, "vm-launch: hello: x") == "\x1b[2mvm-launch: \x1b[22mhello: x");
    CHECK(in_colour(LogLevel::info, "vm-launch: ✓ reached") ==
          "\x1b[2mvm-launch: \x1b[22m\x1b[32m✓\x1b[39m reached");
    CHECK(in_colour(LogLevel::warning, "vm-launch: warning: w: x") ==
          "\x1b[2mvm-launch: \x1b[22m\x1b[33mwarning:\x1b[0m w: x");
    CHECK(in_colour(LogLevel::error, "vm-launch: error[13]: f\n  why:  x") ==
          "\x1b[2mvm-launch: \x1b[22m\x1b[1;31merror[13]:\x1b[0m f\n  why:  x");
    CHECK(in_colour(LogLevel::debug, "vm-launch: debug: d") ==
          "\x1b[2mvm-launch: \x1b[22m\x1b[2mdebug:\x1b[0m d");
    CHECK(in_colour(LogLevel::info, "no prefix") == "no prefix");
}

TEST_CASE("a log in colour has none in JSON") {
    Lines lines;
    Log text{LogLevel::info, LogFormat::text, lines.sink(), {}, true};
    text.warning("w");
    Log programs{LogLevel::info, LogFormat::json, lines.sink(), {}, true};
    programs.warning("w");
    CHECK(lines.all.at(0) == "\x1b[2mvm-launch: \x1b[22m\x1b[33mwarning:\x1b[0m w\n");
    CHECK(lines.all.at(1).find('\x1b') == std::string::npos);
}

TEST_CASE("colour by itself is for a terminal that has it, and whose user wants it") {
    const auto wants = [](bool terminal, std::string_view term, std::string_view no_color) {
        return wants_colour(ColourChoice::automatic, terminal, term, no_color);
    };
    CHECK(wants(true, "xterm-256color", ""));
    CHECK_FALSE(wants(false, "xterm-256color", ""));
    CHECK_FALSE(wants(true, "dumb", ""));
    CHECK_FALSE(wants(true, "", ""));
    CHECK_FALSE(wants(true, "xterm-256color", "1"));
    CHECK_FALSE(wants(true, "xterm-256color", "0"));  // any value means it
    CHECK(wants_colour(ColourChoice::always, false, "dumb", "1"));
    CHECK_FALSE(wants_colour(ColourChoice::never, true, "xterm", ""));
}

TEST_CASE("the threshold holds back what is below it, and never a fault") {
    for (const LogLevel threshold : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error}) {
        Lines lines;
        Log log{threshold, LogFormat::text, lines.sink()};
        log.debug("d");
        log.info("i");
        log.warning("w");
        log.fault({"f", "", ""});
        std::vector<std::string> expected{"vm-launch: debug: d\n", "vm-launch: i\n",
                                          "vm-launch: warning: w\n", "vm-launch: error[1]: f\n"};
        expected.erase(expected.begin(), expected.begin() + static_cast<int>(threshold));
        CHECK(lines.all == expected);
    }
}

TEST_CASE("the log knows the time of day") {
    Lines lines;
    Log log{LogLevel::info, LogFormat::json, lines.sink()};
    log.info("now");
    REQUIRE(lines.all.size() == 1);
    CHECK(json::parse(lines.all.front())["time"].get<double>() > moment);
}

TEST_CASE("standard error gets whole lines, and a closed one ends nothing") {
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const OwnedFd reader{ends[0]};
    OwnedFd writer{ends[1]};
    const OwnedFd before{::dup(STDERR_FILENO)};
    ::dup2(writer.get(), STDERR_FILENO);
    stderr_sink()("a line\n");
    ::close(STDERR_FILENO);
    stderr_sink()("nobody hears this\n");
    ::dup2(before.get(), STDERR_FILENO);
    writer.reset();
    std::array<char, 64> bytes{};
    const ssize_t count = ::read(reader.get(), bytes.data(), bytes.size());
    CHECK(std::string(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))) == "a line\n");
}

TEST_CASE("a message does not command the terminal") {
    CHECK(format_log_line(LogFormat::text, LogLevel::info, "a\x1b[2J\r\nb", 0) ==
          "vm-launch: a\\x1b[2J\\r\nb");
}

}  // namespace
}  // namespace vml
