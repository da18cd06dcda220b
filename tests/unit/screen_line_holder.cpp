#include <string>

#include "screen/line_holder.h"
#include "tests/unit/catch.h"

namespace vml::screen {
namespace {

TEST_CASE("whole lines are given out, and the one that was begun is held") {
    LineHolder lines;
    CHECK(lines.feed("one\ntwo\nth") == "one\ntwo\n");
    CHECK(lines.holds());
    CHECK_FALSE(lines.mid_line());
    CHECK(lines.feed("r").empty());
    CHECK(lines.feed("ee\n") == "three\n");
    CHECK_FALSE(lines.holds());
}

TEST_CASE("what is released is the beginning of its line, and only the rest follows") {
    LineHolder lines;
    CHECK(lines.feed("login: ").empty());
    CHECK(lines.release() == "login: ");
    CHECK(lines.mid_line());
    CHECK(lines.release().empty());
    CHECK(lines.mid_line());
    CHECK(lines.feed("root\n") == "root\n");
    CHECK_FALSE(lines.mid_line());
}

TEST_CASE("a line without an end is held no further than its bound") {
    LineHolder lines;
    const std::string most(LineHolder::longest, 'x');
    CHECK(lines.feed(most).empty());
    CHECK(lines.feed("y") == most + "y");
    CHECK(lines.mid_line());
    CHECK_FALSE(lines.holds());
    CHECK(lines.feed("z\n") == "z\n");
}

TEST_CASE("however the text is cut, all of it comes out in order") {
    const std::string text = "a\n\nbc\n" + std::string(10'000, 'd') + "\nend";
    for (const std::size_t piece : {1U, 2U, 7U, 4097U, 20'000U}) {
        LineHolder lines;
        std::string out;
        for (std::size_t at = 0; at < text.size(); at += piece) {
            out += lines.feed(std::string_view{text}.substr(at, piece));
        }
        CHECK(out + lines.release() == text);
    }
}

TEST_CASE("as many whole lines are written at once as fit") {
    CHECK(whole_lines("ab\ncd\nef\n", 100) == 9);
    CHECK(whole_lines("ab\ncd\nef\n", 8) == 6);
    CHECK(whole_lines("ab\ncd\nef\n", 6) == 6);
    CHECK(whole_lines("ab\ncd", 5) == 5);
    CHECK(whole_lines("abcdef", 4) == 4);
}

}  // namespace
}  // namespace vml::screen
