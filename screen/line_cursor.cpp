#include "screen/line_cursor.h"

#include "screen/drawn_screen.h"

namespace vml::screen {

namespace {

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

void LineCursor::take(const Piece& piece) {
    if (piece.kind == Piece::Kind::text) {
        text(piece.bytes);
    } else if (piece.kind == Piece::Kind::control) {
        control(piece.last());
    } else if (edits_line(piece)) {
        edit(piece);
    }
}

bool LineCursor::holds(const Piece& piece) const {
    LineCursor next = *this;
    next.take(piece);
    const bool moves_down = piece.kind == Piece::Kind::control && piece.last() == '\n';
    return next.is_certain() && next.wraps_ == wraps_ && !moves_down;
}

void LineCursor::text(std::string_view characters) {
    known_ = known_ && is_ascii(characters);
    if (!known_ || characters.empty()) {
        return;
    }
    const auto width = static_cast<std::size_t>(columns_);
    const std::size_t behind = static_cast<std::size_t>(column_) + characters.size();
    const auto column = static_cast<int>(behind % width);
    if (behind > width) {
        wraps_ += static_cast<int>((behind - 1) / width);
        end_ = 0;
    }
    column_ = column == 0 ? columns_ : column;
    end_ = std::max(end_, column_);
}

void LineCursor::control(char c) {
    constexpr int tab = 8;
    switch (c) {
        case '\n':
            new_line();
            break;
        case '\r':
            column_ = 0;
            break;
        case '\b':
            put_at(column_ - 1);
            break;
        case '\t':
            put_at((column_ / tab + 1) * tab);
            break;
        case '\v':
        case '\f':
            lose();
            break;
        default:
            break;
    }
}

void LineCursor::put_at(int column) {
    if (column_ == columns_) {
        lose();
    }
    column_ = std::clamp(column, 0, columns_ - 1);
}

void LineCursor::edit(const Piece& piece) {
    const Numbers numbers = numbers_in(piece.parameters());
    switch (piece.last()) {
        case 'C':
            put_at(column_ + numbers.at(0, 1));
            break;
        case 'D':
            put_at(column_ - numbers.at(0, 1));
            break;
        case 'G':
            put_at(numbers.at(0, 1) - 1);
            break;
        case 'K':
            put_at(column_);
            break;
        default:
            lose();
            break;
    }
}

void LineCursor::resize(int columns) {
    if (wraps_ > 0 || end_ >= std::min(columns, columns_)) {
        lose();
    }
    columns_ = columns;
}

}  // namespace vml::screen
