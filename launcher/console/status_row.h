// The row below the console while a machine boots. Runs in the event loop, makes system calls.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "launcher/console/output_queue.h"
#include "launcher/console/status_text.h"
#include "screen/bottom_row.h"

namespace vml {

// Looks at the boot some times a second, and draws what is new. It is there from begin() to end(), which it
// calls itself once there is nothing to tell any more, or a guest has used the terminal so that no row can
// stand beside it.
class StatusRow {
  public:
    // None: the boot is over.
    using Look = std::function<std::optional<BootStatus>()>;

    // `out` is the queue of the terminal on standard output, and outlives this.
    StatusRow(boost::asio::io_context& io, OutputQueue& out, Look look, bool colour);
    ~StatusRow();
    StatusRow(const StatusRow&) = delete;
    StatusRow& operator=(const StatusRow&) = delete;
    StatusRow(StatusRow&&) = delete;
    StatusRow& operator=(StatusRow&&) = delete;

    void begin();
    // It goes, and comes back where the terminal is still ours when it is drawn next.
    void hide();
    // It goes for good.
    void end();

    [[nodiscard]] bool is_shown() const { return row_.is_shown(); }

    static constexpr std::chrono::milliseconds every{200};

  private:
    [[nodiscard]] std::string passed(std::string_view bytes);
    void draw();
    void wait();

    OutputQueue& out_;
    Look look_;
    bool colour_;
    bool runs_ = false;
    screen::BottomRow row_{0, 0};
    boost::asio::steady_timer timer_;
};

}  // namespace vml
