#include <memory>
#include <string>
#include <string_view>
#include <tuple>

#include "screen/guest_text.h"
#include "tests/unit/catch.h"
#include "tests/unit/screen_support.h"

namespace vml::screen {
namespace {

using Text = std::unique_ptr<GuestText>;

Text terminal(bool keyboard = true) {
    OutputKind kind;
    kind.terminal = true;
    kind.keyboard = keyboard;
    kind.rows = 3;
    return guest_text(kind);
}

std::string shown(std::string_view bytes) {
    return terminal()->feed(bytes);
}

std::string byte_by_byte(std::string_view bytes) {
    const Text text = terminal();
    std::string out;
    for (const char c : bytes) {
        out += text->feed({&c, 1});
    }
    return out;
}

std::size_t count(const std::string& text, std::string_view part) {
    std::size_t times = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++times;
    }
    return times;
}

const std::string seabios_begins =
    "\x1b"
    "c\x1b[?7l\x1b[2J";
const std::string edk2_begins = "\x1b[2J\x1b[01;01H\x1b[=3h\x1b[2J\x1b[01;01H";
// What is on the screen is scrolled away, 3 rows of it.
const std::string scrolled_away = "\x1b[0m\x1b[999;1H\n\n\n";

// -- firmware

TEST_CASE("SeaBIOS's reset, wrap-off and clear are dropped") {
    CHECK(shown(seabios_begins + "\x1b[0mSeaBIOS\r\n") == "\x1b[0mSeaBIOS\r\n");
    CHECK(shown("Probing EDD... o" + seabios_begins + "[    0.000000] Linux") ==
          "Probing EDD... o\r\n[    0.000000] Linux");
}

TEST_CASE("edk2's clears and homes are dropped") {
    CHECK(shown(edk2_begins + "\r\nUEFI\r\n") == "\r\nUEFI\r\n");
    CHECK(shown("text\x1b[H\x1b[Jmore") == "text\r\nmore");
}

TEST_CASE("a menu gets the screen, with what was written since the clear at its top") {
    CHECK(shown("boot\r\n\x1b[2J\x1b[0;44m\x1b[2J\x1b[02;35HMenu") ==
          "boot\r\n\x1b[0;44m" + scrolled_away + "\x1b[0;44m\x1b[2J\x1b[H\x1b[02;35HMenu");
    CHECK(shown("boot\r\n\x1b[2J\x1b[1;1HGRUB\r\n\x1b[5;2Hitem") ==
          "boot\r\nGRUB\r\n" + scrolled_away + "\x1b[2J\x1b[HGRUB\r\n\x1b[5;2Hitem");
}

TEST_CASE("a menu's own clear clears, and running text follows at its place") {
    CHECK(shown("\x1b[2J\x1b[5;2Hitem\x1b[2J\x1b[Hafter\r\n") ==
          scrolled_away + "\x1b[2J\x1b[H\x1b[5;2Hitem\x1b[2J\x1b[Hafter\r\n");
}

TEST_CASE("text at the top without a clear is text over what is there: it is a menu's") {
    CHECK(shown("one\r\n\x1b[Htwo") == "one\r\n\x1b[Htwo");
}

TEST_CASE("more text than is kept is not written again") {
    const std::string much(20'000, 'x');
    const std::string out = shown("\x1b[2J" + much + "\x1b[5;2Hitem");
    CHECK(out == much + "\x1b[5;2Hitem");
}

TEST_CASE("real boots: nothing clears, and a menu keeps its order, wherever the stream is cut") {
    CHECK(count(shown(stream("seabios-ipxe")), "\x1b[2J") == 0);
    for (const std::string name : {"seabios-ipxe", "seabios-ipxe-menu", "edk2-ipxe-menu", "edk2-grub"}) {
        const std::string out = shown(stream(name));
        CHECK(out == byte_by_byte(stream(name)));
        CHECK(count(out,
                    "\x1b"
                    "c") == 0);
        CHECK(count(out, "\x1b[?7l") == 0);
        CHECK(count(out, "\x1b[=3h") == 0);
    }
    const std::string menu = shown(stream("edk2-ipxe-menu"));
    CHECK(menu.find("My boot menu") > menu.find(scrolled_away));
    CHECK(menu.find("\x1b[06;02H") != std::string::npos);
}

// -- an operating system

TEST_CASE("an operating system may clear the screen, but not reset the terminal") {
    const Text text = terminal();
    text->system_runs(true);
    CHECK(text->feed("# clear\r\n\x1b[H\x1b[2J\x1b[3J# ") == "# clear\r\n\x1b[H\x1b[2J# ");
    CHECK(text->feed("\x1b[?1049h\x1b[?25l\x1b[1;1H~\x1b"
                     "c") == "\x1b[?1049h\x1b[?25l\x1b[1;1H~\x1b[?1049l\x1b[?25h\x1b[2J\x1b[H");
    CHECK(text->feed("\x1b[?7lx\x1b[?7h") == "x\x1b[?7h");  // with the reset, as SeaBIOS does
    text->system_runs(true);
    CHECK(text->feed("\x1b[?7lx\x1b[?7h") == "\x1b[?7lx\x1b[?7h");
}

TEST_CASE("a full-screen program's sequences pass as they are") {
    const Text text = terminal();
    text->system_runs(true);
    const std::string vim =
        "\x1b[?1049h\x1b[?1h\x1b=\x1b[1;24r\x1b[?12h\x1b[?25h\x1b[27m\x1b[H\x1b[2J\x1b[2;1H~"
        "\x1b[K\x1b[24;1H\"file\"\x1b[1;1H\x1b[L\x1b[M\x1b[2@\x1b[3P\x1b"
        "7\x1b"
        "8\x1bM";
    CHECK(text->feed(vim) == vim);
}

TEST_CASE("whoever has the console: no strings, no window, no questions that nobody answers") {
    for (const bool runs : {false, true}) {
        const Text text = terminal(false);
        text->system_runs(runs);
        CHECK(text->feed("\x1b]0;title\a\x1b]52;c;aGk=\a\x1b[8;10;10t\x1b[6n\x1b[c\x1bZ\x1b[>q\x1b[?1$"
                         "p\x05\x1b[?3hx") == "x");
        CHECK(text->feed("\xc2\x9b"
                         "2Jx") == "2Jx");
    }
    CHECK(shown("\x1b[6n\x1b[c\x1b[>q\x1b[21t") == "\x1b[6n\x1b[c");
}

// -- lines of others

TEST_CASE("own lines begin a line, are not clipped or coloured, and the guest goes on as before") {
    const Text text = terminal();
    text->system_runs(true);
    CHECK(text->before_own_lines().empty());
    CHECK(text->after_own_lines().empty());
    std::ignore = text->feed("\x1b[31m\x1b[1m\x1b[?7l\x1b(0\x0elong");
    CHECK(text->mid_line());
    CHECK(text->before_own_lines() == "\x1b[?7h\x1b[0m\x1b(B\x0f\n");
    CHECK_FALSE(text->mid_line());
    CHECK(text->after_own_lines() == "\x1b(0\x0e\x1b[31m\x1b[1m\x1b[?7l");
}

TEST_CASE("what firmware wiped is no text") {
    const Text text = terminal();
    std::ignore = text->feed("Press Ctrl-B\r            ");
    CHECK_FALSE(text->mid_line());
    CHECK(text->before_own_lines() == "\r");
    std::ignore = text->feed("ab\b \b\b \b");
    CHECK_FALSE(text->mid_line());
    CHECK(text->before_own_lines().empty());
    std::ignore = text->feed("ab\b \b");
    CHECK(text->mid_line());
}

TEST_CASE("below a menu that stays, what comes last is written last") {
    const Text text = terminal();
    std::ignore = text->feed("\x1b[2J\x1b[5;2Hitem");
    std::ignore = text->before_own_lines();
    std::ignore = text->after_own_lines();
    CHECK(text->restore() == "\x1b[999;1H\n");
}

TEST_CASE("over a menu own lines go to the bottom, and the menu's next clear keeps them") {
    const Text text = terminal();
    std::ignore = text->feed("\x1b[2J\x1b[5;2Hitem");
    CHECK_FALSE(text->mid_line());
    CHECK(text->before_own_lines() ==
          "\x1b"
          "7\x1b[999;1H\n");
    CHECK(text->after_own_lines() ==
          "\x1b"
          "8");
    CHECK(text->feed("\x1b[6;2Hmore\x1b[2J\x1b[1;1Hafter") == "\x1b[6;2Hmore\x1b[999;1H\nafter");
}

// -- the end

TEST_CASE("what the guest changed is put back, and nothing else") {
    const auto left = [](std::string_view bytes) {
        const Text text = terminal();
        text->system_runs(true);
        std::ignore = text->feed(bytes);
        const std::string back = text->restore();
        CHECK(text->restore().empty());
        return back;
    };
    CHECK(left("text\r\n").empty());
    CHECK(left("text") == "\n");
    CHECK(left("\x1b[31mred\x1b[0m\r\n").empty());
    CHECK(left("\x1b[31m") == "\x1b[0m");
    CHECK(left("\x1b[?7l") == "\x1b[?7h");
    CHECK(left("\x1b[?25l") == "\x1b[?25h");
    CHECK(left("\x1b[?25l\x1b[?25h").empty());
    CHECK(left("\x1b[?1000;1006h") == "\x1b[?1000l\x1b[?1006l");
    CHECK(left("\x1b[?1049h\x1b[5;5Hx") == "\x1b[?1049l\n");
    CHECK(left("\x1b[5;5Hx") == "\x1b[999;1H\n");
    CHECK(left("\x1b[2;5r") ==
          "\x1b"
          "7\x1b[r\x1b"
          "8");
    CHECK(left("\x1b=\x1b)0\x0e\x1b[4h\x1b[3 q") == "\x0f\x1b(B\x1b)B\x1b>\x1b[0 q\x1b[4l");
    CHECK(left("\x1b[?7l\x1b[!p").empty());
}

TEST_CASE("what a guest can make us keep is bounded") {
    const Text text = terminal();
    for (int i = 0; i < 10'000; ++i) {
        std::ignore = text->feed("\x1b[?" + std::to_string(i) + "h\x1b[1m\x1b(0");
    }
    CHECK(text->restore().size() < 2000);
}

TEST_CASE("raw, a terminal gets every byte, and is put back all the same") {
    OutputKind kind;
    kind.terminal = kind.raw = true;
    const Text text = guest_text(kind);
    const std::string bytes = seabios_begins +
                              "\x1b]0;title\a\xff"
                              "text";
    CHECK(text->feed(bytes) == bytes);
    CHECK(text->mid_line());
    CHECK(text->restore() == "\x1b[?7h\n");
}

}  // namespace
}  // namespace vml::screen
