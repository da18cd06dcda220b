#include "screen/log_text.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"

namespace vml::screen {

namespace {

constexpr int tab = 8;
// No screen is wider; a guest that says so shall not fill the log with blanks.
constexpr int widest = 512;

}  // namespace

std::string LogText::feed(std::string_view bytes) {
    parser_.feed(bytes, [this](const Piece& piece) { take(piece); });
    return std::exchange(out_, {});
}

std::string LogText::before_own_lines() {
    end_line();
    written_ = column_;
    return std::exchange(out_, {});
}

void LogText::take(const Piece& piece) {
    if (piece.kind == Piece::Kind::text) {
        text(utf8_.feed(piece.bytes));
        return;
    }
    text(utf8_.cut());
    if (piece.kind == Piece::Kind::control) {
        control(piece.last());
    } else {
        sequence(piece);
    }
}

void LogText::text(std::string_view clean) {
    while (!clean.empty()) {
        std::size_t size = 1;
        while (size < clean.size() && utf8::is_continuation(clean[size])) {
            ++size;
        }
        character(clean.substr(0, size));
        clean.remove_prefix(size);
    }
}

void LogText::character(std::string_view character) {
    drawn_ = drawn_ && !fresh_;
    fresh_ = false;
    if (character == " " && (drawn_ || edited_ || !open_)) {
        move_to(column_ + 1);  // a wipe, or a margin: written once something stands behind it
        return;
    }
    if (column_ < written_) {
        write_over();
    }
    if (open_ || !drawn_) {
        out_.append(static_cast<std::size_t>(std::max(0, column_ - written_)), ' ');
    }
    out_ += character;
    open_ = true;
    move_to(column_ + 1);
    written_ = column_;
}

void LogText::write_over() {
    if (column_ == 0) {
        end_line();
    } else if (open_) {
        out_ += ' ';
    }
    written_ = column_;
}

void LogText::control(char c) {
    switch (c) {
        case '\n':
            newline();
            break;
        case '\v':
        case '\f':
            end_line();
            break;
        case '\r':
            move_to(0);
            edited_ = open_;
            break;
        case '\b':
            move_to(column_ - 1);
            edited_ = open_;
            break;
        case '\t':
            if (column_ >= written_ && !drawn_) {
                out_ += '\t';
                open_ = true;
                move_to((column_ / tab + 1) * tab);
                written_ = column_;
            } else {
                move_to((column_ / tab + 1) * tab);
            }
            break;
        default:
            break;
    }
}

// The rows that a screen leaves empty are no part of its text.
void LogText::newline() {
    if (open_ || !drawn_) {
        out_ += '\n';
    }
    open_ = false;
    edited_ = false;
    fresh_ = true;
    column_ = 0;
    written_ = 0;
}

void LogText::end_line() {
    if (open_) {
        out_ += '\n';
        open_ = false;
    }
    edited_ = false;
}

void LogText::sequence(const Piece& piece) {
    if (piece.kind == Piece::Kind::escape) {
        constexpr std::string_view other_line = "cDEM";  // RIS, IND, NEL, RI
        if (other_line.find(piece.last()) != std::string_view::npos) {
            address(-1, 0);
        }
        return;
    }
    const Numbers numbers = numbers_in(piece.parameters());
    switch (piece.last()) {
        case 'H':  // CUP, HVP
        case 'f':
            address(numbers.at(0, 1), numbers.at(1, 1) - 1);
            break;
        case 'd':  // VPA
            address(numbers.at(0, 1), column_);
            break;
        case 'A':  // CUU, CUD, CNL, CPL: some other row
        case 'B':
        case 'E':
        case 'F':
            address(-1, 0);
            break;
        case 'J':
            if (numbers.at(0, 0) >= 2) {  // the whole screen; line editors wipe what is behind the cursor
                address(-1, 0);
            }
            break;
        case 'C':  // CUF, CUB, CHA, HPA
            move_to(column_ + numbers.at(0, 1));
            break;
        case 'D':
            move_to(column_ - numbers.at(0, 1));
            break;
        case 'G':
        case '`':
            move_to(numbers.at(0, 1) - 1);
            break;
        default:
            break;
    }
}

void LogText::address(int row, int column) {
    const bool same_row = drawn_ && row > 0 && row == row_ && column >= column_;
    row_ = row;
    if (same_row) {
        move_to(column);
        return;
    }
    end_line();
    drawn_ = true;
    fresh_ = false;
    move_to(column);
    written_ = column_;
}

void LogText::move_to(int column) {
    column_ = std::clamp(column, 0, widest);
}

}  // namespace vml::screen
