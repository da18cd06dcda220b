#include "bootwatch/console_line.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"

namespace vml::boot {

namespace {

constexpr std::size_t longest_edited = 512;  // bytes; a longer line is no screen's, and the cursor ends it
constexpr int widest_gap = 80;               // columns that are filled with blanks
constexpr int fewest_rows = 24;              // of a terminal

int column_behind(char c, int column) {
    constexpr int tab = 8;
    const int next = c == '\t' ? (column - 1) / tab * tab + tab + 1 : column + 1;
    return std::min(next, ConsoleLine::most);
}

// Behind the character that begins at `at`.
std::size_t next_character(const std::string& text, std::size_t at) {
    do {
        ++at;
    } while (at < text.size() && utf8::is_continuation(text[at]));
    return at;
}

}  // namespace

void ConsoleLine::put(char c, Lines& ended) {
    settle(ended);
    insert(c);
    if (text_.size() >= longest) {
        end(ended);
        place(column_);
    }
}

void ConsoleLine::insert(char c) {
    const bool continues = at_ > 0 && utf8::is_continuation(c);
    if (at_ == text_.size() || continues) {
        text_.insert(at_, 1, c);
    } else {
        text_.replace(at_, next_character(text_, at_) - at_, 1, c);
    }
    ++at_;
    written_ = true;
    if (!continues) {
        column_ = column_behind(c, column_);
        end_ = std::max(end_, column_);
    }
}

// Where the cursor was moved to, now that this matters.
void ConsoleLine::settle(Lines& ended) {
    if (!std::exchange(moved_, false)) {
        return;
    }
    const auto gap = static_cast<std::size_t>(std::max(0, column_ - end_));
    const bool anew = column_ <= start_ || (column_ < end_ && text_.size() > longest_edited);
    if (anew || gap > widest_gap || text_.size() + gap >= longest) {
        end(ended);
        place(column_);
        return;
    }
    if (column_ >= end_) {
        text_.append(gap, ' ');
        end_ = column_;
        at_ = text_.size();
        return;
    }
    at_ = 0;
    for (int column = start_; column < column_ && at_ < text_.size(); at_ = next_character(text_, at_)) {
        column = column_behind(text_[at_], column);
    }
}

void ConsoleLine::backspace() {
    if (moved_ ? column_ != end_ : at_ != text_.size()) {
        go(column_ - 1);
        return;
    }
    moved_ = false;
    while (!text_.empty() && utf8::is_continuation(text_.back())) {
        text_.pop_back();
    }
    if (!text_.empty()) {
        text_.pop_back();
    }
    at_ = text_.size();
    column_ = end_ = std::max(1, column_ - 1);
    start_ = text_.empty() ? column_ : start_;
}

void ConsoleLine::carriage_return(Lines& ended) {
    end(ended);
    place(1);
}

void ConsoleLine::newline(Lines& ended) {
    carriage_return(ended);
    const int row = lowest_row_;
    go_down(1);
    if (!std::exchange(written_, false)) {
        lowest_row_ = row;  // where a loader writes to the screen and the serial port, both may be this one
    }
}

void ConsoleLine::control(char final, int first, int second, Lines& ended) {
    const int count = std::max(1, first);
    switch (final) {
        case 'H':  // CUP
        case 'f':  // HVP
            go_to(count, std::max(1, second), ended);
            break;
        case 'A':  // CUU
        case 'B':  // CUD
        case 'E':  // CNL
        case 'F':  // CPL
            end(ended);
            place(final == 'E' || final == 'F' ? 1 : column_);
            go_down(final == 'A' || final == 'F' ? -count : count);
            break;
        case 'J':  // ED
            end(ended);
            place(column_);
            break;
        case 'C':  // CUF
            go_right(count);
            break;
        case 'D':  // CUB
            go(column_ - count);
            break;
        case 'G':  // CHA
            go(count);
            break;
        case 'K':  // EL
            if (first == 0) {
                erase_right(ended);
            }
            break;
        default:
            break;
    }
}

void ConsoleLine::end(Lines& ended) {
    if (!text_.empty()) {
        ended.push_back(std::exchange(text_, {}));
    }
    at_ = 0;
    moved_ = false;
}

// Of an empty line.
void ConsoleLine::place(int column) {
    column_ = start_ = end_ = column;
}

void ConsoleLine::go(int column) {
    column_ = std::clamp(column, 1, most);
    if (text_.empty()) {
        place(column_);
    } else {
        moved_ = true;
    }
}

// What was skipped stays what it was on the screen, which is not known: no blanks.
void ConsoleLine::go_right(int columns) {
    const int column = std::min(column_ + columns, most);
    const int skipped = std::max(0, column - end_);
    start_ += skipped;
    end_ += skipped;
    go(column);
}

// While the row is not known for certain, only where the cursor is already, or a column back, is this line.
void ConsoleLine::go_to(int row, int column, Lines& ended) {
    const bool near = column == column_ || column + 1 == column_;
    if (row >= lowest_row_ && row <= highest_row_ && (lowest_row_ == highest_row_ || near)) {
        go(column);
    } else {
        end(ended);
        place(column);
    }
    lowest_row_ = highest_row_ = row;
}

void ConsoleLine::go_down(int rows) {
    lowest_row_ = std::clamp(lowest_row_ + rows, 1, std::max(lowest_row_, fewest_rows));
    highest_row_ = std::clamp(highest_row_ + rows, 1, most);
}

void ConsoleLine::erase_right(Lines& ended) {
    settle(ended);
    text_.resize(at_);
    end_ = column_;
}

}  // namespace vml::boot
