// Waits for a descriptor that is filled in many small pieces. QEMU writes its serial port's bytes and its
// packet dump one by one, and each would wake an event loop that keeps the descriptor in its epoll set, at
// the guest's cost, whether or not anybody waits: so the descriptor is in the set only while somebody does,
// and after each piece nobody waits for a moment. What has come by then is taken together.
#pragma once

#include <chrono>
#include <functional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace vml {

class BatchedWait {
  public:
    // Does not own `fd`, which stays open for as long as this lives.
    BatchedWait(boost::asio::io_context& io, int fd, std::function<void()> on_ready);
    ~BatchedWait();
    BatchedWait(const BatchedWait&) = delete;
    BatchedWait& operator=(const BatchedWait&) = delete;
    BatchedWait(BatchedWait&&) = delete;
    BatchedWait& operator=(BatchedWait&&) = delete;

    // Calls on_ready once, when there is something to read; not while a wait goes on.
    void begin();
    // The same after the moment in which nobody waits.
    void begin_after_rest();

    // A pipe of 1 MiB and a packet socket's buffer of 8 MiB hold what a guest can fetch meanwhile.
    static constexpr std::chrono::milliseconds rest_time{4};

  private:
    int fd_;
    boost::asio::posix::stream_descriptor watch_;  // has fd_'s number while it waits
    boost::asio::steady_timer rest_;
    std::function<void()> on_ready_;
};

}  // namespace vml
