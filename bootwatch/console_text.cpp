#include "bootwatch/console_text.h"

#include <algorithm>

namespace vml::boot {

namespace {

constexpr char escape_byte = '\x1b';
constexpr char bell = '\a';  // ends a string on xterm and its kin

// ECMA-48, 5.4: a control sequence ends with a byte of 0x40 to 0x7e.
bool is_final(char c) {
    return c >= '\x40' && c <= '\x7e';
}

}  // namespace

std::vector<std::string> ConsoleText::feed(std::string_view bytes) {
    std::vector<std::string> lines;
    for (const char c : bytes) {
        take(c, lines);
    }
    return lines;
}

void ConsoleText::take(char c, std::vector<std::string>& lines) {
    switch (mode_) {
        case Mode::text:
            take_text(c, lines);
            break;
        case Mode::escape:
            take_escape(c, lines);
            break;
        case Mode::string:
            if (c == '\n') {  // a string that is never closed swallows its line and no more
                mode_ = Mode::text;
                take_text(c, lines);
            } else if (c == bell || c == escape_byte) {
                mode_ = c == bell ? Mode::text : Mode::string_escape;
            }
            break;
        case Mode::string_escape:
            mode_ = c == '\\' ? Mode::text : Mode::string;
            break;
        case Mode::control_sequence:
            take_control(c, lines);
            break;
    }
}

void ConsoleText::take_escape(char c, std::vector<std::string>& lines) {
    constexpr std::string_view string_openers = "]P_^X";  // OSC, DCS, APC, PM, SOS: ECMA-48, 5.6
    if (c == '[') {
        mode_ = Mode::control_sequence;
        numbers_ = {};
        number_ = 0;
        private_ = false;
    } else if (string_openers.find(c) != std::string_view::npos) {
        mode_ = Mode::string;
    } else if (c != escape_byte && (c < '\x20' || c > '\x2f')) {  // "ESC ( B": ECMA-35, 13.2
        mode_ = Mode::text;
        if (c == 'c') {  // RIS
            line_.carriage_return(lines);
            line_.control('H', 1, 1, lines);
        }
    }
}

// ECMA-48, 5.4.2: numbers and what parts them; a sequence that begins with another byte is private.
void ConsoleText::take_control(char c, std::vector<std::string>& lines) {
    if (is_final(c)) {
        mode_ = Mode::text;
        if (!private_ || c == 'J') {
            line_.control(c, numbers_[0], numbers_[1], lines);
        }
    } else if (c == escape_byte) {
        mode_ = Mode::escape;
    } else if (c >= '0' && c <= '9' && number_ < numbers_.size()) {
        constexpr int ten = 10;
        numbers_.at(number_) = std::min(numbers_.at(number_) * ten + (c - '0'), ConsoleLine::most);
    } else if (c == ';') {
        number_ = std::min(number_ + 1, numbers_.size());
    } else if (c > ';' || (c >= ' ' && c <= '/')) {
        private_ = true;
    }
}

void ConsoleText::take_text(char c, std::vector<std::string>& lines) {
    if (c == escape_byte) {
        mode_ = Mode::escape;
    } else if (c == '\n') {
        line_.newline(lines);
    } else if (c == '\r') {
        line_.carriage_return(lines);
    } else if (c == '\b') {  // iPXE wipes its prompts so
        line_.backspace();
    } else if (static_cast<unsigned char>(c) >= 0x20 || c == '\t') {
        line_.put(c, lines);
    }
}

}  // namespace vml::boot
