// Words, lists and numbers of people's, and a whole file.
#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "base/choice.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/url.h"
#include "base/utf8.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

TEST_CASE("a number is the whole of its text") {
    CHECK(whole_number<int>("0") == 0);
    CHECK(whole_number<int>("-7") == -7);
    CHECK(whole_number<std::uint64_t>("18446744073709551615") == UINT64_MAX);
    CHECK(whole_number<unsigned>("ff", 16) == 255);
    for (const char* text : {"", " 1", "1 ", "+1", "1x", "x", "0x1", "1.0", "-1", "4294967296"}) {
        CAPTURE(text);
        CHECK_FALSE(whole_number<std::uint32_t>(text));
    }
}

TEST_CASE("a URL begins with its scheme") {
    for (const char* const url : {"http://h/x", "tftp://h", "git+ssh://h/"}) {
        CHECK(is_url(url));
    }
    for (const char* const other :
         {"", "://h", "/srv/a://b", "#!ipxe\nkernel http://h/k", "http:/h", "a b://h"}) {
        CAPTURE(other);
        CHECK_FALSE(is_url(other));
    }
}

TEST_CASE("lists are read and written") {
    using Words = std::vector<std::string>;
    CHECK(split_list(" a, b,,c ,") == Words{"a", "b", "c"});
    CHECK(split_list(" , ").empty());
    CHECK(listed({"a", "b", "c"}) == "a, b or c");
    CHECK(listed({"a", "b"}, "and") == "a and b");
    CHECK(listed({"a"}) == "a");
    CHECK(listed({}).empty());
    CHECK(trimmed(" \ta b\n") == "a b");
    CHECK(lower("aBC-Ä") == "abc-Ä");
}

TEST_CASE("what somebody else wrote is UTF-8 and commands no terminal") {
    CHECK(printable("a b\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80") == "a b\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    CHECK(printable("\x1b]0;x\x07\r\n\t\x7f") == R"(\x1b]0;x\x07\r\n\t\x7f)");
    CHECK(printable("\xff\xfe") == R"(\xff\xfe)");
    CHECK(printable("\xc2\x9b"
                    "2J") == R"(\xc2\x9b2J)");                      // CSI as one C1 control
    CHECK(printable("\xc3") == R"(\xc3)");                          // cut
    CHECK(printable("\xc0\x9b") == R"(\xc0\x9b)");                  // ESC, overlong
    CHECK(printable("\xe0\x80\x9b") == R"(\xe0\x80\x9b)");          // the same in three
    CHECK(printable("\xed\xa0\x80") == R"(\xed\xa0\x80)");          // a surrogate
    CHECK(printable("\xf4\x90\x80\x80") == R"(\xf4\x90\x80\x80)");  // above U+10FFFF
    CHECK(printable("").empty());
}

TEST_CASE("a character is whole or none") {
    CHECK(utf8::is_all("a\xc3\xa4"));
    CHECK(utf8::is_all(""));
    CHECK_FALSE(utf8::is_all("a\xc3"));
    CHECK(utf8::size_at("a") == 1);
    CHECK(utf8::size_at("\xc3\xa4x") == 2);
    CHECK(utf8::size_at("\xf0\x9f\x98\x80") == 4);
    for (const char* text : {"", "\x80", "\xc3", "\xc3x", "\xf0\x9f\x98", "\xf8\x88\x80\x80\x80"}) {
        CAPTURE(text);
        CHECK(utf8::size_at(text) == 0);
    }
}

TEST_CASE("an enum's words are read back") {
    for (const Choice<LogLevel>& choice : choices<LogLevel>) {
        CHECK(choice_named<LogLevel>(choice.name) == choice.value);
        CHECK(to_string(choice.value) == choice.name);
    }
    CHECK_FALSE(choice_named<LogLevel>("Info"));
    CHECK_FALSE(has_choices<ExitCode>);
}

TEST_CASE("a whole file, or the reason why not") {
    CHECK(read_file("/proc/self/comm").value_or("").ends_with('\n'));
    CHECK_FALSE(read_file("/proc/none"));
    CHECK(errno == ENOENT);
    CHECK_FALSE(read_file("/proc"));
    CHECK(errno == EISDIR);
}

TEST_CASE("control characters are made visible") {
    CHECK(visible("a\rb\n\t\x1b[2J\x7f") == R"(a\rb\n\t\x1b[2J\x7f)");
    CHECK(visible("a\nb\r", "\n") == "a\nb\\r");
    CHECK(visible("Grüße") == "Grüße");
}

}  // namespace
}  // namespace vml
