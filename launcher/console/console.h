// The guest's serial console: from QEMU's socket to the user's screen and to whoever reads its lines, and
// from the user's keys to the guest. Runs in the event loop.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/fd.h"
#include "base/read_buffer.h"
#include "bootwatch/console_text.h"
#include "launcher/console/batched_wait.h"
#include "launcher/console/guest_output.h"
#include "launcher/console/output_queue.h"
#include "launcher/console/terminal.h"
#include "screen/guest_text.h"

namespace vml {

// Cuts the user's keys at Ctrl-]. Pure.
struct Keys {
    std::string for_guest;
    bool detach = false;
};
[[nodiscard]] Keys split_keys(std::string_view typed);

enum class ConsoleMode {
    silent,    // lines are read, nothing is shown
    shown,     // output goes to standard output
    attached,  // and the terminal's keys go to the guest
};

class Console {
  public:
    struct Handlers {
        std::function<void(const std::string& line)> on_line;  // each whole line of the guest's text
        // What stands after the last whole line: prompts, and last words.
        std::function<void(const std::string& line)> on_partial;
        std::function<void()> on_shown;                // some of it was shown
        std::function<void(bool attached)> on_attach;  // the user detached, or attached again
        std::function<void(std::string_view bytes)> on_bytes =
            {};  // everything that the guest wrote, as it comes
    };

    // `socket`, which is made non-blocking, is our end of the serial port. `output` outlives the console.
    Console(boost::asio::io_context& io, OwnedFd socket, ConsoleMode mode, OutputQueue& output,
            const screen::OutputKind& kind, Handlers handlers);
    ~Console();
    Console(const Console&) = delete;
    Console& operator=(const Console&) = delete;
    Console(Console&&) = delete;
    Console& operator=(Console&&) = delete;

    // Puts the terminal back, as far as the guest and we have changed it; further output is still shown.
    void release_terminal();
    // What QEMU has written by now, before it ended or said something over QMP: no more, as the guest may
    // write faster than it is read.
    // Nothing from `end` on, where that is given and in it.
    void drain(std::string_view end);
    // For lines of ours that go where the guest's text goes (screen::GuestText).
    [[nodiscard]] bool mid_line() const { return is_shown() && shown_.mid_line(); }
    [[nodiscard]] std::string before_own_lines() { return is_shown() ? shown_.before_own_lines() : ""; }
    [[nodiscard]] std::string after_own_lines() { return is_shown() ? shown_.after_own_lines() : ""; }
    // An operating system has the console, or firmware again, after a reset: then the line that the guest had
    // begun is over.
    void system_runs(bool runs);

    // Keys for the guest. One that does not read its serial port loses them, as with a real one.
    void type(std::string_view bytes);
    // We are about to be stopped, and the terminal to be another program's; or we go on. It is made raw again
    // once it is ours, for which this may be called more than once.
    void suspend(bool stops);
    [[nodiscard]] bool has_keyboard() const { return raw_.has_value(); }

  private:
    void read_guest();
    [[nodiscard]] bool is_shown() const { return mode_ != ConsoleMode::silent; }
    void took(std::string_view bytes);
    void show(std::string_view bytes);
    void read_keys();
    void typed(std::string_view bytes);
    void attach();
    void detach();

    OwnedFd guest_;
    BatchedWait guest_wait_;
    ConsoleMode mode_;
    OutputQueue& output_;
    Handlers handlers_;
    boot::ConsoleText text_;
    GuestOutput shown_;
    bool paused_ = false;  // until the output's reader catches up
    ReadBuffer<16384> from_guest_;
    boost::asio::posix::stream_descriptor keyboard_;
    std::optional<RawTerminal> raw_;
};

}  // namespace vml
