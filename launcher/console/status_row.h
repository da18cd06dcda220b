// The row at the bottom of the terminal while a machine boots. Runs in the event loop, makes system calls.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "launcher/console/output_queue.h"
#include "launcher/console/status_text.h"
#include "screen/bottom_row.h"

namespace vml {

// Looks at the boot five times a second, and draws what is new. It is there from begin() to end(), which it
// calls itself once there is nothing to tell any more.
class StatusRow {
  public:
    // None: the boot is over.
    using Look = std::function<std::optional<BootStatus>()>;

    // `out` is the terminal's queue, and outlives this.
    StatusRow(boost::asio::io_context& io, OutputQueue& out, Look look, bool colour);
    ~StatusRow();
    StatusRow(const StatusRow&) = delete;
    StatusRow& operator=(const StatusRow&) = delete;
    StatusRow(StatusRow&&) = delete;
    StatusRow& operator=(StatusRow&&) = delete;

    void begin();
    // The row goes away for good.
    void end();

    static constexpr std::chrono::milliseconds every{200};

  private:
    void draw();
    void fit();
    void wait();
    void wait_for_resize();

    OutputQueue& out_;
    Look look_;
    bool colour_;
    bool runs_ = false;
    int columns_ = 0;
    int rows_ = 0;
    screen::BottomRow row_{0, 0};
    boost::asio::steady_timer timer_;
    boost::asio::signal_set resized_;
};

}  // namespace vml
