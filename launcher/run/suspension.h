// SIGTSTP, as the shell's Ctrl-Z sends it. Makes system calls.
#pragma once

#include <functional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

namespace vml {

// Puts the terminal in order before this process is stopped, and takes it up again when it goes on. The VM's
// own processes are in sessions of theirs, and run on. Runs in the event loop.
class Suspension {
  public:
    // `on_return` is called again when the shell brings to the foreground what went on in the background.
    Suspension(boost::asio::io_context& io, std::function<void()> before, std::function<void()> on_return);

    // Not where whoever started us wants the signal ignored.
    void begin();
    void end();

  private:
    void wait();
    void stop();

    boost::asio::signal_set signals_;
    std::function<void()> before_;
    std::function<void()> on_return_;
};

}  // namespace vml
