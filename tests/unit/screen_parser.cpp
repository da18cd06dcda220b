#include <string>
#include <vector>

#include "screen/escape_parser.h"
#include "screen/utf8_text.h"
#include "tests/unit/catch.h"

namespace vml::screen {
namespace {

using Words = std::vector<std::string>;

// Each piece with a letter for its kind; text byte by byte or at once is the same text.
Words pieces_of(const Words& chunks) {
    Words pieces;
    EscapeParser parser;
    for (const std::string& chunk : chunks) {
        parser.feed(chunk, [&](const Piece& piece) {
            const char kind = std::string_view{"tces"}[static_cast<std::size_t>(piece.kind)];
            if (kind == 't' && !pieces.empty() && pieces.back().front() == 't') {
                pieces.back() += piece.bytes;
            } else {
                pieces.push_back(kind + std::string{piece.bytes});
            }
        });
    }
    return pieces;
}

Words one_by_one(const std::string& bytes) {
    Words chunks;
    for (const char c : bytes) {
        chunks.emplace_back(1, c);
    }
    return chunks;
}

TEST_CASE("text, controls and sequences are told apart, wherever they are cut") {
    const std::string bytes =
        "\x1b"
        "c\x1b[?7l\x1b[2JSea\r\n\x1b(0x\x1b[01;02H\x1b#8";
    const Words whole = pieces_of({bytes});
    CHECK(whole == Words{"e\x1b"
                         "c",
                         "s\x1b[?7l", "s\x1b[2J", "tSea", "c\r", "c\n", "e\x1b(0", "tx", "s\x1b[01;02H",
                         "e\x1b#8"});
    CHECK(pieces_of(one_by_one(bytes)) == whole);
}

TEST_CASE("strings yield nothing: titles, the clipboard, pictures") {
    for (const std::string text : {"\x1b]0;title\aX", "\x1b]52;c;aGk=\x1b\\X", "\x1bPq#0\x1b\\X",
                                   "\x1b_x\x1b\\X", "\x1b^x\x1b\\X", "\x1bXx\x1b\\X", "\x1bktitle\x1b\\X"}) {
        Words pieces = pieces_of(one_by_one(text));
        REQUIRE_FALSE(pieces.empty());
        CHECK(pieces.back() == "tX");
        pieces.pop_back();
        CHECK((pieces.empty() || pieces == Words{"e\x1b\\"}));
    }
}

TEST_CASE("what is never ended is bounded") {
    CHECK(pieces_of({"\x1b]0;never ended\nnext"}) == Words{"c\n", "tnext"});
    CHECK(pieces_of({"\x1b]" + std::string(EscapeParser::longest_string + 3, 'x')}) == Words{"txxx"});
    CHECK(pieces_of({"\x1b[" + std::string(100'000, '1') + "mX"}) == Words{"tX"});
    CHECK(pieces_of({"\x1b[12\nX"}) == Words{"c\n", "tX"});
    CHECK(pieces_of({"\x1b[12\x1b[1mX"}) == Words{"s\x1b[1m", "tX"});
    CHECK(pieces_of({"\x1b[12\x18X"}) == Words{"tX"});
    CHECK(pieces_of({"\x1b\x1b\x1b[mX"}) == Words{"s\x1b[m", "tX"});
}

TEST_CASE("the numbers of a sequence") {
    CHECK(numbers_in("01;35").at(0, 1) == 1);
    CHECK(numbers_in("01;35").at(1, 1) == 35);
    CHECK(numbers_in("").at(0, 1) == 1);
    CHECK(numbers_in("0").at(0, 1) == 1);
    CHECK(numbers_in(";7").at(1, 1) == 7);
    CHECK(numbers_in("?25").marker == '?');
    CHECK(numbers_in("99999999999999999999").at(0, 1) == 9999);
    CHECK(numbers_in(std::string(100, ';')).count == 16);
}

std::string clean(const Words& chunks) {
    Utf8Text text;
    std::string out;
    for (const std::string& chunk : chunks) {
        out += text.feed(chunk);
    }
    return out + text.cut();
}

TEST_CASE("UTF-8 passes, wherever it is cut") {
    const std::string text = "Grüße \xe2\x94\x80 \xf0\x9f\x98\x80";
    CHECK(clean({text}) == text);
    CHECK(clean(one_by_one(text)) == text);
}

TEST_CASE("what is no UTF-8 becomes what it is in code page 437, or is replaced") {
    CHECK(clean({"\xda\xc4\xc4\xbf"}) == "┌──┐");  // the last two would be a letter, but follow lines
    CHECK(clean({"\xb3 x \xb3"}) == "│ x │");
    CHECK(clean({"a\xff"
                 "b\x80"}) ==
          "a\xef\xbf\xbd"
          "b\xef\xbf\xbd");
    CHECK(clean({"\xe2\x94"}) == "\xef\xbf\xbd\xef\xbf\xbd");          // cut by a control character
    CHECK(clean({"\xed\xa0\x80"}).find('\xed') == std::string::npos);  // a surrogate
}

TEST_CASE("C1 controls in UTF-8 are dropped: a terminal may obey them") {
    CHECK(clean({"a\xc2\x9b"
                 "31mb"}) == "a31mb");
    CHECK(clean({"a\xc2\xa0"
                 "b"}) ==
          "a\xc2\xa0"
          "b");
}

}  // namespace
}  // namespace vml::screen
