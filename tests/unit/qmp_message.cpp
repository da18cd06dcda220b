#include <string>
#include <variant>

#include "qmp/message.h"
#include "tests/unit/catch.h"

namespace vml::qmp {
namespace {

using nlohmann::json;

std::string why(std::string_view line) {
    const Message message = parse_message(line);
    const auto* garbage = std::get_if<Garbage>(&message);
    return garbage == nullptr ? "(not garbage)" : garbage->why;
}

TEST_CASE("a greeting as QEMU 7.2 sends it") {
    const auto message = parse_message(
        R"({"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "Debian 1:7.2"}, "capabilities": ["oob"]}})");
    CHECK(message == Message{Greeting{7, 2, 22, "Debian 1:7.2"}});
}

TEST_CASE("a greeting without a package, and with keys of the future") {
    const auto message = parse_message(
        R"({"x": [], "QMP": {"capabilities": 3, "version": {"qemu": {"major": 11, "minor": 0, "micro": 50, "nano": 1}}}})");
    CHECK(message == Message{Greeting{11, 0, 50, ""}});
}

TEST_CASE("replies, in any key order") {
    CHECK(parse_message(R"({"return": {"status": "running"}, "id": 7})") ==
          Message{Reply{7, json{{"status", "running"}}}});
    CHECK(parse_message(R"({"id": 18446744073709551615, "return": []})") ==
          Message{Reply{18446744073709551615U, json::array()}});
    CHECK(parse_message(R"({"id": 1, "return": "a\u0000b\n", "extra": null})") ==
          Message{Reply{1, std::string("a\0b\n", 4)}});
    CHECK(parse_message("  { \"id\":1,\t\"return\":null } ") == Message{Reply{1, nullptr}});
}

TEST_CASE("failures, with an id or without") {
    CHECK(parse_message(R"({"id": 2, "error": {"class": "CommandNotFound", "desc": "no such"}})") ==
          Message{Failure{2, "CommandNotFound", "no such"}});
    CHECK(parse_message(R"({"error": {"desc": "JSON parse error", "class": "GenericError", "x": 1}})") ==
          Message{Failure{std::nullopt, "GenericError", "JSON parse error"}});
}

TEST_CASE("events") {
    CHECK(
        parse_message(
            R"({"timestamp": {"seconds": 1700000000, "microseconds": 5}, "event": "SHUTDOWN", "data": {"guest": false}})") ==
        Message{Event{"SHUTDOWN", json{{"guest", false}}, 1700000000, 5}});
    CHECK(parse_message(R"({"event": "STOP", "timestamp": {"seconds": -1, "microseconds": -1}})") ==
          Message{Event{"STOP", json::object(), -1, -1}});
    CHECK(parse_message(R"({"event": "STOP"})") == Message{Event{"STOP", json::object(), -1, -1}});
}

TEST_CASE("what is not QMP is garbage with a reason") {
    CHECK(why("") == "not JSON");
    CHECK(why("qemu: warning") == "not JSON");
    CHECK(why(R"({"return": {}, "id": 1)") == "not JSON");
    CHECK(why(R"({"return": {}, "id": 1} {})") == "not JSON");
    CHECK(why("{\"return\": \"\xff\", \"id\": 1}") == "not JSON");
    CHECK(why(R"({"return": 1e999, "id": 1})") == "not JSON");
    CHECK(why("[1]") == "JSON, but not an object");
    CHECK(why("3") == "JSON, but not an object");
    CHECK(why("{}") == "an object that is no QMP message");
    CHECK(why(R"({"return": {}, "error": {}, "id": 1})") == "two QMP messages in one object");
}

TEST_CASE("wrong types are garbage") {
    for (const auto* line :
         {R"({"return": {}})", R"({"return": {}, "id": "1"})", R"({"return": {}, "id": -1})",
          R"({"return": {}, "id": 1.0})", R"({"error": "x", "id": 1})",
          R"({"error": {"class": 1, "desc": "x"}, "id": 1})", R"({"error": {"class": "x"}, "id": 1})",
          R"({"error": {"class": "x", "desc": "y"}, "id": null})", R"({"event": 1})",
          R"({"event": "STOP", "data": []})", R"({"event": "STOP", "timestamp": 1})",
          R"({"event": "STOP", "timestamp": {"seconds": 1}})",
          R"({"event": "STOP", "timestamp": {"seconds": 1, "microseconds": "2"}})",
          R"({"event": "STOP", "timestamp": {"seconds": 9223372036854775808, "microseconds": 2}})",
          R"({"QMP": 1})", R"({"QMP": {"version": []}})",
          R"({"QMP": {"version": {"qemu": {"major": 7, "minor": 2}}}})",
          R"({"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": -1}}}})",
          R"({"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 4294967296}}}})"}) {
        INFO(line);
        CHECK(std::holds_alternative<Garbage>(parse_message(line)));
    }
}

std::string nested(std::size_t depth) {
    return R"({"id": 1, "return": )" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
}

TEST_CASE("depth is bounded") {
    CHECK(std::holds_alternative<Reply>(parse_message(nested(max_depth))));
    CHECK(why(nested(max_depth + 1)) == "JSON that is nested too deeply");
    CHECK(why(std::string(8'000'000, '[')) == "JSON that is nested too deeply");
    CHECK(why(std::string(8'000'000, '{')) == "JSON that is nested too deeply");
}

TEST_CASE("brackets in strings do not count as depth") {
    const std::string text = std::string(2 * max_depth, '[') + R"(\"\\)" + std::string(2 * max_depth, '{');
    CHECK(std::holds_alternative<Reply>(parse_message(R"({"id": 1, "return": ")" + text + "\"}")));
}

TEST_CASE("many shallow brackets are no depth") {
    std::string list = "[]";
    for (int i = 0; i < 5000; ++i) {
        list += ",[]";
    }
    CHECK(std::holds_alternative<Reply>(parse_message(R"({"id": 1, "return": [)" + list + "]}")));
}

TEST_CASE("the excerpt is short and printable") {
    const Message message = parse_message("\x1b[31m\r" + std::string(500, 'x'));
    const auto& garbage = std::get<Garbage>(message);
    CHECK(garbage.excerpt == "?[31m?" + std::string(90, 'x') + "...");
    CHECK(excerpt_of("short") == "short");
    CHECK(excerpt_of("").empty());
}

TEST_CASE("commands are as short as can be") {
    CHECK(to_line({"query-status"}, 1) == "{\"execute\":\"query-status\",\"id\":1}\n");
    CHECK(to_line({"stop", json::object()}, 2) == "{\"execute\":\"stop\",\"id\":2}\n");
    CHECK(
        to_line({"qom-get", {{"path", "/machine"}, {"property", "type"}}}, 10) ==
        "{\"arguments\":{\"path\":\"/machine\",\"property\":\"type\"},\"execute\":\"qom-get\",\"id\":10}\n");
}

TEST_CASE("a command is one line whatever is in it") {
    const std::string line = to_line({"screendump", {{"filename", "a\nb\xff\"\xc3\xa4"}}}, 3);
    CHECK(line ==
          "{\"arguments\":{\"filename\":\"a\\nb\xef\xbf\xbd\\\"\xc3\xa4\"},\"execute\":\"screendump\",\"id\":"
          "3}\n");
}

}  // namespace
}  // namespace vml::qmp
