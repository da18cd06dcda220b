#include "screen/bottom_row.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace vml::screen {

namespace {

// DECSC and DECRC keep the attributes and the character sets too, of which the row is to have none.
constexpr std::string_view keep_cursor = "\0337";
constexpr std::string_view cursor_again = "\0338";
// Index, and up again: there is a line below the cursor's, and the cursor is where it was.
constexpr std::string_view make_room = "\033D\033[A";
constexpr std::string_view plainly = "\033[0m\033(B\017";
constexpr std::string_view next_line = "\r\033[B";

}  // namespace

std::string BottomRow::pass(std::string_view bytes) {
    const bool was_shown = shown_;
    parser_.feed(bytes, [this](const Piece& piece) { take(piece); });
    if (was_shown && !shown_ && may_draw()) {
        draw();
    }
    return std::exchange(out_, {});
}

std::string BottomRow::show(std::string text) {
    is_old_ = is_old_ || text != text_;
    text_ = std::move(text);
    calls_until_ = std::max(0, calls_until_ - 1);
    if ((is_old_ || !shown_) && may_draw()) {
        draw();
    }
    return std::exchange(out_, {});
}

std::string BottomRow::hide() {
    wipe();
    text_.clear();
    return std::exchange(out_, {});
}

std::string BottomRow::resize(int columns, int rows) {
    if (columns != columns_ || rows != rows_) {
        wipe();
        cursor_.resize(columns);
        columns_ = columns;
        rows_ = rows;
    }
    return std::exchange(out_, {});
}

void BottomRow::take(const Piece& piece) {
    const bool was_drawn = screen_.is_drawn();
    screen_.take(piece, rows_);
    const bool clears = piece.kind == Piece::Kind::control_sequence && piece.last() == 'J';
    if (was_drawn || screen_.is_drawn() || screen_.begins_anew() || clears) {
        wipe();
        calls_until_ = calls_after_drawing;
    } else if (!cursor_.holds(piece)) {
        wipe();
    }
    cursor_.take(piece);
    if (screen_.is_drawn()) {
        cursor_.lose();
    } else if (screen_.begins_anew()) {
        cursor_.new_line();
    }
    out_ += piece.bytes;
}

void BottomRow::wipe() {
    if (std::exchange(shown_, false)) {
        const int behind = cursor_.to_end();
        const std::string to_end = behind > 0 ? fmt::format("\033[{}C", behind) : "";
        out_ += fmt::format("{}{}\033[0m\033[J{}", keep_cursor, to_end, cursor_again);
    }
}

bool BottomRow::may_draw() const {
    return !text_.empty() && !screen_.is_drawn() && !screen_.keeps_cursor() && calls_until_ == 0 &&
           parser_.is_between() && cursor_.is_certain() && columns_ >= fewest_columns && rows_ >= fewest_rows;
}

void BottomRow::draw() {
    shown_ = true;
    is_old_ = false;
    out_ += fmt::format("{}{}{}{}{}\033[0m\033[K{}", make_room, keep_cursor, plainly, next_line, text_,
                        cursor_again);
}

}  // namespace vml::screen
