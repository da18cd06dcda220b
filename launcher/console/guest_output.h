// The guest's text on its way to standard output: on a log as whole lines, on a terminal as it comes. Runs in
// the event loop.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "launcher/console/output_queue.h"
#include "screen/guest_text.h"
#include "screen/line_holder.h"

namespace vml {

// A line that the guest has begun is held until it ends, or until the guest pauses (a prompt) or takes too
// long over it. Not on a terminal, nor where every byte is wanted, nor for somebody who types and reads what
// he typed: there nothing is held.
class GuestOutput {
  public:
    // `queue` outlives this.
    GuestOutput(boost::asio::io_context& io, OutputQueue& queue, const screen::OutputKind& kind);

    void write(std::string_view guest_bytes);
    // What nobody is shown, and what that changed.
    void skip(std::string_view guest_bytes) { std::ignore = text_->feed(guest_bytes); }
    void forget_skipped() { std::ignore = text_->restore(); }
    // The guest writes no more (for now).
    void end();
    void system_runs(bool runs) { text_->system_runs(runs); }

    // For lines of ours that go where the guest's text goes (screen::GuestText). A line that is held has no
    // place there yet.
    [[nodiscard]] bool mid_line() const;
    [[nodiscard]] std::string before_own_lines();
    [[nodiscard]] std::string after_own_lines() { return text_->after_own_lines(); }

    // Nothing came of the guest's line for so long: it waits for somebody.
    static constexpr std::chrono::milliseconds guest_pause{300};
    static constexpr std::chrono::milliseconds longest_hold{2000};

  private:
    using Clock = std::chrono::steady_clock;

    void wait_on();

    OutputQueue& queue_;
    std::unique_ptr<screen::GuestText> text_;
    bool holds_;
    screen::LineHolder lines_;
    Clock::time_point held_since_;
    boost::asio::steady_timer pause_;
};

}  // namespace vml
