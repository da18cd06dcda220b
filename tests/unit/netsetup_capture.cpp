// A view of a link's frames, on real links.
#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include <net/if.h>
#include <unistd.h>

#include "base/error.h"
#include "netsetup/capture.h"
#include "netsetup/kernel_executor.h"
#include "netsetup/plan.h"
#include "tests/unit/catch.h"
#include "tests/unit/netsetup_support.h"

using namespace vml;
using namespace vml::net;
using namespace vml::net::test;

namespace {

constexpr std::chrono::milliseconds capture_deadline{2000};

// Is this frame among those that wait, or come before the capture_deadline?
bool captured(int fd, const Frame& wanted) {
    std::array<char, capture_length> bytes{};
    while (readable(fd, capture_deadline)) {
        const ssize_t count = ::read(fd, bytes.data(), bytes.size());
        if (count >= static_cast<ssize_t>(wanted.size()) &&
            std::equal(wanted.begin(), wanted.end(), bytes.begin(),
                       [](unsigned char a, char b) { return a == static_cast<unsigned char>(b); })) {
            return true;
        }
    }
    return false;
}

bool quiet(int fd) {
    std::array<char, capture_length> bytes{};
    while (::read(fd, bytes.data(), bytes.size()) > 0) {
    }
    return !readable(fd, std::chrono::milliseconds{200});
}

// From the guest, to 10.77.0.`last`.
Frame datagram(const Mac& to, unsigned last, unsigned port, unsigned protocol = 17, unsigned from = 2070) {
    Frame frame(to.begin(), to.end());
    frame.insert(frame.end(), guest.begin(), guest.end());
    for (const unsigned byte :
         {0x08U,      0U,           0x45U, 0U,  0U, 32U, 0U,  0U,  0U, 0U,   64U,        protocol,
          0U,         0U,           10U,   77U, 0U, 50U, 10U, 77U, 0U, last, from >> 8U, from & 0xFFU,
          port >> 8U, port & 0xFFU, 0U,    12U, 0U, 0U,  1U,  2U,  3U, 4U}) {
        frame.push_back(static_cast<unsigned char>(byte));
    }
    unsigned sum = 0;  // RFC 1071: the bridge of a kernel with netfilter drops what has a wrong one
    for (std::size_t i = 14; i < 34; i += 2) {
        sum += unsigned{frame[i]} << 8U | frame[i + 1];
    }
    sum = ~((sum & 0xFFFFU) + (sum >> 16U)) & 0xFFFFU;
    frame[24] = static_cast<unsigned char>(sum >> 8U);
    frame[25] = static_cast<unsigned char>(sum & 0xFFU);
    return frame;
}

int pair_of_links() {
    sh("ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up");
    return static_cast<int>(if_nametoindex("v0"));
}

}  // namespace

// 10.77.0.3 is the host's; a kernel that got it would say that the port is closed.
TEST_CASE("what a guest sends to kept ports comes to nobody but whoever reads its tap") {
    const PrivateHost host;
    make_bridge();
    sh("ip addr add 10.77.0.3/24 dev br0");
    KernelExecutor executor;
    AppliedLinks applied{executor};
    auto operations = plan_bridge_nic({.bridge = "br0", .guest_mac = guest}, host_network_facts()).operations;
    const DatagramTarget target{{10, 77, 0, 3}, {69}, {4011}, {}};
    operations.emplace_back(KeepDatagrams{0, target});
    applied.apply(operations);
    const std::vector<OwnedFd> queues = executor.take_queues(0);
    wait_until_forwarding(executor.link_name(0));
    const OwnedFd view = open_datagram_capture(executor.link_index(0), target);
    const OwnedFd on_bridge = open_capture(static_cast<int>(if_nametoindex("br0")));
    const Mac of_bridge = link_now("br0").mac;
    // The first of these that comes to the host; the last is to come.
    const auto first_of = [&](const std::vector<Frame>& sent) {
        for (const Frame& each : sent) {
            queue_send(queues.front(), each);
        }
        std::array<char, capture_length> bytes{};
        Frame first;
        while (readable(on_bridge.get(), capture_deadline)) {
            const ssize_t count = ::read(on_bridge.get(), bytes.data(), bytes.size());
            const auto* const begin = reinterpret_cast<const unsigned char*>(bytes.data());
            const Frame seen{begin, begin + std::max<ssize_t>(count, 0)};
            if (first.empty() && std::find(sent.begin(), sent.end(), seen) != sent.end()) {
                first = seen;
            }
            if (seen == sent.back()) {
                return first;
            }
        }
        return Frame{};
    };
    const Frame other_port = datagram(of_bridge, 3, 67);
    for (const Frame& kept :
         {datagram(of_bridge, 3, 69), datagram(of_bridge, 3, 4011), datagram(broadcast, 1, 4011)}) {
        CHECK(first_of({kept, other_port}) == other_port);
        CHECK(captured(view.get(), kept));
    }
    for (const Frame& passed : {datagram(of_bridge, 3, 69, 6), datagram(of_bridge, 9, 69)}) {
        CHECK(first_of({passed, other_port}) == passed);
    }
    CHECK(quiet(view.get()));
}

// The kernel runs the same program for a packet socket.
TEST_CASE("what goes to a port of whomever may have to come from a port, too") {
    const PrivateHost host;
    const int link = pair_of_links();
    for (const auto& [target, from_any] :
         {std::pair{DatagramTarget{{10, 77, 0, 3}, {69}, {4011, 4012}, {}}, true},
          std::pair{DatagramTarget{{10, 77, 0, 3}, {69}, {4011, 4012}, {4011}}, false}}) {
        const OwnedFd view = open_datagram_capture(link, target);
        const Frame last = datagram(broadcast, 3, 69, 17, 70);
        for (const Frame& seen :
             {datagram(broadcast, 1, 4011, 17, 4011), datagram(broadcast, 1, 4012, 17, 4011), last}) {
            Wire{"v1"}.send(seen);
            CHECK(captured(view.get(), seen));
        }
        for (const Frame& perhaps :
             {datagram(broadcast, 1, 4011, 17, 68), datagram(broadcast, 3, 4012, 17, 68)}) {
            Wire{"v1"}.send(perhaps);
            CHECK((from_any ? captured(view.get(), perhaps) : quiet(view.get())));
        }
        Wire{"v1"}.send(datagram(broadcast, 1, 69, 17, 4011));
        CHECK(quiet(view.get()));
    }
}

TEST_CASE("both directions are seen, each frame once") {
    const PrivateHost host;
    const OwnedFd fd = open_capture(pair_of_links());
    Wire{"v0"}.send(frame(broadcast, guest, "from the guest"));
    CHECK(captured(fd.get(), frame(broadcast, guest, "from the guest")));
    Wire{"v1"}.send(frame(broadcast, server, "to the guest"));
    CHECK(captured(fd.get(), frame(broadcast, server, "to the guest")));
}

TEST_CASE("of a guest's tap it is told which frames come in for the guest, and which are its own") {
    const PrivateHost host;
    sh("ip link add br0 type bridge && ip link set br0 up");
    sh("ip link add v0 type veth peer name v1 && ip link set v0 master br0 up && ip link set v1 up");
    wait_until_forwarding("v0");
    KernelExecutor executor;
    AppliedLinks applied{executor};
    applied.apply(plan_bridge_nic({.bridge = "br0", .guest_mac = guest}, host_network_facts()).operations);
    const std::vector<OwnedFd> queues = executor.take_queues(0);
    const OwnedFd fd = executor.capture(0);
    const auto direction_of = [&](const Frame& wanted) {
        std::array<char, capture_length> bytes{};
        while (readable(fd.get(), capture_deadline)) {
            const CapturedFrame seen = read_frame(fd.get(), bytes);
            if (seen.count >= static_cast<ssize_t>(wanted.size()) &&
                std::memcmp(bytes.data(), wanted.data(), wanted.size()) == 0) {
                CHECK(seen.length == static_cast<std::size_t>(seen.count));
                return seen.outgoing ? "to the guest" : "from the guest";
            }
        }
        return "lost";
    };
    queue_send(queues.front(), frame(broadcast, guest, "the guest's own"));
    CHECK(direction_of(frame(broadcast, guest, "the guest's own")) == std::string{"from the guest"});
    Wire{"v1"}.send(frame(broadcast, guest, "another's"));
    CHECK(direction_of(frame(broadcast, guest, "another's")) == std::string{"to the guest"});
    Frame large = frame(broadcast, guest, "long");
    large.resize(1200, 'x');
    queue_send(queues.front(), large);
    std::array<char, 100> little{};
    CapturedFrame cut;
    while (cut.length != large.size() && readable(fd.get(), capture_deadline)) {
        cut = read_frame(fd.get(), little);  // the bridge has words of its own
    }
    CHECK(cut.count == 100);
    CHECK(cut.length == large.size());
    CHECK(read_frame(-1, {}).count < 0);
}

TEST_CASE("a pause sees nothing, and ends without any privilege") {
    const PrivateHost host;
    const int link = pair_of_links();
    const OwnedFd fd = open_capture(link);
    CHECK(in_child([&] {
        drop_capability(13);  // CAP_NET_RAW
        demand(pause_capture(fd.get(), link), "it pauses");
    }));
    Wire wire{"v1"};
    (void)quiet(fd.get());
    wire.send(frame(broadcast, server, "unseen"));
    CHECK(quiet(fd.get()));
    CHECK(in_child([&] {
        drop_capability(13);
        demand(resume_capture(fd.get(), link), "it resumes");
    }));
    wire.send(frame(broadcast, server, "seen again"));
    CHECK(captured(fd.get(), frame(broadcast, server, "seen again")));
    CHECK(lost_frames(fd.get()) == 0);
}

// A TCP segment over IPv4, with `more_header` words of options in the IP header.
Frame segment(const std::array<unsigned char, 4>& to, unsigned port, unsigned char flags,
              unsigned more_header = 0) {
    Frame bytes(60 + 4 * more_header, 0);
    const std::size_t tcp = 14 + 20 + 4 * more_header;
    std::copy(guest.begin(), guest.end(), bytes.begin() + 6);
    bytes[12] = 0x08;
    bytes[14] = static_cast<unsigned char>(0x45 + more_header);
    bytes[23] = 6;
    std::copy(to.begin(), to.end(), bytes.begin() + 30);
    bytes[tcp + 2] = static_cast<unsigned char>(port >> 8U);
    bytes[tcp + 3] = static_cast<unsigned char>(port);
    bytes[tcp + 13] = flags;
    return bytes;
}

TEST_CASE("a view of the first segments of connections to one place, and of nothing else") {
    enum Flag : unsigned char { syn = 2, ack = 16 };
    const TcpTarget target{{10, 77, 0, 3}, 40000};
    const PrivateHost host;
    const OwnedFd fd = open_connection_capture(pair_of_links(), target);
    const Wire wire{"v1"};
    wire.send(segment({10, 77, 0, 3}, 40001, syn));
    wire.send(segment({10, 77, 0, 4}, 40000, syn));
    wire.send(segment({10, 77, 0, 3}, 40000, syn | ack));
    wire.send(segment({10, 77, 0, 3}, 40000, ack));
    Frame other = segment({10, 77, 0, 3}, 40000, syn);
    other[23] = 17;  // UDP
    wire.send(other);
    other = segment({10, 77, 0, 3}, 40000, syn);
    other[12] = 0x86;  // not IPv4
    wire.send(other);
    other = segment({10, 77, 0, 3}, 40000, syn);
    other[21] = 1;  // a later fragment
    wire.send(other);
    CHECK(quiet(fd.get()));
    for (const unsigned more_header : {0U, 2U}) {
        const Frame wanted = segment({10, 77, 0, 3}, 40000, syn, more_header);
        wire.send(wanted);
        CHECK(captured(fd.get(), wanted));
    }
}

TEST_CASE("without the privilege the reason is told") {
    CHECK(capture_obstacle() == 0);
    CHECK(in_child([] {
        drop_capability(13);
        demand(capture_obstacle() == EPERM, "the obstacle is known");
        try {
            (void)open_capture(1);
        } catch (const Error& error) {
            demand(error.faults().front().hint.find("NET_RAW") != std::string::npos, "the hint");
            return;
        }
        demand(false, "it must fail");
    }));
}

TEST_CASE("a link that has gone cannot be seen any more") {
    const PrivateHost host;
    const int link = pair_of_links();
    const OwnedFd fd = open_capture(link);
    sh("ip link del v0");
    CHECK_FALSE(resume_capture(fd.get(), link));
}
