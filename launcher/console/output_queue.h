// Bytes on their way to a descriptor that may be slow, without ever blocking the event loop. Makes system
// calls.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/fd.h"

namespace vml {

// Writes at once what the descriptor takes and the rest when it is ready. A terminal or a pipe is opened anew
// for that, because O_NONBLOCK would otherwise reach everyone who shares it, the user's shell among them.
// When the reader has gone, what is written vanishes. Must outlive its io_context's last run;
// single-threaded.
class OutputQueue {
  public:
    OutputQueue(boost::asio::io_context& io, int fd);

    void write(std::string_view bytes) { filter_ ? write_as_is(filter_(bytes)) : write_as_is(bytes); }
    // What is written goes through this, from now on; none: as it is.
    void through(std::function<std::string(std::string_view bytes)> filter) { filter_ = std::move(filter); }
    // Past that.
    void write_as_is(std::string_view bytes);
    // The reader has not taken all of it.
    [[nodiscard]] bool is_waiting() const { return !waiting_.empty(); }
    // More waits here than a reader that keeps up would leave: the source should pause until `on_drained` is
    // called.
    [[nodiscard]] bool congested() const { return waiting_.size() > enough; }
    void on_drained(std::function<void()> handler) { drained_ = std::move(handler); }
    // At the end of a run: waits for a slow reader, but no longer than `limit_ms` milliseconds in all.
    void flush(int limit_ms);
    // The same until the reader has taken what lies in the pipe or socket, too.
    void wait_for_reader(std::chrono::milliseconds limit);

    static constexpr std::size_t enough = std::size_t{256} << 10;
    static constexpr int slow_reader_ms = 2000;  // for the end of a run

  private:
    // How many of the bytes went out; all of them when nobody reads any more.
    std::size_t write_some(std::string_view bytes);
    void wait();
    [[nodiscard]] bool is_read() const;

    OwnedFd own_;               // our own description of the terminal or pipe, unless ready_ has it
    int fd_;                    // where bytes go
    std::size_t most_at_once_;  // in one write
    std::optional<boost::asio::posix::stream_descriptor>
        ready_;  // none: fd_ never blocks, or must not be touched
    std::string waiting_;
    bool armed_ = false;
    std::function<void()> drained_;
    std::function<std::string(std::string_view bytes)> filter_;
};

}  // namespace vml
