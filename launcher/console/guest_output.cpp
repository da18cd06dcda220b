#include "launcher/console/guest_output.h"

#include <algorithm>

#include <boost/system/error_code.hpp>

namespace vml {

GuestOutput::GuestOutput(boost::asio::io_context& io, OutputQueue& queue, const screen::OutputKind& kind)
    : queue_{queue},
      text_{screen::guest_text(kind)},
      holds_{!kind.terminal && !kind.raw && !kind.keyboard},
      pause_{io} {}

void GuestOutput::write(std::string_view guest_bytes) {
    const std::string text = text_->feed(guest_bytes);
    if (!holds_) {
        queue_.write(text);
        return;
    }
    const bool goes_on = lines_.holds();
    const std::string ready = lines_.feed(text);
    if (!ready.empty()) {
        queue_.write(ready);
    }
    if (!ready.empty() || !goes_on) {
        held_since_ = Clock::now();
    }
    lines_.holds() ? wait_on() : static_cast<void>(pause_.cancel());
}

void GuestOutput::wait_on() {
    pause_.expires_at(std::min(Clock::now() + guest_pause, held_since_ + longest_hold));
    pause_.async_wait([this](const boost::system::error_code& error) {
        if (!error) {
            queue_.write(lines_.release());
        }
    });
}

void GuestOutput::end() {
    pause_.cancel();
    queue_.write(lines_.release() + text_->restore());
}

bool GuestOutput::mid_line() const {
    return holds_ ? lines_.mid_line() : text_->mid_line();
}

std::string GuestOutput::before_own_lines() {
    if (!holds_) {
        return text_->before_own_lines();
    }
    if (!lines_.mid_line()) {
        return "";
    }
    return lines_.release() + lines_.feed(text_->before_own_lines());
}

}  // namespace vml
