#include <string>

#include "screen/guest_text.h"
#include "tests/unit/catch.h"
#include "tests/unit/screen_support.h"

namespace vml::screen {
namespace {

std::string log_of(std::string_view bytes) {
    return guest_text({})->feed(bytes);
}

std::string log_byte_by_byte(std::string_view bytes) {
    const auto text = guest_text({});
    std::string out;
    for (const char c : bytes) {
        out += text->feed({&c, 1});
    }
    return out;
}

TEST_CASE("a log gets text alone") {
    CHECK(log_of("\x1b[0;1miPXE\x1b[0m runs\r\n") == "iPXE runs\n");
    CHECK(log_of("a\0b\x05\x07\x7f"
                 "c\n") == "a");  // the literal ends at its NUL
    CHECK(log_of(std::string_view{"a\0b\x05\x07\x7f"
                                  "c\n",
                                  8}) == "abc\n");
    CHECK(log_of("tab\there\n\n  indented\n") == "tab\there\n\n  indented\n");
}

TEST_CASE("a prompt is told at once, its blank too") {
    CHECK(log_of("login: ") == "login: ");
}

TEST_CASE("what is wiped leaves nothing behind, and what is written over follows") {
    CHECK(log_of("x... 10%\b\b\b\b    \b\b\b\b 20%\b\b\b\b    \b\b\b\b ok\r\n") == "x... 10% 20% ok\n");
    CHECK(log_of("get 10%\b\b\b20%\b\b\b30%\n") == "get 10% 20% 30%\n");
    CHECK(log_of("Press Ctrl-B...\r               \r\n\nnext") == "Press Ctrl-B...\n\nnext");
    CHECK(log_of("wait\b \b\b \b\b \b\b \bnet0: open\n") == "wait\nnet0: open\n");
    CHECK(log_of("\r 5%\r10%\r15%\r\ndone\n") == " 5%\n10%\n15%\ndone\n");
    CHECK(log_of("line\r\r\n") == "line\n");
}

TEST_CASE("what is drawn becomes lines") {
    CHECK(log_of(
              "text\x1b[2J\x1b[02;35HTitle\x1b[04;02H  One      \x1b[05;02H          \x1b[06;02H  Two\r\n\n\n"
              "after\n") == "text\nTitle\nOne\nTwo\nafter\n");
    CHECK(log_of("\x1b[1;1Hab\x1b[1;5Hc\x1b[1;1Hd") == "ab  c\nd");
    CHECK(log_of("a\x1b[3Cb\n") == "a   b\n");
}

TEST_CASE("a line editor's wiping behind the cursor ends no line") {
    CHECK(log_of("# ls\x1b[J\x1b[K -l\n") == "# ls -l\n");
}

TEST_CASE("a guest cannot fill a log with blanks") {
    CHECK(log_of("\x1b[9999Cx\x1b[9999C\x1b[9999Cy").size() < 2000);
}

TEST_CASE("real boots: each line is there, and no control character") {
    for (const std::string name : {"seabios-ipxe", "seabios-ipxe-menu", "edk2-ipxe-menu", "edk2-grub"}) {
        const std::string bytes = stream(name);
        const std::string log = log_of(bytes);
        CHECK(log == log_byte_by_byte(bytes));
        for (const char c : log) {
            REQUIRE((static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t'));
        }
        CHECK(log.find(name == "edk2-grub"
                           ? "\nWelcome to GRUB!\n"
                           : "\nnet0: 10.0.2.15/255.255.255.0 gw 10.0.2.2\n") != std::string::npos);
    }
    CHECK(log_of(stream("seabios-ipxe"))
              .find("\nhi\nfoo: command not found\nCould not boot image: Exec format error "
                    "(http://ipxe.org/2e022001)\n") != std::string::npos);
    CHECK(log_of(stream("edk2-ipxe-menu")).find("\nMy boot menu\nSystems\nFirst thing\n") !=
          std::string::npos);
    CHECK(log_of(stream("edk2-grub")).find("\n*Linux\nOther\n") != std::string::npos);
}

TEST_CASE("lines of others begin a line, and the guest's goes on behind them") {
    const auto text = guest_text({});
    CHECK(text->before_own_lines().empty());
    CHECK(text->feed("Mach") == "Mach");
    CHECK(text->mid_line());
    CHECK(text->before_own_lines() == "\n");
    CHECK_FALSE(text->mid_line());
    CHECK(text->feed("ine UUID\n") == "ine UUID\n");
    CHECK(text->feed("10%") == "10%");
    CHECK(text->before_own_lines() == "\n");
    CHECK(text->feed("\b\b\b20%\n") == "20%\n");
    CHECK(text->feed("end") == "end");
    CHECK(text->restore() == "\n");
    CHECK(text->restore().empty());
}

TEST_CASE("raw, a log gets every byte") {
    const auto text = guest_text({false, false, true});
    CHECK(text->feed("\x1b"
                     "c10%\b\b") ==
          "\x1b"
          "c10%\b\b");
    CHECK(text->mid_line());
    CHECK(text->before_own_lines() == "\n");
}

}  // namespace
}  // namespace vml::screen
