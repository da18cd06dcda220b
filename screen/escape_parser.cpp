#include "screen/escape_parser.h"

#include <algorithm>

namespace vml::screen {

namespace {

constexpr char escape_byte = '\x1b';
constexpr char bell = '\a';      // ends a string on xterm and its kin
constexpr char cancel = '\x18';  // CAN and SUB end whatever goes on (ECMA-48, 8.3.6; DEC's parser)
constexpr char substitute = '\x1a';
constexpr char delete_byte = '\x7f';

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == delete_byte;
}

// OSC, DCS, APC, PM and SOS (ECMA-48, 5.6), and the title of screen and tmux.
bool opens_string(char c) {
    constexpr std::string_view openers = "]P_^Xk";
    return openers.find(c) != std::string_view::npos;
}

}  // namespace

void EscapeParser::feed(std::string_view bytes, const Sink& sink) {
    while (!bytes.empty()) {
        std::size_t taken = mode_ == Mode::ground ? take_run(bytes, sink) : 0;
        if (taken == 0) {
            take(bytes.front(), sink);
            taken = 1;
        }
        bytes.remove_prefix(taken);
    }
}

std::size_t EscapeParser::take_run(std::string_view bytes, const Sink& sink) {
    const auto size =
        static_cast<std::size_t>(std::find_if(bytes.begin(), bytes.end(), is_control) - bytes.begin());
    if (size > 0) {
        sink({Piece::Kind::text, bytes.substr(0, size)});
    }
    return size;
}

void EscapeParser::take(char c, const Sink& sink) {
    switch (mode_) {
        case Mode::ground:
            if (c == escape_byte) {
                begin_escape();
            } else {
                sink({is_control(c) ? Piece::Kind::control : Piece::Kind::text, {&c, 1}});
            }
            break;
        case Mode::escape:
            take_escape(c, sink);
            break;
        case Mode::control_sequence:
            take_control_sequence(c, sink);
            break;
        case Mode::string:
            take_string(c, sink);
            break;
    }
}

void EscapeParser::begin_escape() {
    mode_ = Mode::escape;
    sequence_.assign(1, escape_byte);
    too_long_ = false;
}

void EscapeParser::keep(char c) {
    if (sequence_.size() < longest_sequence) {
        sequence_ += c;
    } else {
        too_long_ = true;
    }
}

void EscapeParser::end(Piece::Kind kind, const Sink& sink) {
    mode_ = Mode::ground;
    if (!too_long_) {
        sink({kind, sequence_});
    }
}

// A byte that cannot be part of the sequence is taken for itself.
void EscapeParser::give_up(char c, const Sink& sink) {
    mode_ = Mode::ground;
    if (c != cancel && c != substitute) {
        take(c, sink);
    }
}

void EscapeParser::take_escape(char c, const Sink& sink) {
    const bool first = sequence_.size() == 1;
    if (first && c == '[') {
        keep(c);
        mode_ = Mode::control_sequence;
    } else if (first && opens_string(c)) {
        mode_ = Mode::string;
        string_size_ = 0;
    } else if (c >= '\x20' && c <= '\x2f') {  // "ESC ( B": ECMA-35, 13.2
        keep(c);
    } else if (c >= '\x30' && c <= '\x7e') {
        keep(c);
        end(Piece::Kind::escape, sink);
    } else {
        give_up(c, sink);
    }
}

void EscapeParser::take_control_sequence(char c, const Sink& sink) {
    if (c >= '\x20' && c <= '\x3f') {
        keep(c);
    } else if (c >= '\x40' && c <= '\x7e') {
        keep(c);
        end(Piece::Kind::control_sequence, sink);
    } else {
        give_up(c, sink);
    }
}

void EscapeParser::take_string(char c, const Sink& sink) {
    if (c == bell || c == cancel || c == substitute) {
        mode_ = Mode::ground;
    } else if (c == escape_byte) {  // "ESC \" ends it, and any other sequence too
        begin_escape();
    } else if (c == '\n' || ++string_size_ > longest_string) {
        give_up(c, sink);
    }
}

int Numbers::at(int n, int fallback) const {
    if (n >= count) {
        return fallback;
    }
    const int value = values.at(static_cast<std::size_t>(n));
    return value > 0 ? value : fallback;
}

Numbers numbers_in(std::string_view parameters) {
    constexpr int most = 9999;
    Numbers numbers;
    if (!parameters.empty() && parameters.front() >= '<' && parameters.front() <= '?') {
        numbers.marker = parameters.front();
        parameters.remove_prefix(1);
    }
    int value = -1;
    for (const char c : parameters) {
        if (c >= '0' && c <= '9') {
            value = std::min(most, std::max(value, 0) * 10 + (c - '0'));
        } else if (c == ';' && numbers.count < 15) {
            numbers.values.at(static_cast<std::size_t>(numbers.count++)) = value;
            value = -1;
        }
    }
    numbers.values.at(static_cast<std::size_t>(numbers.count++)) = value;
    return numbers;
}

}  // namespace vml::screen
