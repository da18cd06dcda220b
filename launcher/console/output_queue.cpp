#include "launcher/console/output_queue.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <limits>
#include <tuple>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "screen/line_holder.h"

namespace vml {

namespace {

using boost::asio::posix::stream_descriptor;

// A description of its own for what can block: terminals and pipes. Anything else, and what may not be opened
// again (another user's terminal), is written to as it is.
OwnedFd reopened(int fd) {
    struct stat status {};
    if (::fstat(fd, &status) != 0 || (!S_ISCHR(status.st_mode) && !S_ISFIFO(status.st_mode))) {
        return OwnedFd{};
    }
    const std::string path = fmt::format("/proc/self/fd/{}", fd);
    return OwnedFd{::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)};
}

// A pipe takes so much whole or not at all (pipe(7)): its reader never waits in the middle of a line.
std::size_t most_at_once(int fd) {
    struct stat status {};
    const bool pipe = ::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
    return pipe ? PIPE_BUF : std::numeric_limits<ssize_t>::max();
}

}  // namespace

OutputQueue::OutputQueue(boost::asio::io_context& io, int fd)
    : own_{reopened(fd)}, fd_{own_ ? own_.get() : fd}, most_at_once_{most_at_once(fd)} {
    if (own_) {
        boost::system::error_code error;
        ready_.emplace(io);
        ready_->assign(fd_, error);
        if (error) {  // what cannot be waited for never blocks
            ready_.reset();
        } else {
            std::ignore = own_.release();  // the descriptor's watcher owns it now
        }
    }
}

void OutputQueue::write_as_is(std::string_view bytes) {
    if (waiting_.empty()) {
        bytes.remove_prefix(write_some(bytes));
    }
    waiting_ += bytes;
    if (!waiting_.empty()) {
        wait();
    }
}

std::size_t OutputQueue::write_some(std::string_view bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const std::string_view next = bytes.substr(done);
        const ssize_t written = ::write(fd_, next.data(), screen::whole_lines(next, most_at_once_));
        if (written > 0) {
            done += static_cast<std::size_t>(written);
        } else if (errno == EAGAIN && ready_) {
            return done;
        } else if (errno != EINTR) {
            return bytes.size();
        }
    }
    return done;
}

void OutputQueue::wait() {
    if (armed_) {
        return;
    }
    armed_ = true;
    ready_->async_wait(stream_descriptor::wait_write, [this](const boost::system::error_code& error) {
        armed_ = false;
        if (error) {
            return;
        }
        waiting_.erase(0, write_some(waiting_));
        if (!waiting_.empty()) {
            wait();
        } else if (drained_) {
            drained_();
        }
    });
}

void OutputQueue::flush(int limit_ms) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::milliseconds{limit_ms};
    while (!waiting_.empty() && Clock::now() < end) {
        pollfd ready{fd_, POLLOUT, 0};
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
        if (::poll(&ready, 1, static_cast<int>(std::max<long>(1, left.count()))) > 0) {
            waiting_.erase(0, write_some(waiting_));
        }
    }
}

// What the reader has not taken yet: pipe(7), unix(7).
bool OutputQueue::is_read() const {
    int unread = 0;
    const bool pipe = most_at_once_ == PIPE_BUF;
    return waiting_.empty() && (::ioctl(fd_, pipe ? FIONREAD : SIOCOUTQ, &unread) != 0 || unread == 0);
}

void OutputQueue::wait_for_reader(std::chrono::milliseconds limit) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + limit;
    while (!is_read() && Clock::now() < end) {
        flush(1);
        ::poll(nullptr, 0, 1);  // nothing tells when a reader reads
    }
}

}  // namespace vml
