// Lines on their way to a file, pipe, terminal or socket whose reader may be slow, dead or hostile: it is
// never waited for. Makes system calls.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/fd.h"
#include "control/outbox.h"

namespace vml {

// Writes at once what the descriptor takes and the rest when it is ready; of more than most_waiting whole
// lines are lost, and the notice stands in their place. The description may be shared with others, so that
// its O_NONBLOCK is left alone: a pipe or terminal is opened anew, or where that is not allowed, written to
// when it has room; a socket is asked not to wait. Must outlive its io_context's last run; single-threaded.
class EventFile {
  public:
    // `gone` is called once, with the errno: what is written from then on vanishes. `most`: bytes that wait.
    EventFile(boost::asio::io_context& io, OwnedFd fd, control::LostNotice notice,
              std::function<void(int error)> gone, std::size_t most = most_waiting);

    void write(std::string_view line);
    // As write, of the last line: it is not lost.
    void write_last(std::string_view line);
    // Does something wait for its reader? Then what is written may be lost.
    [[nodiscard]] bool is_behind() const { return !outbox_.empty(); }
    // At the end of a run: waits for a slow reader, but no longer than this in all.
    void flush(std::chrono::milliseconds limit);

    static constexpr std::size_t most_waiting = std::size_t{256} << 10;  // bytes
    static constexpr std::chrono::milliseconds slow_reader{2000};        // for the end of a run

  private:
    enum class Sort { plain, pipe, socket };

    [[nodiscard]] std::size_t write_some(std::string_view bytes);
    // As write(2), but it never waits.
    [[nodiscard]] ssize_t write_once(std::string_view bytes) const;
    [[nodiscard]] int fd() const { return fd_.get(); }
    void wait();

    OwnedFd fd_;
    std::size_t most_;
    Sort sort_ = Sort::plain;
    std::function<void(int error)> gone_;
    bool is_gone_ = false;
    control::Outbox outbox_;
    std::optional<boost::asio::posix::stream_descriptor> ready_;  // none: fd_ never blocks
    bool armed_ = false;
};

}  // namespace vml
