// Isolated segments, on the real kernel: as root, or where user namespaces are allowed.
#include <array>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netsetup/segment.h"
#include "tests/unit/catch.h"

namespace vml::net {
namespace {

std::string own_name() {
    return fmt::format("unit-{}", ::getpid());
}

// Lets the next one in.
std::thread doorkeeper(const SegmentLink& link) {
    return std::thread{[&link] {
        pollfd door{link.fd(SegmentFd::door).get(), POLLIN, 0};
        if (::poll(&door, 1, 60'000) == 1) {
            let_in(link, ::geteuid());
        }
    }};
}

// Nothing: there is no room, or nobody.
OwnedFd at_door_of(const std::string& segment, uid_t owner = ::geteuid(), int flags = SOCK_NONBLOCK) {
    OwnedFd socket{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0)};
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    const std::string name = fmt::format("vm-launch/segment/{}/{}", owner, segment);
    std::memcpy(&where.sun_path[1], name.data(), name.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&where), size) == 0 ? std::move(socket)
                                                                                         : OwnedFd{};
}

// What another user's connection to the door gets: how many bytes.
int asked_by_nobody(const std::string& segment) {
    constexpr uid_t nobody = 65534;
    if (::setresuid(nobody, nobody, nobody) != 0) {
        return 99;
    }
    const OwnedFd socket = at_door_of(segment, 0, 0);
    std::array<char, 64> room{};
    return socket ? static_cast<int>(::recv(socket.get(), room.data(), room.size(), 0)) : 99;
}

TEST_CASE("a segment of its own has a tap, and whatever serves its guest") {
    REQUIRE_FALSE(segment_obstacle());
    const SegmentLink link = join_segment({"", 1400, true});
    CHECK(link.number == 1);
    CHECK(link.name == "vm0");
    using enum SegmentFd;
    for (const SegmentFd fd : {tap, frames, capture, http4, http6, tftp4, tftp6, dns4, dns6, dhcp4, boot4}) {
        CHECK(link.fd(fd));
    }
    for (const SegmentFd fd : {network, user, door}) {
        CHECK_FALSE(link.fd(fd));
    }
    CHECK(::access("/sys/class/net/segment", F_OK) != 0);  // not here
}

TEST_CASE("who names the same segment is on it, whoever is left of it opens, and a place is free again") {
    auto first = std::make_unique<SegmentLink>(join_segment({own_name(), 0, false}));
    CHECK_FALSE(first->fd(SegmentFd::capture));
    std::thread keeper = doorkeeper(*first);
    const SegmentLink second = join_segment({own_name(), 0, false});
    keeper.join();
    CHECK(first->number == 1);
    CHECK(second.number == 2);
    first.reset();
    keeper = doorkeeper(second);
    const SegmentLink third = join_segment({own_name(), 0, false});
    keeper.join();
    CHECK(third.number == 1);
}

TEST_CASE("a place is not free before its server has gone") {
    SegmentLink first = join_segment({own_name(), 0, false});
    first.fd(SegmentFd::tap).reset();  // QEMU's end
    std::thread keeper = doorkeeper(first);
    const SegmentLink second = join_segment({own_name(), 0, false});
    keeper.join();
    CHECK(second.number == 2);
    CHECK(second.name == "vm1");
    for (const SegmentFd server : {SegmentFd::http4, SegmentFd::http6}) {
        first.fd(server).reset();
    }
    keeper = doorkeeper(first);
    const SegmentLink third = join_segment({own_name(), 0, false});
    keeper.join();
    CHECK(third.number == 3);  // TFTP's is there still
}

TEST_CASE("who does not answer is waited for so long, which is told, and not again") {
    const std::string segment = own_name();
    const SegmentLink link = join_segment({segment, 0, false});
    int told = 0;
    SegmentWish wish{segment, 0, false, std::chrono::milliseconds{50}, [&] { ++told; }};
    const auto why_not = [&] {
        try {
            std::ignore = join_segment(wish);
        } catch (const Error& error) {
            return error.faults().front().why;
        }
        return std::string{"it was let in"};
    };
    CHECK(why_not() == "nobody on it answers");
    CHECK(told == 1);
    std::vector<OwnedFd> crowd;
    do {
        crowd.push_back(at_door_of(segment));
    } while (crowd.back());
    CHECK(crowd.size() > 60);
    CHECK(why_not() == "nobody on it answers");
    CHECK(told == 1);
}

TEST_CASE("another user is not let in") {
    if (::geteuid() != 0) {
        WARN("not tested: it takes root to be another user");
        return;
    }
    const std::string segment = own_name();
    const SegmentLink link = join_segment({segment, 0, false});
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(asked_by_nobody(segment));
    }
    pollfd door{link.fd(SegmentFd::door).get(), POLLIN, 0};
    REQUIRE(::poll(&door, 1, 60'000) == 1);
    let_in(link, 0);
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 0);  // the end, and nothing before it
}

}  // namespace
}  // namespace vml::net
