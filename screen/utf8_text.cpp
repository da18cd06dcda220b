#include "screen/utf8_text.h"

#include <array>
#include <utility>

#include "base/utf8.h"

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
    if (begun_.empty() || !utf8::continues(begun_, c)) {
        wrong(out);
        begin(c, out);
        return;
    }
    begun_ += c;
    if (begun_.size() == needed_) {
        out += utf8::is_c1_control(begun_) ? std::string{} : begun_;
        begun_.clear();
    }
}

void Utf8Text::begin(char c, std::string& out) {
    const std::size_t size = after_437_ && is_437(c) ? 0 : utf8::size_from(c);
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
