// What others wrote is looked into, and bounded before it is parsed.
#include <string>

#include "base/json.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

using nlohmann::json;

TEST_CASE("members are looked up whatever the value is") {
    const json object{{"text", "x"}, {"number", -7}, {"flag", true}, {"null", nullptr}};
    CHECK(text_at(object, "text") == "x");
    CHECK(text_at(object, "number").empty());
    CHECK(text_at(object, "none").empty());
    CHECK(number_at<int>(object, "number") == -7);
    CHECK_FALSE(number_at<int>(object, "text"));
    CHECK(flag_at(object, "flag"));
    CHECK_FALSE(flag_at(object, "null"));
    for (const json& other : {json(), json::array({1}), json("text"), json(7)}) {
        CHECK(text_at(other, "text").empty());
        CHECK_FALSE(number_at<int>(other, "number"));
        CHECK_FALSE(flag_at(other, "flag"));
    }
}

TEST_CASE("a document that nests too deep is discarded") {
    const auto nested = [](unsigned depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    CHECK(parse_json(nested(3), 3).is_array());
    CHECK(parse_json(nested(4), 3).is_discarded());
    CHECK(parse_json(nested(deepest_json)).is_array());
    CHECK(parse_json(nested(deepest_json + 1)).is_discarded());
    CHECK(parse_json(R"({"a":{"b":[]}})", 3).is_object());
    CHECK(parse_json(R"({"a":{"b":[]}})", 2).is_discarded());
    CHECK(parse_json(R"([[],[],[],[]])", 2).is_array());
    CHECK(parse_json("[").is_discarded());
}

TEST_CASE("brackets within strings do not nest") {
    CHECK(parse_json(R"(["[[[[{{{{"])", 1).is_array());
    CHECK(parse_json(R"(["\"[[[", "\\", "]"])", 1).is_array());
    CHECK(parse_json(R"(["\\", [[]]])", 2).is_discarded());
}

TEST_CASE("depth is counted across pieces") {
    JsonDepth depth;
    CHECK_FALSE(depth.exceeds("[\"[\\", 2));
    CHECK_FALSE(depth.exceeds("\"[[[", 2));
    CHECK_FALSE(depth.exceeds("\"[", 2));
    CHECK(depth.exceeds("[", 2));
}

}  // namespace
}  // namespace vml
