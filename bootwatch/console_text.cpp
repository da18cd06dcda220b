#include "bootwatch/console_text.h"

#include <utility>

namespace vml::boot {

namespace {

constexpr char escape_byte = '\x1b';
constexpr char bell = '\a';  // ends a string on xterm and its kin

// ECMA-48, 5.4: a control sequence ends with a byte of 0x40 to 0x7e.
bool is_final(char c) {
    return c >= '\x40' && c <= '\x7e';
}

// Sequences that put the cursor elsewhere (CUP, HVP, CUD, CNL, ED): what follows is another line.
bool moves_cursor(char final) {
    return final == 'H' || final == 'f' || final == 'B' || final == 'E' || final == 'J';
}

}  // namespace

std::vector<std::string> ConsoleText::feed(std::string_view bytes) {
    std::vector<std::string> lines;
    for (const char c : bytes) {
        take(c, lines);
    }
    return lines;
}

void ConsoleText::end_line(std::vector<std::string>& lines) {
    if (!line_.empty()) {
        lines.push_back(std::exchange(line_, {}));
    }
}

void ConsoleText::take(char c, std::vector<std::string>& lines) {
    switch (mode_) {
        case Mode::text:
            take_text(c, lines);
            break;
        case Mode::escape:
            take_escape(c);
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
            if (is_final(c)) {
                mode_ = Mode::text;
                if (moves_cursor(c)) {
                    end_line(lines);
                }
            } else if (c == escape_byte) {
                mode_ = Mode::escape;
            }
            break;
    }
}

void ConsoleText::take_escape(char c) {
    constexpr std::string_view string_openers = "]P_^X";  // OSC, DCS, APC, PM, SOS: ECMA-48, 5.6
    if (c == '[') {
        mode_ = Mode::control_sequence;
    } else if (string_openers.find(c) != std::string_view::npos) {
        mode_ = Mode::string;
    } else if (c != escape_byte && (c < '\x20' || c > '\x2f')) {  // "ESC ( B": ECMA-35, 13.2
        mode_ = Mode::text;
    }
}

void ConsoleText::take_text(char c, std::vector<std::string>& lines) {
    if (c == escape_byte) {
        mode_ = Mode::escape;
    } else if (c == '\n' || c == '\r') {
        end_line(lines);
    } else if (c == '\b') {  // iPXE wipes its prompts so
        if (!line_.empty()) {
            line_.pop_back();
        }
    } else if (static_cast<unsigned char>(c) >= 0x20 || c == '\t') {
        line_ += c;
        if (line_.size() >= longest_line) {
            end_line(lines);
        }
    }
}

}  // namespace vml::boot
