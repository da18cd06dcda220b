#include "screen/terminal_modes.h"

#include <algorithm>

namespace vml::screen {

namespace {

// Bounds of what a guest can make us keep.
constexpr std::size_t most_modes = 64;
constexpr std::size_t longest_attributes = 256;

// Line wrap and the cursor are on by default, all else is off (xterm's ctlseqs; DEC's manuals).
char default_of(std::string_view mode) {
    return mode == "?7" || mode == "?25" ? 'h' : 'l';
}

}  // namespace

void TerminalModes::saw(const Piece& piece) {
    if (piece.kind == Piece::Kind::control) {
        shifted_ = piece.last() == '\x0e' || (shifted_ && piece.last() != '\x0f');
    } else if (piece.kind == Piece::Kind::control_sequence) {
        saw_control_sequence(piece);
    } else if (piece.kind == Piece::Kind::escape && piece.bytes.size() == 2) {
        if (piece.last() == '=' || piece.last() == '>') {
            keypad_ = piece.last() == '=';
        } else if (piece.last() == 'c') {
            forget();
        }
    } else if (piece.kind == Piece::Kind::escape && (piece.bytes[1] == '(' || piece.bytes[1] == ')')) {
        const bool usual = piece.last() == 'B';
        character_sets_ = usual && piece.bytes[1] == '(' ? "" : character_sets_ + std::string{piece.bytes};
        if (character_sets_.size() > longest_attributes) {
            character_sets_ = piece.bytes;
        }
    }
}

void TerminalModes::saw_control_sequence(const Piece& piece) {
    const std::string_view parameters = piece.parameters();
    switch (piece.last()) {
        case 'h':
        case 'l':
            saw_mode(piece);
            break;
        case 'm':
            saw_attributes(piece.bytes);
            break;
        case 'r':
            region_ = !parameters.empty() && parameters.front() != '?';
            break;
        case 'q':
            cursor_style_ = cursor_style_ || (!parameters.empty() && parameters.back() == ' ');
            break;
        case 'p':
            if (parameters == "!") {  // DECSTR leaves the alternate screen and the mouse alone
                attributes_.clear();
                character_sets_.clear();
                shifted_ = keypad_ = region_ = false;
                for (const std::string_view mode : {"?1", "?6", "?7", "?25", "4"}) {
                    changed_.erase(std::string{mode});
                }
            }
            break;
        default:
            break;
    }
}

void TerminalModes::saw_mode(const Piece& piece) {
    std::string_view rest = piece.parameters();
    const bool is_private = !rest.empty() && rest.front() == '?';
    rest.remove_prefix(is_private ? 1 : 0);
    while (!rest.empty()) {
        const std::string_view number = rest.substr(0, rest.find(';'));
        rest.remove_prefix(std::min(rest.size(), number.size() + 1));
        const std::string mode = (is_private ? "?" : "") + std::string{number};
        if (piece.last() == default_of(mode)) {
            changed_.erase(mode);
        } else if (changed_.size() < most_modes) {
            changed_[mode] = piece.last();
        }
    }
}

void TerminalModes::saw_attributes(std::string_view bytes) {
    const std::string_view parameters = bytes.substr(2, bytes.size() - 3);
    const bool resets = parameters.empty() || parameters == "0" || parameters == "00";
    if (resets || parameters.starts_with("0;") || attributes_.size() > longest_attributes) {
        attributes_.clear();
    }
    if (!resets) {
        attributes_ += bytes;
    }
}

bool TerminalModes::on_alternate_screen() const {
    return changed_.contains("?1049") || changed_.contains("?1047") || changed_.contains("?47");
}

std::string TerminalModes::set_aside() const {
    std::string out;
    out += wraps() ? "" : "\x1b[?7h";
    out += attributes_.empty() ? "" : "\x1b[0m";
    out += changed_.contains("4") ? "\x1b[4l" : "";  // inserted text pushes the rest of its line away
    out += character_sets_.empty() ? "" : "\x1b(B";
    out += shifted_ ? "\x0f" : "";
    return out;
}

std::string TerminalModes::take_up() const {
    std::string out = character_sets_;
    out += shifted_ ? "\x0e" : "";
    out += changed_.contains("4") ? "\x1b[4h" : "";
    out += attributes_;
    out += wraps() ? "" : "\x1b[?7l";
    return out;
}

std::string TerminalModes::undo() const {
    std::string out;
    out += shifted_ ? "\x0f" : "";
    out += character_sets_.empty() ? "" : "\x1b(B\x1b)B";
    out += attributes_.empty() ? "" : "\x1b[0m";
    out += keypad_ ? "\x1b>" : "";
    out += cursor_style_ ? "\x1b[0 q" : "";
    out += region_ ? "\x1b"
                     "7\x1b[r\x1b"
                     "8"
                   : "";  // DECSTBM moves the cursor
    for (const auto& [mode, set_to] : changed_) {
        out += "\x1b[" + mode + (set_to == 'h' ? "l" : "h");
    }
    return out;
}

}  // namespace vml::screen
