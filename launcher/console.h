// The guest's serial console: from QEMU's socket to the user's screen and to whoever reads its lines, and
// from the user's keys to the guest. Runs in the event loop.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/fd.h"
#include "bootwatch/console_text.h"
#include "launcher/output_queue.h"
#include "launcher/terminal.h"

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
        std::function<void()> on_line_start;                   // what was shown last ended a line
        std::function<void(bool attached)> on_attach;          // the user detached, or attached again
    };

    // `socket` is our end of the serial port. `output` outlives the console.
    Console(boost::asio::io_context& io, OwnedFd socket, ConsoleMode mode, OutputQueue& output,
            Handlers handlers);

    // Puts the terminal back; further output is still shown.
    void release_terminal();
    // What QEMU still wrote before it ended.
    void drain();
    // Does the cursor stand behind text of the guest's, so that a line of ours must begin with a new one?
    [[nodiscard]] bool mid_line() const { return mode_ != ConsoleMode::silent && mid_line_; }
    void at_line_start() { mid_line_ = false; }

  private:
    void read_guest();
    void took(std::string_view bytes);
    void read_keys();
    void typed(std::string_view bytes);
    void send(std::string_view bytes);
    void attach();
    void detach();

    boost::asio::local::stream_protocol::socket guest_;
    ConsoleMode mode_;
    OutputQueue& output_;
    Handlers handlers_;
    boot::ConsoleText text_;
    bool mid_line_ = false;
    bool paused_ = false;  // until the output's reader catches up
    std::array<char, 16384> from_guest_{};
    boost::asio::posix::stream_descriptor keyboard_;
    std::optional<RawTerminal> raw_;
};

}  // namespace vml
