// Serial console bytes → lines of plain text.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "bootwatch/console_text.h"
#include "tests/unit/catch.h"

namespace vml::boot {
namespace {

using Lines = std::vector<std::string>;

// Whole lines, then what stands behind them.
Lines lines_of(std::string_view bytes) {
    ConsoleText text;
    Lines lines = text.feed(bytes);
    lines.push_back("+" + text.partial());
    return lines;
}

// What a boot by SeaBIOS, iPXE and Linux wrote, cut short.
std::string recorded_bytes() {
    const auto file = std::filesystem::path{VML_TEST_DIR} / "unit/data/console-ipxe-linux.bin";
    std::ifstream stream{file, std::ios::binary};
    std::string bytes{std::istreambuf_iterator<char>{stream}, {}};
    REQUIRE(bytes.size() > 1000);
    return bytes;
}

TEST_CASE("lines end with a newline, a carriage return or both") {
    CHECK(lines_of("") == Lines{"+"});
    CHECK(lines_of("one\ntwo\r\nthree\rfour") == Lines{"one", "two", "three", "+four"});
    CHECK(lines_of("\n\r\n\n") == Lines{"+"});
    CHECK(lines_of("\r\n  \r\n") == Lines{"  ", "+"});
}

TEST_CASE("SeaBIOS's serial console on a busy host: the cursor goes a column back and there again") {
    // pxelinux, on the last of 25 rows
    CHECK(
        lines_of("\x1b"
                 "c\x1b[?7l\x1b[2J" +
                 std::string(40, '\n') +
                 "PXELINUX 6.04 PXE 20200816 Copyright (C) 1994-2\x1b[25;47H\x1b[25;48H015 H. Peter Anvin et "
                 "al\r\r\n\r\nFailed to load ldlinux.c32\r\r\nBoot failed: press a key "
                 "to\x1b[25;27H\x1b[25;28H retry, or wait for reset...\r\r\n....") ==
        Lines{"PXELINUX 6.04 PXE 20200816 Copyright (C) 1994-2015 H. Peter Anvin et al",
              "Failed to load ldlinux.c32", "Boot failed: press a key to retry, or wait for reset...",
              "+...."});
    // GRUB, at the first letter, at the prompt and at a letter that was written twice
    CHECK(lines_of("\x1b[2J\x1b[5;1He\x1b[05;01H\x1b[05;02Hrror: file `/nosuch' not found.\r\n") ==
          Lines{"error: file `/nosuch' not found.", "+"});
    CHECK(lines_of("\x1b[07;01Hgrub\x1b[07;04H\x1b[07;05H> \x1b[07;07H") == Lines{"+grub> "});
    CHECK(lines_of("\x1b[07;01Herr\x1b[07;03Hror: no\n") == Lines{"error: no", "+"});
}

TEST_CASE("GRUB's serial terminal: the cursor is put where it is") {
    CHECK(lines_of("\x1b[H\x1b[J\x1b[1;1Hgrub> \x1b[1;7H") == Lines{"+grub> "});
    CHECK(lines_of("grub> \x1b[18;7H") == Lines{"+grub> "});  // wherever that is: nothing was known
    CHECK(lines_of("\x1b[18;1Herror: file\x1b[18;12H `/k' not found.\r\n") ==
          Lines{"error: file `/k' not found.", "+"});
    CHECK(lines_of("\x1b[22;1H   automatically in 5s.   \x1b[22;1H   automatically in 4s.   \x1b[5;78H") ==
          Lines{"   automatically in 5s.   ", "   automatically in 4s.   ", "+"});
    // both of its terminals are this one: each newline comes twice
    CHECK(lines_of("\x1b[5;1Hone\r\n\r\nerr\x1b[6;3H\x1b[6;4Hor: no\r\n") == Lines{"one", "error: no", "+"});
}

TEST_CASE("GRUB's prompt on two terminals that are one, as GRUB 2.06 and 2.12 write it") {
    // SeaBIOS's serial console, which shows the screen as well
    CHECK(lines_of("   device or file completions.                                           grub> \r\n\n\n"
                   "grub > ")
              .back() == "+grub > ");
    // OVMF's console
    CHECK(lines_of("   device or file completions.                                            \n\r\n\r\n\r"
                   "grub>grub>  ")
              .back() == "+grub>grub>  ");
}

TEST_CASE("pxelinux's menu: a row is a line, and its gaps are blanks") {
    CHECK(lines_of("\x1b[04;11H\x1b[0;30;44m\x0ex\x0f\x1b[0;7;37;40m \x1b[0;30;47m linux  "
                   "\x1b[04;20H \x1b[04;21H   \x1b[0;30;44m\x0ex\x0f\x1b[05;11H") ==
          Lines{"x  linux     x", "+"});
    CHECK(lines_of("\x1b[4;1H|\x1b[4;6H|\x1b[5;1H|") == Lines{"|    |", "+|"});
    CHECK(lines_of("\x1b[2;3H\xe2\x94\x82one\x1b[2;4HO\x1b[2;3H\x1b[2;7H\xe2\x94\x82\n") ==
          Lines{"\xe2\x94\x82One\xe2\x94\x82", "+"});
}

TEST_CASE("moves within a row, and what ends it") {
    CHECK(lines_of("\x1b[3;1Hin 5s.\x1b[3D4\x1b[3;7H!") == Lines{"+in 4s.!"});
    CHECK(lines_of("\x1b[3;1H87%\x1b[3;1H\x1b[3;4H done") == Lines{"+87% done"});
    CHECK(lines_of("vmlinuz... 87%\x1b[12G\x1b[Kok\n") == Lines{"vmlinuz... ok", "+"});
    CHECK(lines_of("abc\x1b[2D\b\b\bx") == Lines{"abc", "+x"});  // anew from its beginning
    CHECK(lines_of("one\x1b[Atwo") == Lines{"one", "+two"});
    CHECK(lines_of("\x1b[3;1Hone\x1b[4;4Htwo") == Lines{"one", "+two"});
    CHECK(lines_of("\x1b[3;1Hone\x1b[3;400Htwo") == Lines{"one", "+two"});
    CHECK(lines_of("one\x1b[3;9Htwo") == Lines{"one", "+two"});
    CHECK(lines_of("one\x1b"
                   "ctwo") == Lines{"one", "+two"});
}

TEST_CASE("however the cursor moves, a line is bounded") {
    std::string bytes;
    for (int i = 0; i < 2000; ++i) {
        bytes += "\x1b[7;" + std::to_string(1 + i * 79) +
                 "Hx\x1b[9999C\x1b[99999999999999999999;3H\xe9\xbf\x1b[7D";
    }
    for (const std::string& line : lines_of(bytes)) {
        REQUIRE(line.size() <= ConsoleText::longest_line);
    }
}

TEST_CASE("colours vanish, cursor movements end the line") {
    CHECK(lines_of("\x1b[0;1miPXE 1.0\x1b[0m -- Open\n") == Lines{"iPXE 1.0 -- Open", "+"});
    CHECK(lines_of("one\x1b[2Jtwo\x1b[1;1Hthree\x1b[5Bfour\x1b[Efive\x1b[2;3fsix") ==
          Lines{"one", "two", "three", "four", "five", "+six"});
    CHECK(lines_of("a\x1b[Kb\x1b[?7lc\x1b[3Cd\x1b[?25he") == Lines{"+abcde"});
    CHECK(lines_of("\x1b"
                   "c\x1b[?7lx") == Lines{"+x"});
    CHECK(lines_of("a\x1b=b\x1b>c\x1bMd") == Lines{"+abcd"});
}

TEST_CASE("escape sequences of more than two bytes vanish whole") {
    CHECK(lines_of("a\x1b(Bb\x1b)0c\x1b#8d") == Lines{"+abcd"});
    CHECK(lines_of("a\x1b\x1b[0mb") == Lines{"+ab"});
    CHECK(lines_of("a\x1b[1\x1b[0mb") == Lines{"+ab"});
}

TEST_CASE("strings for the terminal vanish whole") {
    CHECK(lines_of("a\x1b]0;a title\x07"
                   "b") == Lines{"+ab"});
    CHECK(lines_of("a\x1b]8;;http://x\x1b\\b\x1bPq...\x1b\\c\x1b_x\x1b\\d") == Lines{"+abcd"});
}

TEST_CASE("a string that never ends swallows its line and no more") {
    CHECK(lines_of("a\x1b]no end\nnext\n") == Lines{"a", "next", "+"});
}

TEST_CASE("backspaces take characters back, but not beyond the line's beginning") {
    CHECK(lines_of("vmlinuz... 87%\b\b\b\b    \b\b\b\b ok\n") == Lines{"vmlinuz... ok", "+"});
    CHECK(lines_of("abc\b\b\bx") == Lines{"+x"});
    CHECK(lines_of("\b\b\bx") == Lines{"+x"});
    CHECK(lines_of("one\n\b\bx") == Lines{"one", "+x"});
}

TEST_CASE("other control characters are dropped, tabs and bytes above ASCII kept") {
    CHECK(lines_of(std::string_view{"a\0b\ac\x0e"
                                    "d\te\xc3\xa9\xff\n",
                                    13}) == Lines{"abcd\te\xc3\xa9\xff", "+"});
}

TEST_CASE("a line that is too long comes in pieces, and none is lost") {
    constexpr std::size_t longest = ConsoleText::longest_line;
    const std::string text(2 * longest + 7, 'x');
    CHECK(lines_of(text + "\n") == Lines{text.substr(0, longest), text.substr(0, longest), "xxxxxxx", "+"});
    CHECK(lines_of(text.substr(0, longest) + "\n") == Lines{text.substr(0, longest), "+"});
    CHECK(lines_of(text.substr(0, longest - 1)).size() == 1);
}

TEST_CASE("an escape sequence without an end holds no memory") {
    ConsoleText text;
    for (int i = 0; i < 1000; ++i) {
        CHECK(text.feed("\x1b[" + std::string(1000, '1')).empty());
    }
    CHECK(text.partial().empty());
    CHECK(text.feed("mx\n") == Lines{"x"});
}

TEST_CASE("the text of a recorded boot") {
    const Lines lines = lines_of(recorded_bytes());
    const Lines expected{"SeaBIOS (version 1.16.2-debian-1.16.2-1)",
                         "Machine UUID 95a74e7f-c712-5139-b47b-a0f5e2e2fb19",
                         "iPXE (http://ipxe.org) 00:01.0 C000 PCI2.10 PnP PMM+1EFCEEA0+1EF0EEA0 C000",
                         "Press Ctrl-B to configure iPXE (PCI 00:01.0)...",
                         std::string(79, ' '),
                         "Booting from ROM...",
                         "iPXE (PCI 00:01.0) starting execution...ok",
                         "iPXE initialising devices...ok",
                         "iPXE 1.0.0+git-20190125.36a4c85-5.1 -- Open Source Network Boot Firmware -- http",
                         "://ipxe.org",
                         "Features: DNS HTTP iSCSI NFS TFTP AoE ELF MBOOT PXE bzImage Menu PXEXT",
                         "net0: 52:e2:85:d0:d1:67 using virtio-net on 0000:00:01.0 (open)",
                         "  [Link:up, TX:0 TXE:0 RX:0 RXE:0]",
                         "Configuring (net0 52:e2:85:d0:d1:67)...... ok",
                         "net0: 10.0.2.15/255.255.255.0 gw 10.0.2.2",
                         "net0: fec0::50e2:85ff:fed0:d167/64 gw fe80::2",
                         "net0: fe80::50e2:85ff:fed0:d167/64",
                         "Next server: 10.0.2.2",
                         "Filename: boot.ipxe",
                         "tftp://10.0.2.2/boot.ipxe... ok",
                         "boot.ipxe : 360 bytes [script]",
                         "VM-LAUNCH-SCRIPT-RAN",
                         "vmlinuz... ok",
                         "initrd.gz... ok",
                         "Probing EDD (edd=off to disable)... o"};
    REQUIRE(lines.size() > expected.size() + 2);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(lines[i] == expected[i]);
    }
    CHECK(lines[expected.size()].starts_with("[    0.000000] Linux version 6.1.0-56-cloud-amd64 ("));
}

TEST_CASE("wherever a recorded boot is split, its text is the same") {
    const std::string bytes = recorded_bytes();
    const Lines whole = lines_of(bytes);
    for (std::size_t split = 0; split <= bytes.size(); ++split) {
        ConsoleText text;
        Lines lines = text.feed(std::string_view{bytes}.substr(0, split));
        for (std::string& line : text.feed(std::string_view{bytes}.substr(split))) {
            lines.push_back(std::move(line));
        }
        lines.push_back("+" + text.partial());
        if (lines != whole) {  // one assertion each would take most of the time
            CAPTURE(split);
            REQUIRE(lines == whole);
        }
    }
}

TEST_CASE("a recorded boot, byte by byte") {
    ConsoleText text;
    Lines lines;
    for (const char byte : recorded_bytes()) {
        for (std::string& line : text.feed({&byte, 1})) {
            lines.push_back(std::move(line));
        }
    }
    lines.push_back("+" + text.partial());
    CHECK(lines == lines_of(recorded_bytes()));
}

}  // namespace
}  // namespace vml::boot
