#include "screen/line_track.h"

#include <algorithm>

#include "base/utf8.h"

namespace vml::screen {

void LineTrack::text(std::string_view characters) {
    for (const char c : characters) {
        if (c == ' ') {
            space();
        } else if (!utf8::is_continuation(c)) {
            ++column_;
            end_ = std::max(end_, column_);
            blank_from_ = column_;
        }
    }
}

// Firmware wipes what it wrote with blanks.
void LineTrack::space() {
    ++column_;
    if (column_ >= end_) {
        end_ = std::min(end_, blank_from_);
    }
}

void LineTrack::control(char c) {
    constexpr int tab = 8;
    switch (c) {
        case '\n':
            new_line();
            return;
        case '\r':
            column_ = 0;
            break;
        case '\b':
            column_ = std::max(0, column_ - 1);
            break;
        case '\t':
            column_ = (column_ / tab + 1) * tab;
            break;
        default:
            return;
    }
    blank_from_ = column_;
}

void LineTrack::lost() {
    column_ = 1;
    end_ = 1;
    blank_from_ = 1;
}

}  // namespace vml::screen
