// The work is done by a child process: a user namespace can be entered by a process of one thread alone
// (unshare(2), setns(2)), and whoever goes in does not come out again. Its descriptors come back over a
// socket.
#include "netsetup/segment.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "netsetup/failure.h"
#include "netsetup/passed.h"

namespace vml::net {

namespace {

constexpr const char* making = "cannot make an isolated segment";
constexpr char field_end = '\0';

// A segment that is there.
struct Namespaces {
    OwnedFd network;
    OwnedFd user;  // none: it belongs to the one that this process is in
};

// True: in a new user namespace.
bool enter_new_network() {
    if (::unshare(CLONE_NEWNET) == 0) {
        return false;
    }
    if (errno != EPERM || ::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        throw_failure(Step::make_segment, making, errno);
    }
    return true;
}

void enter_network(const Namespaces& there) {
    if ((there.user && ::setns(there.user.get(), CLONE_NEWUSER) != 0) ||
        ::setns(there.network.get(), CLONE_NEWNET) != 0) {
        throw_failure(Step::join_segment, "cannot join the segment", errno);
    }
}

OwnedFd namespace_of_child(const char* path) {
    OwnedFd fd{::open(path, O_RDONLY | O_CLOEXEC)};
    if (!fd) {
        throw_failure(Step::make_segment, making, errno);
    }
    return fd;
}

// What the child tells: a link, or a fault; the descriptors of a link are those whose letter is '1'.
std::string told(const SegmentLink& link) {
    std::string text =
        fmt::format("{}{}{}{}{}{}", link.number, field_end, link.index, field_end, link.name, field_end);
    for (const OwnedFd& fd : link.fds) {
        text += fd ? '1' : '0';
    }
    return text;
}

std::string told(const Fault& fault) {
    return fmt::format("fault{}{}{}{}{}{}", field_end, fault.what, field_end, fault.why, field_end,
                       fault.hint);
}

std::vector<std::string> fields_of(std::string_view text) {
    std::vector<std::string> fields;
    for (;;) {
        const std::size_t end = text.find(field_end);
        fields.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            return fields;
        }
        text.remove_prefix(end + 1);
    }
}

SegmentLink link_told(Passed passed) {
    const std::vector<std::string> fields = fields_of(passed.text);
    if (fields.size() != 4) {
        throw Error{Fault{making, "its process said nothing that is known", "", ExitCode::failed}};
    }
    if (fields.front() == "fault") {
        throw Error{Fault{fields.at(1), fields.at(2), fields.at(3), ExitCode::host}};
    }
    SegmentLink link{.number = whole_number<unsigned>(fields.at(0)).value_or(1),
                     .index = whole_number<int>(fields.at(1)).value_or(0),
                     .name = fields.at(2)};
    std::size_t next = 0;
    for (std::size_t i = 0; i < link.fds.size() && i < fields.at(3).size(); ++i) {
        if (fields.at(3).at(i) == '1' && next < passed.fds.size()) {
            link.fds.at(i) = std::move(passed.fds.at(next++));
        }
    }
    return link;
}

void tell(int socket, const SegmentLink& link) {
    std::vector<int> open;
    for (const OwnedFd& fd : link.fds) {
        if (fd) {
            open.push_back(fd.get());
        }
    }
    pass(socket, told(link), open);
}

// Runs `work` in a process of its own, which tells what came of it.
SegmentLink by_child(const std::function<SegmentLink()>& work) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw_failure(Step::make_segment, making, errno);
    }
    const OwnedFd ours{ends[0]};
    OwnedFd theirs{ends[1]};
    const pid_t child = ::fork();
    if (child < 0) {
        throw_failure(Step::make_segment, making, errno);
    }
    if (child == 0) {
        try {
            tell(theirs.get(), work());
        } catch (const Error& error) {
            pass(theirs.get(), told(error.faults().front()), {});
        } catch (const std::exception& error) {
            pass(theirs.get(), told(Fault{making, error.what(), "", ExitCode::host}), {});
        }
        ::_exit(0);
    }
    theirs.reset();
    std::optional<Passed> passed = take_passed(ours.get());
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    if (!passed) {
        throw Error{Fault{making, "its process ended before it was made", "", ExitCode::host}};
    }
    return link_told(std::move(*passed));
}

SegmentLink make_new(const SegmentWish& wish) {
    return by_child([&] {
        const bool by_user = enter_new_network();
        SegmentLink link = make_segment_link(wish);
        if (!wish.segment.empty()) {
            link.fd(SegmentFd::network) = namespace_of_child("/proc/self/ns/net");
            link.fd(SegmentFd::user) = by_user ? namespace_of_child("/proc/self/ns/user") : OwnedFd{};
        }
        return link;
    });
}

// An abstract name, in the network namespace that vm-launch runs in.
struct DoorName {
    sockaddr_un address{};
    socklen_t size = 0;

    explicit DoorName(const std::string& segment) {
        const std::string name = fmt::format("vm-launch/segment/{}/{}", ::geteuid(), segment);
        address.sun_family = AF_UNIX;
        // The name begins with a NUL, and nothing ends it but its size.
        std::memcpy(&address.sun_path[1], name.data(), std::min(name.size(), sizeof address.sun_path - 1));
        size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    }
    [[nodiscard]] const sockaddr* generic() const {
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bind(2) takes every kind so
        return reinterpret_cast<const sockaddr*>(&address);
    }
};

OwnedFd door_socket(int flags) {
    OwnedFd fd{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0)};
    if (!fd) {
        throw_failure(Step::join_segment, "cannot join the segment", errno);
    }
    return fd;
}

// Nothing: somebody has that name.
OwnedFd new_door(const DoorName& name) {
    constexpr int waiting = 64;
    OwnedFd door = door_socket(SOCK_NONBLOCK);
    if (::bind(door.get(), name.generic(), name.size) != 0 || ::listen(door.get(), waiting) != 0) {
        if (errno == EADDRINUSE) {
            return OwnedFd{};
        }
        throw_failure(Step::join_segment, "cannot make the segment known", errno);
    }
    return door;
}

uid_t user_at(int socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.uid
                                                                            : static_cast<uid_t>(-1);
}

[[noreturn]] void nobody_answers(const SegmentWish& wish) {
    throw Error{Fault{fmt::format("cannot join the segment {}", wish.segment), "nobody on it answers",
                      "is a vm-launch on it stopped (SIGSTOP)? Choose another name", ExitCode::host}};
}

// Nothing: nobody listens there.
OwnedFd at_door(const DoorName& name, const SegmentWish& wish) {
    OwnedFd socket = door_socket(0);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wish.patience);
    const std::chrono::microseconds rest = wish.patience - seconds;
    const timeval patience{seconds.count(), rest.count()};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (::connect(socket.get(), name.generic(), name.size) == 0) {
        return socket;
    }
    if (errno == EAGAIN) {  // as many as can wait there do
        nobody_answers(wish);
    }
    if (errno != ECONNREFUSED && errno != EINTR) {
        throw_failure(Step::join_segment, fmt::format("cannot join the segment {}", wish.segment), errno);
    }
    return OwnedFd{};
}

bool has_answer(const OwnedFd& socket, std::chrono::milliseconds patience) {
    pollfd answer{socket.get(), POLLIN, 0};
    int ready = 0;
    do {
        ready = ::poll(&answer, 1, static_cast<int>(patience.count()));
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

// What the door opens to; nothing: whoever was behind it has gone.
std::optional<Passed> ask_at(const DoorName& name, const SegmentWish& wish) {
    const OwnedFd socket = at_door(name, wish);
    if (!socket) {
        return std::nullopt;
    }
    if (user_at(socket.get()) != ::geteuid()) {
        throw Error{Fault{fmt::format("cannot join the segment {}", wish.segment),
                          "another user's process answers for it", "choose another name", ExitCode::host}};
    }
    const std::chrono::milliseconds at_first = wish.patience / 10;
    if (!has_answer(socket, at_first)) {
        if (wish.on_wait) {
            wish.on_wait();
        }
        if (!has_answer(socket, wish.patience - at_first)) {
            nobody_answers(wish);
        }
    }
    std::optional<Passed> passed = take_passed(socket.get());
    return passed && passed->fds.size() >= 2 ? std::move(passed) : std::nullopt;
}

// In the order of let_in.
SegmentLink join_there(const SegmentWish& wish, Passed passed) {
    Namespaces there{std::move(passed.fds.at(1)), OwnedFd{}};
    if (passed.fds.size() > 2) {
        there.user = std::move(passed.fds.at(2));
    }
    SegmentLink link = by_child([&] {
        enter_network(there);
        return make_segment_link(wish);
    });
    link.fd(SegmentFd::door) = std::move(passed.fds.at(0));
    link.fd(SegmentFd::network) = std::move(there.network);
    link.fd(SegmentFd::user) = std::move(there.user);
    return link;
}

}  // namespace

SegmentLink join_segment(const SegmentWish& wish) {
    if (wish.segment.empty()) {
        return make_new(wish);
    }
    constexpr int most_tries = 100;
    constexpr int between_ms = 20;
    const DoorName name{wish.segment};
    for (int attempt = 0; attempt < most_tries; ++attempt) {
        if (OwnedFd door = new_door(name)) {
            SegmentLink link = make_new(wish);
            link.fd(SegmentFd::door) = std::move(door);
            return link;
        }
        if (auto passed = ask_at(name, wish)) {
            return join_there(wish, std::move(*passed));
        }
        // The last one on it has just gone, or the first one has not begun to listen.
        ::poll(nullptr, 0, between_ms);
    }
    throw Error{Fault{fmt::format("cannot join the segment {}", wish.segment),
                      "its name is taken, and nobody answers", "choose another name", ExitCode::host}};
}

void let_in(const SegmentLink& link, uid_t user) noexcept {
    const OwnedFd guest{
        ::accept4(link.fd(SegmentFd::door).get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (!guest || user_at(guest.get()) != user) {
        return;
    }
    std::vector<int> keys{link.fd(SegmentFd::door).get(), link.fd(SegmentFd::network).get()};
    if (link.fd(SegmentFd::user)) {
        keys.push_back(link.fd(SegmentFd::user).get());
    }
    pass(guest.get(), "segment", keys);
}

std::optional<Fault> segment_obstacle() {
    try {
        std::ignore = by_child([] {
            enter_new_network();
            return make_segment_link({});
        });
        return std::nullopt;
    } catch (const Error& error) {
        return error.faults().front();
    }
}

}  // namespace vml::net
