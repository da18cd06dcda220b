#include "screen/drawn_screen.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace vml::screen {

namespace {

bool is_other_screen(std::string_view mode) {
    return mode == "?1049" || mode == "?1047" || mode == "?47";
}

// The cursor's look and keys, bracketed paste; what is switched off again; questions, which the terminal
// answers.
bool is_harmless(const Piece& piece) {
    constexpr auto modes = std::to_array<std::string_view>({"?1", "?7", "?12", "?25", "?2004"});
    switch (piece.last()) {
        case 'm':
        case 'n':
        case 'c':
        case 'q':
            return true;
        case 'l':
            return !is_other_screen(piece.parameters());
        case 'h':
            return std::find(modes.begin(), modes.end(), piece.parameters()) != modes.end();
        default:
            return false;
    }
}

// Margins, the other screen, where rows are counted from, and whatever else is set that is not known here.
bool changes_screen(const Piece& piece) {
    return piece.last() == 'h' || piece.last() == 'p' || (piece.last() == 'r' && !piece.parameters().empty());
}

}  // namespace

bool edits_line(const Piece& piece) {
    constexpr std::string_view finals = "@CDGKPX`";
    return piece.kind == Piece::Kind::control_sequence && finals.find(piece.last()) != std::string_view::npos;
}

void DrawnScreen::take(const Piece& piece, int rows) {
    anew_ = false;
    switch (piece.kind) {
        case Piece::Kind::text:
            blank_ = at_home_ = false;
            break;
        case Piece::Kind::control:
            if (piece.last() == '\n') {
                blank_ = at_home_ = false;
                drawn_ = drawn_ && ++newlines_ <= rows;
            }
            break;
        case Piece::Kind::escape:
            escape(piece);
            break;
        case Piece::Kind::control_sequence:
            sequence(piece);
            break;
    }
}

void DrawnScreen::escape(const Piece& piece) {
    const bool character_set = piece.bytes.size() == 3;
    if (!character_set && piece.last() != '=' && piece.last() != '>') {
        keeps_cursor_ = piece.last() == '7' || (keeps_cursor_ && piece.last() != '8');
        draw();
    }
}

void DrawnScreen::sequence(const Piece& piece) {
    if (edits_line(piece) || is_harmless(piece)) {
        return;
    }
    const Numbers numbers = numbers_in(piece.parameters());
    if (piece.last() == 'J') {
        clear(numbers.at(0, 0));
    } else if (piece.last() == 'H' || piece.last() == 'f') {
        go(numbers.at(0, 1) == 1 && numbers.at(1, 1) == 1);
    } else {
        over_ = over_ || changes_screen(piece);
        draw();
    }
}

void DrawnScreen::clear(int what) {
    constexpr int below = 0;
    constexpr int whole = 2;
    if (what == below && !drawn_) {
        return;  // of text that flows nothing is there
    }
    const bool home = at_home_;
    draw();
    at_home_ = home;
    blank_ = what == whole || (what == below && home);
    drawn_ = !blank_;
    anew_ = blank_ && home;
}

void DrawnScreen::go(bool home) {
    const bool blank = blank_;
    draw();
    blank_ = blank;
    at_home_ = home;
    if (blank && home) {
        drawn_ = false;
        anew_ = true;
    }
}

void DrawnScreen::draw() {
    drawn_ = true;
    blank_ = at_home_ = false;
    newlines_ = 0;
}

}  // namespace vml::screen
