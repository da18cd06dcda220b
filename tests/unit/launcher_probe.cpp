// The probe of a guest's network: when it is sent, and what it keeps from the guest's own boot.
#include <array>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "launcher/watch/network_probe.h"
#include "tests/unit/bootwatch_frames.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

using namespace boot::test;

// Of macvtaps.
std::vector<WireTap> two_taps() {
    std::vector<WireTap> taps;
    taps.push_back({"net0", "02:00:00:00:00:01", {}});
    taps.push_back({"net1", mac_text(guest), {}});
    return taps;
}

// With what it sends and tells.
class Asked {
  public:
    explicit Asked(bool can_send = true)
        : probe{io,
                ProbeQuestion{"net1", {0, guest, 0, "PXEClient:Arch:00000:UNDI:002001", "iPXE"}},
                taps,
                {[this, can_send](std::size_t nic, std::string_view frame) {
                     nics.push_back(nic);
                     frames.emplace_back(frame);
                     return can_send;
                 },
                 [] { return 0.5; }, [this](const boot::Probe& now) { latest = now; },
                 [this](const boot::Probe&) { ++ends; }}} {}

    // An offer to the question that was sent, or to another one.
    [[nodiscard]] boot::Packet offer(std::uint32_t beside = 0) const {
        auto packet = boot::decode_frame(bytes_of(dhcp(false, 2, option(67, "boot.ipxe"), guest_ip)));
        REQUIRE(packet);
        std::get<boot::DhcpMessage>(packet->body).xid = latest.question.xid + beside;
        return *packet;
    }
    void run_for(std::chrono::milliseconds time) { io.run_for(time); }

    boost::asio::io_context io;
    std::vector<WireTap> taps = two_taps();
    std::vector<std::size_t> nics;
    std::vector<std::string> frames;
    boot::Probe latest;
    int ends = 0;
    NetworkProbe probe;
};

boot::Packet guests_own() {
    auto packet = boot::decode_frame(bytes_of(dhcp(true, 1, as_ipxe)));
    REQUIRE(packet);
    return *packet;
}

TEST_CASE("a probe is sent once the port forwards, on its own NIC, and keeps its answers to itself") {
    Asked asked;
    CHECK_FALSE(asked.probe.takes(1, guests_own()));
    Asked first;
    CHECK(first.frames.empty());
    first.probe.begin();
    REQUIRE(first.frames.size() == 1);
    CHECK(first.nics == std::vector<std::size_t>{1});
    CHECK(first.latest.sent == 1);
    CHECK(first.latest.began == 0.5);
    const auto question = boot::decode_frame(bytes_of(first.frames[0]));
    REQUIRE(question);
    CHECK(first.probe.takes(1, *question));  // as the tap shows it
    CHECK(first.probe.takes(1, first.offer()));
    CHECK(first.latest.offers.size() == 1);
    CHECK_FALSE(first.probe.takes(0, first.offer()));
    CHECK_FALSE(first.probe.takes(1, first.offer(1)));  // the guest's
    first.probe.begin();
    CHECK(first.frames.size() == 1);
}

TEST_CASE("where nobody answers it is sent again, unless the guest itself asks meanwhile") {
    Asked asked;
    asked.probe.begin();
    asked.run_for(std::chrono::milliseconds{1300});
    CHECK(asked.frames.size() == 2);
    CHECK(asked.frames[0] == asked.frames[1]);
    CHECK_FALSE(asked.probe.takes(1, guests_own()));
    asked.run_for(std::chrono::milliseconds{2300});
    CHECK(asked.frames.size() == 2);
    CHECK(asked.ends == 1);
    CHECK(asked.probe.takes(1, asked.offer()));  // late, and not the guest's all the same
    CHECK(asked.latest.offers.empty());
}

// A copy of its descriptor would keep the tap alive, and undoing would fail.
TEST_CASE("the guest's end of a tap is let go once it is told that the link goes, or all is over") {
    boost::asio::io_context io;
    std::vector<WireTap> taps = two_taps();
    std::array<int, 2> pipe{};
    REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
    const OwnedFd reading{pipe[0]};
    taps[1].alone = true;
    taps[1].guest_end.reset(pipe[1]);
    int ends = 0;
    NetworkProbe probe{io,
                       ProbeQuestion{"net1", {0, guest, 0, "PXEClient", ""}},
                       taps,
                       {[](std::size_t, std::string_view) -> bool { throw std::logic_error{"no macvtap"}; },
                        [] { return 0.0; }, [](const boot::Probe&) {}, [&](const boot::Probe&) { ++ends; }}};
    CHECK_FALSE(taps[1].guest_end);
    pollfd hung{reading.get(), POLLIN, 0};
    CHECK(::poll(&hung, 1, 0) == 0);
    probe.end();
    CHECK(::poll(&hung, 1, 0) == 1);
    CHECK((hung.revents & POLLHUP) != 0);
    CHECK(ends == 1);
    probe.begin();  // too late
    probe.end();
    CHECK(ends == 1);
}

TEST_CASE("a probe that cannot be sent ends, and nothing is known by it") {
    Asked asked{false};
    asked.probe.begin();
    CHECK(asked.ends == 1);
    CHECK(asked.latest.sent == 0);
}

}  // namespace
}  // namespace vml
