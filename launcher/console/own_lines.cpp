#include "launcher/console/own_lines.h"

#include <algorithm>

#include <boost/system/error_code.hpp>

namespace vml {

void OwnLines::print(std::string_view line) {
    const bool first = held_.empty();
    held_ += line;
    if (!guest_is_here() || !console_->mid_line()) {
        show();
    } else if (first) {
        held_since_ = Clock::now();
        wait_on();
    }
}

void OwnLines::guest_wrote() {
    if (held_.empty()) {
        return;
    }
    if (console_->mid_line()) {
        wait_on();
    } else {
        show();
    }
}

void OwnLines::wait_on() {
    pause_.expires_at(
        std::min(Clock::now() + GuestOutput::guest_pause, held_since_ + GuestOutput::longest_hold));
    pause_.async_wait([this](const boost::system::error_code& error) { error ? void() : show(); });
}

void OwnLines::show() {
    if (held_.empty()) {
        return;
    }
    const bool guest = guest_is_here();
    if (const std::string newline = guest ? console_->before_own_lines() : ""; !newline.empty()) {
        out_.write(newline);
        if (sharing_ == Sharing::perhaps) {
            out_.wait_for_reader(longest_for_reader_);
        }
    }
    (sharing_ == Sharing::one_place ? out_ : err_).write(held_);
    if (guest) {
        out_.write(console_->after_own_lines());
    }
    held_.clear();
    pause_.cancel();
}

}  // namespace vml
