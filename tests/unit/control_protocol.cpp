#include <string>
#include <variant>

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

TEST_CASE("bytes that are no UTF-8 do not keep an answer from being told") {
    CHECK(std::get<json>(parse_answer(format_answer("\xff"))) == "\xef\xbf\xbd");
}
