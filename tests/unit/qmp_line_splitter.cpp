#include <string>
#include <vector>

#include "qmp/line_splitter.h"
#include "tests/unit/catch.h"

namespace vml::qmp {
namespace {

using Lines = std::vector<std::string>;

TEST_CASE("LF and CR LF end a line, and nothing else does") {
    LineSplitter splitter;
    const auto split = splitter.feed("a\nb\r\nc\rd\n\r\r\ntail");
    CHECK(split.lines == Lines{"a", "b", "c\rd", "\r"});
    CHECK(!split.overflowed);
    CHECK(splitter.feed("\n").lines == Lines{"tail"});
}

TEST_CASE("empty lines are left out") {
    LineSplitter splitter;
    CHECK(splitter.feed("\n\r\n\n").lines.empty());
    CHECK(splitter.feed("").lines.empty());
    CHECK(splitter.feed("\r").lines.empty());
    CHECK(splitter.feed("\nx\n").lines == Lines{"x"});
}

TEST_CASE("the chunks do not matter") {
    const std::string text("one\r\ntwo\n\nth\0ree\r\n", 19);
    const Lines expected{"one", "two", std::string("th\0ree", 6)};
    for (std::size_t first = 0; first <= text.size(); ++first) {
        for (std::size_t second = first; second <= text.size(); ++second) {
            LineSplitter splitter;
            Lines lines;
            for (const auto& chunk :
                 {text.substr(0, first), text.substr(first, second - first), text.substr(second)}) {
                for (auto& line : splitter.feed(chunk).lines) {
                    lines.push_back(line);
                }
            }
            REQUIRE(lines == expected);
        }
    }
}

TEST_CASE("a line at the limit is fine, one byte more is said once") {
    LineSplitter splitter{4};
    CHECK(splitter.feed("abcd\nxyz\r\n").lines == Lines{"abcd", "xyz"});
    const auto split = splitter.feed("ok\nabcde\nnever\n");
    CHECK(split.lines == Lines{"ok"});
    CHECK(split.overflowed);
    const auto after = splitter.feed("more\n");
    CHECK(after.lines.empty());
    CHECK(!after.overflowed);
}

TEST_CASE("the limit holds for a line in pieces that never ends") {
    LineSplitter splitter{4};
    CHECK(!splitter.feed("ab").overflowed);
    CHECK(!splitter.feed("cd").overflowed);
    CHECK(splitter.feed("e").overflowed);
    CHECK(!splitter.feed("f").overflowed);
}

// A splitter that looks at the whole unfinished line again for each chunk would touch 2^42 bytes here, and
// not end.
TEST_CASE("a long line in a million chunks takes linear time") {
    constexpr std::size_t chunks = std::size_t{1} << 20U;
    LineSplitter splitter;
    bool overflowed = false;
    for (std::size_t i = 0; i < chunks; ++i) {
        overflowed = overflowed || splitter.feed("12345678").overflowed;
    }
    CHECK(!overflowed);
    const auto lines = splitter.feed("\n").lines;
    REQUIRE(lines.size() == 1);
    CHECK(lines.front().size() == chunks * 8);
}

}  // namespace
}  // namespace vml::qmp
