#include "launcher/run/signals.h"

#include <csignal>
#include <tuple>
#include <utility>

#include <boost/system/error_code.hpp>

namespace vml {

namespace {

sigset_t our_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGCHLD}) {
        sigaddset(&set, number);
    }
    return set;
}

}  // namespace

void hold_signals() {
    for (const int number : {SIGPIPE, SIGXFSZ}) {  // a write tells of it by EPIPE or EFBIG
        std::ignore = ::signal(number, SIG_IGN);
    }
    const sigset_t set = our_signals();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Signals::Signals(boost::asio::io_context& io, Handlers handlers)
    : signals_{io, SIGINT, SIGTERM, SIGHUP}, handlers_{std::move(handlers)} {
    for (const int number : {SIGQUIT, SIGUSR1, SIGCHLD}) {
        signals_.add(number);
    }
}

void Signals::begin() {
    wait();
    const sigset_t set = our_signals();
    ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void Signals::wait() {
    signals_.async_wait([this](const boost::system::error_code& error, int number) {
        if (!error) {
            wait();
            caught(number);
        }
    });
}

void Signals::caught(int number) const {
    switch (number) {
        case SIGCHLD:
            handlers_.on_child();
            break;
        case SIGUSR1:
            handlers_.on_question();
            break;
        default:
            handlers_.on_stop(number);
    }
}

}  // namespace vml
