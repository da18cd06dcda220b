// The row below a guest's text: what goes to the terminal, and where it may stand.
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "screen/bottom_row.h"
#include "screen/guest_text.h"
#include "tests/unit/catch.h"
#include "tests/unit/screen_support.h"

namespace vml::screen {
namespace {

constexpr int columns = 40;
constexpr int rows = 8;

const std::string wiped = "\0337\033[0m\033[J\0338";

std::string drawn(const std::string& text) {
    return "\033D\033[A\0337\033[0m\033(B\017\r\033[B" + text + "\033[0m\033[K\0338";
}

BottomRow with_row(const std::string& text = "status") {
    BottomRow row{columns, rows};
    REQUIRE(row.show(text) == drawn(text));
    return row;
}

// The same where the line's text ends so many columns to the right of the cursor.
std::string wiped_behind(int right) {
    return "\0337\033[" + std::to_string(right) + "C\033[0m\033[J\0338";
}

// What of a terminal's bytes is the guest's.
std::string without_row(std::string text) {
    const std::string row = drawn("status");
    for (std::size_t at = 0; (at = text.find(row, at)) != std::string::npos;) {
        text.erase(at, row.size());
    }
    static const std::regex wiping{"\0337(\033\\[\\d+C)?\033\\[0m\033\\[J\0338"};
    return std::regex_replace(text, wiping, "");
}

TEST_CASE("the row stands below the cursor's line, and the cursor comes back") {
    BottomRow row{columns, rows};
    CHECK(row.pass("one\r\n") == "one\r\n");
    CHECK(row.show("status") == drawn("status"));
    CHECK(row.is_shown());
    CHECK(row.show("status").empty());  // nothing is new
    CHECK(row.show("more") == drawn("more"));
    CHECK(row.hide() == wiped);
    CHECK_FALSE(row.is_shown());
    CHECK(row.hide().empty());
    CHECK(row.pass("two\r\n") == "two\r\n");
    CHECK(row.show("more") == drawn("more"));
}

TEST_CASE("before the cursor leaves its line the row is wiped, and drawn again behind") {
    BottomRow row = with_row();
    CHECK(row.pass("text\r\n") == "text\r" + wiped_behind(4) + "\n" + drawn("status"));
    CHECK(row.pass("a\nb\nc") == "a" + wiped + "\nb\nc" + drawn("status"));
    CHECK(row.pass(std::string(60, 'x')) == wiped + std::string(60, 'x') + drawn("status"));
}

TEST_CASE("what stays in the line goes by untouched") {
    BottomRow row = with_row();
    for (const std::string_view bytes :
         {"10%", "\b\b\b20%", "\r", "\t\a", "\033[1;32mgreen\033[0m", "\033[3D\033[K\033[2C\033[5Gb",
          "\033[?25l\033[?7h\033[?2004h", "\033(0\033(B", "\033[6n"}) {
        CHECK(row.pass(bytes) == bytes);
        CHECK(row.is_shown());
    }
}

TEST_CASE("what is to the right of the cursor survives the wiping") {
    BottomRow row = with_row();
    static_cast<void>(row.pass("0123456789\b\b\b\b"));
    CHECK(row.hide() == wiped_behind(4));
}

TEST_CASE("a line that reaches the last column has no row, whatever its cursor") {
    BottomRow row = with_row();
    CHECK(row.pass(std::string(39, 'x')) == std::string(39, 'x'));
    CHECK(row.is_shown());
    CHECK(row.pass("y") == wiped + "y");
    CHECK(row.show("status").empty());
    CHECK(row.pass("\r") == "\r");
    CHECK(row.show("status").empty());
    CHECK(row.pass("\n") == "\n");
    CHECK(row.show("status") == drawn("status"));
    SECTION("but the next line of a longer one has") {
        CHECK(row.pass(std::string(79, 'x')) == wiped + std::string(79, 'x') + drawn("status"));
        CHECK(row.pass("x") == wiped + "x");
        CHECK(row.pass("x") == "x");
        CHECK(row.show("status") == drawn("status"));
    }
}

TEST_CASE("a line whose width is the terminal's guess has no row") {
    for (const std::string text : {"網", "\xe7\xb6", "é", "a\v", "\033[2P", "\033[@"}) {
        INFO(text);
        BottomRow row = with_row();
        CHECK(row.pass(text).find(wiped) != std::string::npos);
        CHECK(row.show("more").empty());
        CHECK(row.pass("\n") == "\n");
        CHECK(row.show("more") == drawn("more"));
    }
}

TEST_CASE("nothing is drawn in the middle of a sequence or a character") {
    BottomRow row = with_row();
    CHECK(row.pass("\033[3").empty());
    CHECK(row.show("more").empty());
    CHECK(row.pass("1m") == "\033[31m");
    CHECK(row.show("more") == drawn("more"));
    CHECK(row.pass("\xe7\xb6").ends_with("\xe7\xb6"));
    CHECK(row.show("again").empty());
    CHECK(row.pass("\xb2").ends_with("\xb2"));
}

const std::vector<std::string> drawings{"\033[5;10H", "\033[5;10f", "\033[3d", "\033[1J", "\033[A",
                                        "\033[2B",    "\033[L",     "\033[M",  "\033[S",  "\033[T",
                                        "\033M",      "\033D",      "\033[r"};

BottomRow behind(const std::string& drawing) {
    BottomRow row = with_row();
    CHECK(row.pass(drawing) == wiped + drawing);
    for (int call = 0; call < 10; ++call) {
        CHECK(row.show("more").empty());
    }
    CHECK_FALSE(row.is_over());
    return row;
}

void comes_back_after_a_moment(BottomRow& row) {
    for (int call = 1; call < BottomRow::calls_after_drawing; ++call) {
        CHECK(row.show("more").empty());
    }
    CHECK(row.show("more") == drawn("more"));
}

TEST_CASE("the row gives way before a guest that draws, and comes back where text flows again") {
    for (const std::string& drawing : drawings) {
        INFO(drawing.substr(1));
        BottomRow scrolled = behind(drawing);
        for (int line = 0; line <= rows; ++line) {
            CHECK(scrolled.show("more").empty());
            CHECK(scrolled.pass("\r\n") == "\r\n");
        }
        comes_back_after_a_moment(scrolled);
        BottomRow cleared = behind(drawing);
        CHECK(cleared.pass("\033[2J\033[Hhello") == "\033[2J\033[Hhello");
        comes_back_after_a_moment(cleared);
        BottomRow home = behind(drawing);
        CHECK(home.pass("\033[H\033[Jhello") == "\033[H\033[Jhello");
        comes_back_after_a_moment(home);
        BottomRow left_where_it_was = behind(drawing);  // SeaBIOS
        CHECK(left_where_it_was.pass("\n\033[2Jchosen\r\n") == "\n\033[2Jchosen\r\n");
        comes_back_after_a_moment(left_where_it_was);
    }
}

TEST_CASE("a menu clears the screen too, and is none of ours") {
    BottomRow row = with_row();
    const std::string menu = "\033[0m\033[2J\033[01;01H\033[02;01H title";
    CHECK(row.pass(menu) == "\033[0m" + wiped + menu.substr(4));
    for (int call = 0; call < 10; ++call) {
        CHECK(row.show("more").empty());
    }
}

TEST_CASE("a guest that changes the screen itself has it for ever") {
    for (const std::string change :
         {"\033[?1049h", "\033[?1047h", "\033[?47h", "\033[2;5r", "\033[?6h", "\033[4h", "\033[!p"}) {
        INFO(change.substr(1));
        BottomRow row = with_row();
        CHECK(row.pass(change) == wiped + change);
        CHECK(row.is_over());
        static_cast<void>(row.pass("\033[?1049l\033[r\033[2J\033[H" + std::string(100, '\n')));
        CHECK(row.show("more").empty());
    }
}

TEST_CASE("a cursor that the guest keeps is not lost by ours") {
    BottomRow row = with_row();
    CHECK(row.pass("\0337") == wiped + "\0337");
    static_cast<void>(row.pass(std::string(20, '\n')));
    CHECK(row.show("more").empty());
    static_cast<void>(row.pass("\0338" + std::string(20, '\n')));
    comes_back_after_a_moment(row);
}

TEST_CASE("a terminal that is too small has none, and a new size moves it") {
    CHECK(BottomRow(fewest_columns - 1, rows).show("status").empty());
    CHECK(BottomRow(columns, fewest_rows - 1).show("status").empty());
    BottomRow row = with_row();
    CHECK(row.resize(columns, rows).empty());
    CHECK(row.resize(100, rows) == wiped);
    CHECK(row.show("more") == drawn("more"));
    CHECK(row.resize(fewest_columns - 1, rows) == wiped);
    CHECK(row.pass("\n") == "\n");
    CHECK(row.show("more").empty());
}

TEST_CASE("after a new size nothing is known of a line that it wraps") {
    BottomRow row{80, rows};
    static_cast<void>(row.pass(std::string(50, 'x')));
    CHECK(row.show("status") == drawn("status"));
    CHECK(row.resize(45, rows) == wiped);
    CHECK(row.show("status").empty());
    static_cast<void>(row.pass("\n"));
    CHECK(row.show("status") == drawn("status"));
}

// Every guest's bytes, in pieces of any size with a row that changes between them, are there as they were.
TEST_CASE("what firmware and boot programs write comes through whole") {
    for (const std::string name :
         {"seabios-ipxe", "seabios-ipxe-menu", "edk2-ipxe-menu", "edk2-grub", "ipxe-linux"}) {
        for (const std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{100}}) {
            const auto text = guest_text({.terminal = true, .keyboard = true, .rows = 24});
            BottomRow row{80, 24};
            std::string expected;
            std::string written;
            const std::string bytes = stream(name);
            for (std::size_t at = 0; at < bytes.size(); at += size) {
                const std::string piece = text->feed(bytes.substr(at, size));
                expected += piece;
                written += row.pass(piece) + row.show("status");
            }
            CHECK(without_row(written + row.hide()) == expected);
            CHECK(written.find("status") != std::string::npos);
        }
    }
}

}  // namespace
}  // namespace vml::screen
