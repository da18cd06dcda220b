// Drives the supervisor in the event loop: events in, one after the other, and actions out. Deadlines are
// its own affair.
#pragma once

#include <deque>
#include <functional>
#include <map>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "launcher/run/guard.h"
#include "launcher/run/supervisor.h"

namespace vml {

class Supervision {
  public:
    // Gets every action but those of deadlines. It may feed: that event's turn comes when all actions of the
    // present one are carried out.
    using CarryOut = std::function<void(const supervise::Action& action)>;

    Supervision(boost::asio::io_context& io, Guard& guard, supervise::Config config, CarryOut carry_out)
        : io_{io}, guard_{guard}, config_{std::move(config)}, carry_out_{std::move(carry_out)} {}

    void start() { take(supervise::start(config_)); }
    // After the end of the run nothing happens any more.
    void feed(supervise::Event event);

    [[nodiscard]] const supervise::Config& config() const { return config_; }
    [[nodiscard]] const supervise::State& state() const { return state_; }

  private:
    void take(supervise::Step step);
    void finish_regardless();
    void carry_out(const supervise::Action& action);
    void start_deadline(const supervise::StartDeadline& action);

    boost::asio::io_context& io_;
    Guard& guard_;
    supervise::Config config_;
    CarryOut carry_out_;
    supervise::State state_;
    std::deque<supervise::Event> waiting_;
    bool busy_ = false;
    std::map<supervise::Deadline, boost::asio::steady_timer> deadlines_;
};

}  // namespace vml
