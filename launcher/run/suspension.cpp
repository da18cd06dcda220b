#include "launcher/run/suspension.h"

#include <csignal>
#include <utility>

#include <boost/system/error_code.hpp>
#include <unistd.h>

namespace vml {

namespace {

bool is_ignored(int number) {
    struct sigaction action {};
    return ::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

Suspension::Suspension(boost::asio::io_context& io, std::function<void()> before,
                       std::function<void()> on_return)
    : signals_{io}, before_{std::move(before)}, on_return_{std::move(on_return)} {}

void Suspension::begin() {
    if (!is_ignored(SIGTSTP)) {
        signals_.add(SIGTSTP);
        signals_.add(SIGCONT);
        wait();
    }
}

void Suspension::end() {
    boost::system::error_code ignored;
    signals_.clear(ignored);
}

void Suspension::wait() {
    signals_.async_wait([this](const boost::system::error_code& error, int number) {
        if (error) {
            return;
        }
        number == SIGTSTP ? stop() : on_return_();
        wait();
    });
}

// The signal's own effect, which the kernel leaves out where no shell could ever let us go on (an orphaned
// process group, PID 1 of a container).
void Suspension::stop() {
    before_();
    signals_.remove(SIGTSTP);
    ::kill(::getpid(), SIGTSTP);
    signals_.add(SIGTSTP);
    on_return_();
}

}  // namespace vml
