// The row at the bottom: what goes to the terminal, and what a terminal makes of it.
#include <string>
#include <string_view>
#include <vector>

#include "screen/bottom_row.h"
#include "tests/unit/catch.h"

namespace vml::screen {
namespace {

constexpr int columns = 30;
constexpr int rows = 8;

bool has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

const std::string region = "\x1b[1;7r";
const std::string no_region = "\x1b[r\x1b[8;1H";

TEST_CASE("the row has its line below a scroll region, and the cursor stays where it was") {
    BottomRow row{columns, rows};
    CHECK(row.pass("one\r\n") == "one\r\n");
    CHECK(row.show("status") ==
          "\x1b"
          "D\x1b[A\x1b"
          "7\x1b[1;7r\x1b"
          "8\x1b"
          "7\x1b[8;1H\x1b[0m\x1b(B\x0fstatus\x1b[0m\x1b[K\x1b"
          "8");
    CHECK(row.is_shown());
    CHECK(row.show("status").empty());  // nothing is new
    CHECK(row.show("more") ==
          "\x1b"
          "7\x1b[8;1H\x1b[0m\x1b(B\x0fmore\x1b[0m\x1b[K\x1b"
          "8");
    CHECK(row.show("") ==
          "\x1b"
          "7\x1b[r\x1b[8;1H\x1b[0m\x1b[2K\x1b"
          "8");
    CHECK_FALSE(row.is_shown());
    CHECK(row.show("").empty());
}

TEST_CASE("text that flows, and a line that is edited, pass as they are") {
    BottomRow row{columns, rows};
    static_cast<void>(row.show("status"));
    for (const std::string_view bytes :
         {"text\r\n", "10%\b\b\b20%\t\a\v", "\x1b[1;32mgreen\x1b[0m\r\n",
          "a\x1b[3D\x1b[K\x1b[2C\x1b[5Gb\x1b[1P\x1b[4X", "\x1b[?25l\x1b[?7h\x1b[?2004h", "\x1b(0\x1b(B",
          "\xe2\x9c\x93\r\n"}) {
        CHECK(row.pass(bytes) == bytes);
        CHECK(row.is_shown());
    }
}

TEST_CASE("the row gives way before whatever takes the screen, and its region is gone first") {
    for (const std::string taking : {"\x1b[2J",
                                     "\x1b[H",
                                     "\x1b[5;10H",
                                     "\x1b[5;10f",
                                     "\x1b[3d",
                                     "\x1b[2;5r",
                                     "\x1b[r",
                                     "\x1b[?1049h",
                                     "\x1b[?47h",
                                     "\x1b[?6h",
                                     "\x1b[4h",
                                     "\x1b[A",
                                     "\x1b[2B",
                                     "\x1b[L",
                                     "\x1b[M",
                                     "\x1b[S",
                                     "\x1b[T",
                                     "\x1b[s",
                                     "\x1b[u",
                                     "\x1b"
                                     "7",
                                     "\x1b"
                                     "8",
                                     "\x1b"
                                     "M",
                                     "\x1b"
                                     "c",
                                     "\x1b[1J",
                                     "\x1b[!p"}) {
        BottomRow row{columns, rows};
        static_cast<void>(row.show("status"));
        CAPTURE(taking);
        const std::string out = row.pass("before" + taking + "behind");
        CHECK(
            out.starts_with("before\x1b"
                            "7" +
                            no_region));
        CHECK(
            out.ends_with("\x1b"
                          "8" +
                          taking + "behind"));
        CHECK_FALSE(row.is_shown());
    }
}

TEST_CASE("it comes back once all that was drawn is scrolled away") {
    BottomRow row{columns, rows};
    static_cast<void>(row.show("status"));
    static_cast<void>(row.pass("\x1b[2J\x1b[3;5Hmenu"));
    for (int line = 0; line < rows; ++line) {
        CHECK(row.pass("x\r\n") == "x\r\n");
        CHECK(row.show("status, and later").empty());
    }
    CHECK(has(row.pass("x\r\n"), region));
    CHECK(row.is_shown());
}

TEST_CASE("a menu that is drawn on does not let it come back") {
    BottomRow row{columns, rows};
    static_cast<void>(row.show("status"));
    for (int line = 0; line < 5 * rows; ++line) {
        static_cast<void>(row.pass("\x1b[3;5H\r\n"));
    }
    CHECK_FALSE(row.is_shown());
}

TEST_CASE("on the alternate screen there is no row, however much flows there") {
    BottomRow row{columns, rows};
    static_cast<void>(row.show("status"));
    static_cast<void>(row.pass("\x1b[?1049h"));
    for (int line = 0; line < 5 * rows; ++line) {
        CHECK(row.pass("x\r\n") == "x\r\n");
    }
    static_cast<void>(row.pass("\x1b[?1049l"));
    for (int line = 0; line <= rows; ++line) {
        static_cast<void>(row.pass("x\r\n"));
    }
    CHECK(row.is_shown());
}

TEST_CASE("what is erased below the cursor takes the row along, which is drawn again") {
    BottomRow row{columns, rows};
    static_cast<void>(row.show("status"));
    const std::string out = row.pass("x\x1b[J");
    CHECK(
        out.starts_with("x\x1b[J\x1b"
                        "7\x1b[8;1H"));
    CHECK(has(out, "status"));
    CHECK(row.pass("y") == "y");
}

TEST_CASE("a sequence that comes in pieces passes whole") {
    BottomRow row{columns, rows};
    static_cast<void>(row.show("status"));
    CHECK(row.pass("a\x1b[2").size() == 1);
    CHECK(row.pass("Jb").ends_with("\x1b[2Jb"));
    CHECK_FALSE(row.is_shown());
}

TEST_CASE("behind the last column the row waits: a terminal would lose that it is there") {
    BottomRow row{columns, rows};
    CHECK(row.pass(std::string(columns, 'x')).size() == columns);
    CHECK(row.show("status").empty());
    CHECK(has(row.pass("\r\n"), "status"));
}

TEST_CASE("a terminal that is too small has none") {
    for (const auto& [width, height] : std::vector<std::pair<int, int>>{{23, 8}, {30, 5}, {0, 0}}) {
        BottomRow row{width, height};
        CHECK(row.show("status").empty());
        CHECK(row.pass("text\r\n") == "text\r\n");
        CHECK_FALSE(row.is_shown());
    }
}

TEST_CASE("a terminal of another size gets another region") {
    BottomRow row{columns, rows};
    static_cast<void>(row.show("status"));
    const std::string larger = row.resize(60, 12);
    CHECK(has(larger, "\x1b[8;1H\x1b[0m\x1b[2K"));  // where it stood is the middle of the screen
    CHECK(has(larger, "\x1b[1;11r"));
    CHECK(has(larger, "\x1b[12;1H"));
    const std::string smaller = row.resize(60, 7);
    CHECK_FALSE(has(smaller, "\x1b[2K"));  // the guest's line may be there now
    CHECK(has(smaller, "\x1b[1;6r"));
    static_cast<void>(row.resize(60, 3));
    CHECK_FALSE(row.is_shown());
}

}  // namespace
}  // namespace vml::screen
