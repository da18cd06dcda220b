#include "screen/bottom_row.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/utf8.h"

namespace vml::screen {

namespace {

// DECSC keeps the attributes and character sets too, which the row is to have none of.
constexpr std::string_view keep_cursor =
    "\x1b"
    "7";
constexpr std::string_view cursor_again =
    "\x1b"
    "8";
// Index, and up again: there is a line below the cursor's, and the cursor is where it was.
constexpr std::string_view make_room =
    "\x1b"
    "D\x1b[A";

bool sets_alternate_screen(const Piece& piece) {
    const std::string_view parameters = piece.parameters();
    return parameters == "?1049" || parameters == "?1047" || parameters == "?47";
}

// Within the cursor's line: ICH, CUF, CUB, CHA, EL, DCH, ECH, HPA, SGR, DECSCUSR.
bool stays_in_line(const Piece& piece) {
    constexpr std::string_view finals = "@CDGKPX`mq";
    return finals.find(piece.last()) != std::string_view::npos;
}

// Wrap, the cursor's look and keys, bracketed paste.
bool is_harmless_mode(const Piece& piece) {
    constexpr std::string_view modes = "?1 ?7 ?12 ?25 ?2004";
    const std::string_view parameters = piece.parameters();
    return (piece.last() == 'h' || piece.last() == 'l') && parameters.starts_with('?') &&
           (" " + std::string{modes} + " ").find(" " + std::string{parameters} + " ") != std::string::npos;
}

}  // namespace

std::string BottomRow::pass(std::string_view bytes) {
    parser_.feed(bytes, [this](const Piece& piece) { take(piece); });
    settle();
    return std::exchange(out_, {});
}

std::string BottomRow::show(std::string text) {
    const bool changed = text != text_;
    text_ = std::move(text);
    if (shown_ && text_.empty()) {
        give_way();
    } else if (shown_ && changed) {
        out_ += drawn();
    }
    settle();
    return std::exchange(out_, {});
}

std::string BottomRow::resize(int columns, int rows) {
    if (shown_) {
        const bool stands_alone = rows > rows_;  // in the middle of the screen now
        out_ += stands_alone ? hidden() : fmt::format("{}\x1b[r{}", keep_cursor, cursor_again);
        shown_ = false;
    }
    columns_ = columns;
    rows_ = rows;
    settle();
    return std::exchange(out_, {});
}

void BottomRow::take(const Piece& piece) {
    switch (piece.kind) {
        case Piece::Kind::text:
            column_ += static_cast<int>(std::count_if(piece.bytes.begin(), piece.bytes.end(),
                                                      [](char c) { return !utf8::is_continuation(c); }));
            break;
        case Piece::Kind::control:
            control(piece.last());
            break;
        default:
            sequence(piece);
            break;
    }
    out_ += piece.bytes;
}

void BottomRow::control(char c) {
    if (c == '\n') {
        taken_ = taken_ && (alternate_ || ++newlines_ <= rows_);
    }
    if (c == '\n' || c == '\r') {
        column_ = 0;
    }
}

void BottomRow::sequence(const Piece& piece) {
    const bool control_sequence = piece.kind == Piece::Kind::control_sequence;
    if (control_sequence && piece.last() == 'J' && numbers_in(piece.parameters()).at(0, 0) == 0) {
        wiped_ = shown_;
        return;
    }
    const bool character_set = !control_sequence && piece.bytes.size() == 3;
    if (character_set || (control_sequence && (stays_in_line(piece) || is_harmless_mode(piece)))) {
        return;
    }
    give_way();
    taken_ = true;
    newlines_ = 0;
    if (control_sequence && sets_alternate_screen(piece)) {
        alternate_ = piece.last() == 'h';
    }
}

void BottomRow::give_way() {
    if (std::exchange(shown_, false)) {
        out_ += hidden();
    }
}

// A cursor that stands behind the last column loses that when it is put back.
bool BottomRow::may_show() const {
    const bool at_edge = column_ > 0 && column_ % columns_ == 0;
    return !text_.empty() && !taken_ && !at_edge && columns_ >= fewest_columns && rows_ >= fewest_rows;
}

void BottomRow::settle() {
    if (!shown_ && may_show()) {
        shown_ = true;
        out_ += fmt::format("{}{}\x1b[1;{}r{}", make_room, keep_cursor, rows_ - 1, cursor_again);
        out_ += drawn();
    } else if (shown_ && wiped_) {
        out_ += drawn();
    }
    wiped_ = false;
}

std::string BottomRow::drawn() const {
    return fmt::format("{}\x1b[{};1H\x1b[0m\x1b(B\x0f{}\x1b[0m\x1b[K{}", keep_cursor, rows_, text_,
                       cursor_again);
}

std::string BottomRow::hidden() const {
    return fmt::format("{}\x1b[r\x1b[{};1H\x1b[0m\x1b[2K{}", keep_cursor, rows_, cursor_again);
}

}  // namespace vml::screen
