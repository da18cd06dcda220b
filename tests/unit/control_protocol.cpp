#include <string>
#include <variant>

#include <fmt/format.h>

#include "control/protocol.h"
#include "tests/unit/catch.h"

using namespace vml;
using namespace vml::control;
using nlohmann::json;

namespace {

Request request_in(const std::string& line) {
    const auto parsed = parse_request(line);
    REQUIRE(std::holds_alternative<Request>(parsed));
    return std::get<Request>(parsed);
}

std::string why_not(const std::string& line) {
    const auto parsed = parse_request(line);
    REQUIRE(std::holds_alternative<Fault>(parsed));
    return std::get<Fault>(parsed).why;
}

}  // namespace

TEST_CASE("a request comes back as it was written") {
    const Request request{"exec", {{"command", {"uname", "-a"}}}};
    const std::string line = format_request(request);
    CHECK(line.back() == '\n');
    CHECK(line.find('\n') == line.size() - 1);
    CHECK(request_in(line.substr(0, line.size() - 1)) == request);
    CHECK(request_in(R"({"command":"status"})") == Request{"status"});
}

TEST_CASE("what is no request is told why") {
    CHECK(why_not("") == "a request is one JSON object on one line");
    CHECK(why_not("[]") == "a request is one JSON object on one line");
    CHECK(why_not("{\"command\":") == "a request is one JSON object on one line");
    CHECK(why_not("{}") == "it names no \"command\"");
    CHECK(why_not(R"({"command":7})") == "it names no \"command\"");
    CHECK(why_not(R"({"command":"exec","arguments":[]})") == "its \"arguments\" are no object");
}

TEST_CASE("an answer is a value or a fault, whole") {
    const auto value = parse_answer(format_answer({{"a", 1}}));
    CHECK(std::get<json>(value) == json{{"a", 1}});
    const Fault fault{"cannot", "because", "do", ExitCode::exec_failed};
    CHECK(std::get<Fault>(parse_answer(format_refusal(fault))) == fault);
    CHECK(std::holds_alternative<Fault>(parse_answer("{}")));
    CHECK(std::holds_alternative<Fault>(parse_answer("nonsense")));
    CHECK(std::holds_alternative<Fault>(parse_answer(R"({"error":"text"})")));
}

TEST_CASE("an answer commands no terminal, and no fault in it says that all went well") {
    const auto value =
        std::get<json>(parse_answer(R"({"return":{"a\u001b":["\u009b2J",{"b":"\u0007"}],"n":1}})"));
    CHECK(value == json{{R"(a\x1b)", {R"(\xc2\x9b2J)", {{"b", R"(\x07)"}}}}, {"n", 1}});
    CHECK(std::get<json>(parse_answer(R"({"return":[]})")) == json::array());
    CHECK(std::get<json>(parse_answer(R"({"return":{}})")) == json::object());
    for (const char* code : {"0", "-1", "256", "\"x\"", "null", "1e99", "18446744073709551615"}) {
        CAPTURE(code);
        const auto fault = std::get<Fault>(
            parse_answer(fmt::format(R"({{"error":{{"what":"\u001b[2J","exit_code":{}}}}})", code)));
        CHECK(fault.code == ExitCode::failed);
        CHECK(fault.what == R"(\x1b[2J)");
    }
}

TEST_CASE("what is no answer is a fault") {
    const std::string deep(std::size_t{200'000}, '[');
    for (const std::string& line :
         {std::string{}, std::string{"web"}, std::string{"[1]"}, std::string{"{}"},
          std::string{R"({"error":1})"}, R"({"return":)" + deep, std::string{"\xff"}}) {
        CAPTURE(line.substr(0, 20));
        CHECK(std::holds_alternative<Fault>(parse_answer(line)));
    }
}

TEST_CASE("bytes that are no UTF-8 do not keep an answer from being told") {
    CHECK(std::get<json>(parse_answer(format_answer("\xff"))) == "\xef\xbf\xbd");
}
