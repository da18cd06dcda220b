#include "launcher/broadcast/event_file.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vml {

namespace {

bool has_room(int fd, std::chrono::milliseconds limit) {
    pollfd ready{fd, POLLOUT, 0};
    return ::poll(&ready, 1, static_cast<int>(limit.count())) > 0;
}

mode_t type_of(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 ? status.st_mode & S_IFMT : 0;
}

// A description of its own; the given one, where it does not wait or cannot be opened again.
OwnedFd patient(OwnedFd fd) {
    const mode_t type = type_of(fd.get());
    if ((type != S_IFIFO && type != S_IFCHR) || (::fcntl(fd.get(), F_GETFL) & O_NONBLOCK) != 0) {
        return fd;
    }
    OwnedFd own{::open(fmt::format("/proc/self/fd/{}", fd.get()).c_str(),
                       O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)};
    return own ? std::move(own) : std::move(fd);
}

// Ready to be read when `fd` is ready to be written: Asio makes what it waits for non-blocking, and the
// description of `fd` may be others', too. None: it never blocks (epoll_ctl(2), EPERM).
OwnedFd watcher_of(int fd) {
    OwnedFd watcher{::epoll_create1(EPOLL_CLOEXEC)};
    epoll_event event{};
    event.events = EPOLLOUT;
    return ::epoll_ctl(watcher.get(), EPOLL_CTL_ADD, fd, &event) == 0 ? std::move(watcher) : OwnedFd{};
}

}  // namespace

EventFile::EventFile(boost::asio::io_context& io, OwnedFd fd, control::LostNotice notice,
                     std::function<void(int error)> gone, std::size_t most)
    : fd_{patient(std::move(fd))}, most_{most}, gone_{std::move(gone)} {
    const mode_t type = type_of(fd_.get());
    sort_ = type == S_IFSOCK ? Sort::socket : type == S_IFIFO || type == S_IFCHR ? Sort::pipe : Sort::plain;
    outbox_.notice_losses_by(std::move(notice));
    if (OwnedFd watcher = watcher_of(fd_.get())) {
        ready_.emplace(io, watcher.release());
    }
}

void EventFile::write(std::string_view line) {
    if (is_gone_) {
        return;
    }
    if (outbox_.empty()) {
        line.remove_prefix(write_some(line));
    }
    if (!line.empty()) {
        outbox_.add_to_stream(line, most_);
        wait();
    }
}

void EventFile::write_last(std::string_view line) {
    if (outbox_.empty()) {
        write(line);
    } else if (!is_gone_) {
        outbox_.add_last(line);
    }
}

ssize_t EventFile::write_once(std::string_view bytes) const {
    if (sort_ == Sort::socket) {
        return ::send(fd(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    // A pipe that is not full takes so much at once (pipe(7)).
    if (sort_ == Sort::pipe) {
        bytes = bytes.substr(0, PIPE_BUF);
        if (!has_room(fd(), std::chrono::milliseconds{0})) {
            errno = EAGAIN;
            return -1;
        }
    }
    return ::write(fd(), bytes.data(), bytes.size());
}

std::size_t EventFile::write_some(std::string_view bytes) {
    std::size_t done = 0;
    while (done < bytes.size() && !is_gone_) {
        const ssize_t written = write_once(bytes.substr(done));
        if (written > 0) {
            done += static_cast<std::size_t>(written);
        } else if (errno == EAGAIN) {
            return done;
        } else if (errno != EINTR) {
            is_gone_ = true;
            gone_(errno);
        }
    }
    return is_gone_ ? bytes.size() : done;
}

void EventFile::wait() {
    if (armed_ || !ready_) {
        return;
    }
    armed_ = true;
    ready_->async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [this](const boost::system::error_code& error) {
                           armed_ = false;
                           if (error) {
                               return;
                           }
                           outbox_.sent(write_some(outbox_.waiting()));
                           if (!outbox_.empty()) {
                               wait();
                           }
                       });
}

void EventFile::flush(std::chrono::milliseconds limit) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + limit;
    while (!outbox_.empty() && !is_gone_ && Clock::now() < end) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
        if (has_room(fd(), std::max(left, std::chrono::milliseconds{1}))) {
            outbox_.sent(write_some(outbox_.waiting()));
        }
    }
}

}  // namespace vml
