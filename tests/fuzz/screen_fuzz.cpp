// A guest's console, cut into pieces of any size, on a log, on a terminal and raw on one; between the pieces,
// as the input says, lines of others, an operating system that comes and goes, and the end.
//
// Holds that a log gets nothing but text in UTF-8, tabs and newlines; that a terminal is never reset, and
// nothing of it wiped that was scrolled away; that where the pieces are cut changes nothing; and that what
// comes out, and what is put back, is bounded by what went in.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>

#include "screen/guest_text.h"
#include "screen/utf8_text.h"
#include "tests/fuzz/require.h"

namespace {

using namespace vml::screen;

constexpr std::size_t most_put_back = 4096;

void check_log(const std::string& out) {
    for (const char c : out) {
        const auto value = static_cast<unsigned char>(c);
        require((value >= 0x20 && value != 0x7f) || c == '\n' || c == '\t');
    }
    Utf8Text utf8;
    require(utf8.feed(out) + utf8.cut() == out);
}

void check_terminal(const std::string& out) {
    for (const std::string_view harm : {"\x1b"
                                        "c",
                                        "\x1b[3J", "\x1b]", "\x1bP", "\x1b_", "\x1b^", "\x05"}) {
        require(out.find(harm) == std::string::npos);
    }
}

std::string at_once(const OutputKind& kind, std::string_view bytes) {
    return guest_text(kind)->feed(bytes);
}

std::string in_pieces(const OutputKind& kind, std::string_view bytes, std::size_t size) {
    const auto text = guest_text(kind);
    std::string out;
    while (!bytes.empty()) {
        out += text->feed(bytes.substr(0, size));
        bytes.remove_prefix(std::min(size, bytes.size()));
    }
    return out;
}

// 0xfe and 0xff are in no text: here they stand for what others do.
void with_others(const OutputKind& kind, std::string_view bytes) {
    const auto text = guest_text(kind);
    while (!bytes.empty()) {
        const std::size_t size = std::min(bytes.find_first_of("\xfe\xff"), bytes.size());
        std::ignore = text->feed(bytes.substr(0, size));
        const bool system = size < bytes.size() && bytes[size] == '\xfe';
        if (system) {
            text->system_runs(size % 2 == 0);
        } else {
            const std::string before = text->before_own_lines();
            require(!text->mid_line());
            const std::string after = text->after_own_lines();
            require(before.size() < most_put_back && after.size() < most_put_back);
        }
        bytes.remove_prefix(std::min(size + 1, bytes.size()));
    }
    const std::string back = text->restore();
    require(back.size() < most_put_back);
    require(text->restore().empty() && !text->mid_line());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    const std::size_t piece = size > 0 ? std::size_t{data[0]} % 7 + 1 : 1;
    OutputKind screen;
    screen.terminal = true;
    OutputKind raw = screen;
    raw.raw = true;
    check_log(at_once({}, bytes));
    check_terminal(at_once(screen, bytes));
    require(at_once(raw, bytes) == bytes);
    for (const OutputKind& kind : {OutputKind{}, screen, raw}) {
        require(at_once(kind, bytes) == in_pieces(kind, bytes, piece));
        with_others(kind, bytes);
    }
    return 0;
}
