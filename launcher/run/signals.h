// The signals that have a meaning to a run. Makes system calls.
#pragma once

#include <functional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

namespace vml {

// Blocks the signals that have a meaning here until the loop is there to catch them, so that none that comes
// while QEMU is started is lost or ends us half-way; ignores SIGPIPE and SIGXFSZ. Call before apply.
void hold_signals();

class Signals {
  public:
    struct Handlers {
        std::function<void(int number)> on_stop;  // SIGINT, SIGTERM, SIGHUP, SIGQUIT
        std::function<void()> on_child;           // SIGCHLD
        std::function<void()> on_question;        // SIGUSR1: where are we?
    };

    Signals(boost::asio::io_context& io, Handlers handlers);

    // Those that were held come now.
    void begin();

  private:
    void wait();
    void caught(int number) const;

    boost::asio::signal_set signals_;
    Handlers handlers_;
};

}  // namespace vml
