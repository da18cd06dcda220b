// Something that is done after a while, unless whoever wanted it is gone by then. Makes system calls.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace vml {

class Alarm {
  public:
    explicit Alarm(boost::asio::io_context& io) : timer_{io} {}

    // In place of what was to be done before.
    void set(std::chrono::seconds after, std::function<void()> act);
    // Was it ever set?
    [[nodiscard]] bool is_set() const { return set_; }

  private:
    boost::asio::steady_timer timer_;
    bool set_ = false;
    std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);  // a handler may outlive it
};

}  // namespace vml
