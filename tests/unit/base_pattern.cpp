// Regular expressions for what a guest writes.
#include <string>
#include <variant>

#include "base/pattern.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

Pattern compiled(const std::string& expression) {
    auto result = Pattern::compile(expression);
    REQUIRE(std::holds_alternative<Pattern>(result));
    return std::get<Pattern>(std::move(result));
}

TEST_CASE("a pattern is found anywhere in the text") {
    CHECK(compiled("login:").is_in("debian login: "));
    CHECK(compiled("^(web|db)[0-9]+ login: $").is_in("web12 login: "));
    CHECK_FALSE(compiled("^login").is_in("debian login: "));
    CHECK(compiled("(?i)LOGIN").is_in("debian login: "));
    CHECK(compiled("gr.n").is_in("gr\xc3\xbcn"));
    CHECK_FALSE(compiled("gr.n").is_in("gr\xffn"));  // no UTF-8
}

TEST_CASE("what is no regular expression is told") {
    for (const char* wrong : {"(abc", "[a", "a**b)", "\\1(a)", "(?=a)b", "\\"}) {
        const auto result = Pattern::compile(wrong);
        REQUIRE(std::holds_alternative<std::string>(result));
        CHECK_FALSE(std::get<std::string>(result).empty());
    }
}

// A backtracking matcher never ends on these, or overflows its stack.
TEST_CASE("a guest cannot make a pattern run for ever") {
    CHECK_FALSE(compiled("(\\w+\\s?)+login:").is_in(std::string(1'000'000, 'a') + "!"));
    CHECK_FALSE(compiled("(a*)*b").is_in(std::string(1'000'000, 'a')));
    CHECK_FALSE(compiled(".*login: $").is_in(std::string(1'000'000, 'x')));
}

}  // namespace
}  // namespace vml
