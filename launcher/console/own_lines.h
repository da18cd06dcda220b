// vm-launch's own lines beside the guest's: never in the middle of one of them, wherever the two meet.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "launcher/console/console.h"
#include "launcher/console/output_queue.h"
#include "launcher/console/terminal.h"

namespace vml {

// Where both go to one place, all of it goes through standard output's queue, so that a slow reader changes
// nothing in their order. A line of ours waits until the guest has ended its own. Where the guest stops in
// the middle (a prompt), or goes on for too long, a newline is put first. Runs in the event loop.
class OwnLines {
  public:
    OwnLines(boost::asio::io_context& io, OutputQueue& out, OutputQueue& err, Sharing sharing,
             std::chrono::milliseconds longest_for_reader = longest_for_newline)
        : out_{out}, err_{err}, sharing_{sharing}, longest_for_reader_{longest_for_reader}, pause_{io} {}

    // From now on the guest writes to standard output, until `console` goes or this does.
    void beside(Console* console) { console_ = console; }
    void print(std::string_view line);
    // The guest's console was shown.
    void guest_wrote();
    // Whether the guest is done or not.
    void show();

    // Of two pipes a reader takes first what it sees first: so the newline behind a prompt is taken before a
    // line of ours goes into the other one. Waited for once a prompt, and no longer than this.
    static constexpr std::chrono::milliseconds longest_for_newline{100};

  private:
    using Clock = std::chrono::steady_clock;

    [[nodiscard]] bool guest_is_here() const { return console_ != nullptr && sharing_ != Sharing::apart; }
    void wait_on();

    OutputQueue& out_;
    OutputQueue& err_;
    Sharing sharing_;
    std::chrono::milliseconds longest_for_reader_;
    Console* console_ = nullptr;
    std::string held_;
    Clock::time_point held_since_;
    boost::asio::steady_timer pause_;
};

}  // namespace vml
