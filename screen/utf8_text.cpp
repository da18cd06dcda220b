#include "screen/utf8_text.h"

#include <array>
#include <utility>

namespace vml::screen {

namespace {

constexpr unsigned first_437 = 0xb0;
constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

// Code page 437, 0xb0 to 0xdf: shades, lines, blocks.
constexpr std::array<std::string_view, 48> page_437{
    "░", "▒", "▓", "│", "┤", "╡", "╢", "╖", "╕", "╣", "║", "╗", "╝", "╜", "╛", "┐",
    "└", "┴", "┬", "├", "─", "┼", "╞", "╟", "╚", "╔", "╩", "╦", "╠", "═", "╬", "╧",
    "╨", "╤", "╥", "╙", "╘", "╒", "╓", "╫", "╪", "┘", "┌", "█", "▄", "▌", "▐", "▀"};

unsigned value_of(char c) {
    return static_cast<unsigned char>(c);
}

bool is_437(char c) {
    return value_of(c) >= first_437 && value_of(c) < first_437 + page_437.size();
}

// Bytes of the character that this one begins; 0: it begins none (RFC 3629, 4).
std::size_t size_from(char c) {
    const unsigned value = value_of(c);
    if (value < 0x80) {
        return 1;
    }
    if (value >= 0xc2 && value <= 0xdf) {
        return 2;
    }
    if (value >= 0xe0 && value <= 0xef) {
        return 3;
    }
    return value >= 0xf0 && value <= 0xf4 ? 4 : 0;
}

// Overlong forms, surrogates, and what is above U+10FFFF, by the second byte (RFC 3629, 4).
bool second_fits(char first, char second) {
    const unsigned value = value_of(second);
    switch (value_of(first)) {
        case 0xe0:
            return value >= 0xa0;
        case 0xed:
            return value < 0xa0;
        case 0xf0:
            return value >= 0x90;
        case 0xf4:
            return value < 0x90;
        default:
            return true;
    }
}

bool is_c1(std::string_view character) {
    return character.size() == 2 && character[0] == '\xc2' && value_of(character[1]) < 0xa0;
}

}  // namespace

std::string Utf8Text::feed(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    for (const char c : bytes) {
        take(c, out);
    }
    return out;
}

std::string Utf8Text::cut() {
    std::string out;
    wrong(out);
    after_437_ = false;
    return out;
}

void Utf8Text::take(char c, std::string& out) {
    const bool continues =
        !begun_.empty() && is_continuation(c) && (begun_.size() > 1 || second_fits(begun_.front(), c));
    if (!continues) {
        wrong(out);
        begin(c, out);
        return;
    }
    begun_ += c;
    if (begun_.size() == needed_) {
        out += is_c1(begun_) ? std::string{} : begun_;
        begun_.clear();
    }
}

void Utf8Text::begin(char c, std::string& out) {
    const std::size_t size = after_437_ && is_437(c) ? 0 : size_from(c);
    after_437_ = after_437_ && is_437(c);
    if (size == 1) {
        out += c;
    } else {
        begun_.assign(1, c);
        needed_ = size;
        if (size == 0) {
            wrong(out);
        }
    }
}

// What was begun is no UTF-8: each of its bytes stands for itself.
void Utf8Text::wrong(std::string& out) {
    for (const char c : std::exchange(begun_, {})) {
        after_437_ = is_437(c);
        out += after_437_ ? page_437.at(value_of(c) - first_437) : replacement;
    }
}

}  // namespace vml::screen
