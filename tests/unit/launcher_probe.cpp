// The probe of a guest's network: when it is sent, and what it keeps from the guest's own boot.
#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "launcher/watch/boot_watch.h"
#include "launcher/watch/network_probe.h"
#include "tests/unit/bootwatch_frames.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

using namespace boot::test;

const std::string uuid = "00112233-4455-5677-8899-aabbccddeeff";

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
                ProbeQuestion{"net1", {0, guest, 0, "PXEClient:Arch:00000:UNDI:002001", "iPXE", uuid}},
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
                       ProbeQuestion{"net1", {0, guest, 0, "PXEClient", "", uuid}},
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

// A run's watch, which has a socket in place of the one on its macvtap.
class Watched {
  public:
    Watched() {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
        network.reset(ends[0]);
        std::vector<WireTap> taps(1);
        taps[0].nic = "net0";
        taps[0].mac = mac_text(guest);
        taps[0].fd.reset(ends[1]);
        BootWatchConfig config;
        config.observer.nics = {{"net0", guest}};
        config.probe = ProbeQuestion{"net0", {0, guest, 0, "PXEClient:Arch:00000:UNDI:002001", "iPXE", uuid}};
        watch.emplace(io, std::move(config), std::move(taps), log, handlers());
    }

    // What was sent out over the link.
    [[nodiscard]] std::string sent() const {
        std::array<char, 1024> room{};
        const ssize_t count = ::read(network.get(), room.data(), room.size());
        return count > 0 ? std::string(room.data(), static_cast<std::size_t>(count)) : "";
    }
    void comes_in(const std::string& frame) {
        REQUIRE(::write(network.get(), frame.data(), frame.size()) == static_cast<ssize_t>(frame.size()));
        watch->console_line("");  // what came before a line is seen before it
    }

    boost::asio::io_context io;
    OwnedFd network;
    Log log{LogLevel::error, LogFormat::text, [](std::string_view) {}};
    std::optional<BootWatch> watch;

  private:
    static BootWatch::Handlers handlers() {
        return {[](const events::Event&) {},
                [](const boot::Mark&) {},
                [](BootEnd, const Fault&) {},
                [](std::chrono::seconds) {},
                [](const LinkSwitch&) {},
                [](const std::string&, bool) {},
                [] {},
                [] { return std::vector<std::string>{}; }};
    }
};

std::string offer_to(const std::string& question, std::uint32_t server) {
    constexpr std::size_t xid = 14 + 20 + 8 + 4;
    return dhcp(false, 2, option(54, be32(server)), guest_ip).replace(xid, 4, question.substr(xid, 4));
}

TEST_CASE("what answers a probe after a reset goes to no boot: not to the next, which it was not sent in") {
    Watched run;
    run.watch->link_forwards(true);
    const std::string question = run.sent();
    REQUIRE(boot::decode_frame(bytes_of(question)));
    run.watch->started();
    run.watch->console_line("SeaBIOS (version 1)");
    run.comes_in(offer_to(question, server_ip));
    REQUIRE(run.watch->was_reset());
    run.comes_in(offer_to(question, server_ip + 5));
    const auto& boots = run.watch->observer().boots();
    REQUIRE(boots.size() == 2);
    REQUIRE(boots[0].probe);
    CHECK(boots[0].probe->offers.size() == 1);
    CHECK_FALSE(boots[1].probe);
    CHECK(boots[1].dhcp.empty());
}

TEST_CASE("a reset ends a probe that nobody has answered: nothing is asked again") {
    for (const bool reset : {false, true}) {
        Watched run;
        run.watch->link_forwards(true);
        REQUIRE_FALSE(run.sent().empty());
        run.watch->started();
        run.watch->console_line("SeaBIOS (version 1)");
        CHECK((!reset || run.watch->was_reset()));
        run.io.run_for(std::chrono::milliseconds{1200});
        CHECK(run.sent().empty() == reset);
    }
}

}  // namespace
}  // namespace vml
