// What a network costs, as hints; and lines about a fetch that takes long.
#include <algorithm>
#include <cmath>
#include <string>

#include "bootwatch/hints.h"
#include "bootwatch/progress.h"
#include "tests/unit/catch.h"

namespace vml::boot {
namespace {

Boot plain_boot() {
    Boot boot;
    DhcpTalk talk;
    talk.client = Client::ipxe;
    Offer offer;
    offer.at = 2.5;
    offer.message.yours = Address::v4(0x0A000002);
    talk.offers.push_back(offer);
    offer.at = 5.5;
    talk.ack = offer;
    boot.dhcp.push_back(talk);
    Fetch fetch;
    fetch.url = "tftp://10.0.0.1/boot.ipxe";
    fetch.began = 18.5;
    boot.fetches.push_back(fetch);
    return boot;
}

bool mentions(const std::vector<std::string>& hints, const std::string& words) {
    return std::any_of(hints.begin(), hints.end(),
                       [&](const std::string& hint) { return hint.find(words) != std::string::npos; });
}

TEST_CASE("a network without a router and without option 175.176") {
    Boot boot = plain_boot();
    boot.solicited_at = 0.5;
    const auto hints = network_hints(boot, false);
    CHECK(hints.size() == 2);
    CHECK(mentions(hints, "iPXE waited 13 s for one"));
    CHECK(mentions(hints, "iPXE waited 3 s for a ProxyDHCP server"));
    CHECK(mentions(hints, "encap:175,176,1b"));
}

TEST_CASE("a wait that vm-launch ended is told all the same: bare metal has it") {
    Boot boot = plain_boot();
    boot.solicited_at = 0.5;
    boot.fetches.front().began = 5.6;
    CHECK(mentions(network_hints(boot, true), "13 s for one, on bare metal too"));
    CHECK_FALSE(mentions(network_hints(boot, false), "router"));
}

TEST_CASE("a network that costs nothing gets no hint") {
    Boot boot = plain_boot();
    boot.router_at = 0.6;
    boot.solicited_at = 0.5;
    boot.dhcp.front().ack->at = 2.6;
    CHECK(network_hints(boot, false).empty());
    CHECK(network_hints(boot, true).empty());
    CHECK(network_hints(Boot{}, true).empty());
}

TEST_CASE("who waits for a reason gets no hint about ProxyDHCP") {
    Boot proxied = plain_boot();
    Offer proxy;
    proxy.at = 3;
    proxied.dhcp.front().offers.push_back(proxy);
    CHECK_FALSE(mentions(network_hints(proxied, false), "ProxyDHCP"));
    Boot other = plain_boot();
    other.dhcp.front().client = Client::other;
    CHECK(network_hints(other, false).empty());
}

Fetch running(double began, std::uint64_t received, std::optional<std::uint64_t> expected, double latest) {
    Fetch fetch;
    fetch.url = "http://10.0.0.1/initrd";
    fetch.state = FetchState::receiving;
    fetch.began = began;
    fetch.latest = latest;
    fetch.received = received;
    fetch.expected = expected;
    return fetch;
}

TEST_CASE("a fetch of more than a second is told of, and not too often") {
    Progress progress;
    CHECK_FALSE(progress.next(0, {}));
    CHECK_FALSE(progress.next(10.5, {running(10, 5'000'000, 60'000'000, 10.5)}));
    const auto first = progress.next(11, {running(10, 10'000'000, 60'000'000, 11)});
    REQUIRE(first);
    CHECK(*first == "http://10.0.0.1/initrd: 10.0 MB of 60.0 MB, 10.0 MB/s, 5 s left");
    CHECK_FALSE(progress.next(12.9, {running(10, 29'000'000, 60'000'000, 12.9)}));
    CHECK(progress.next(13, {running(10, 30'000'000, std::nullopt, 13)}) ==
          "http://10.0.0.1/initrd: 30.0 MB, 10.0 MB/s");
    CHECK_FALSE(progress.next(15.5, {running(10, 30'000'000, std::nullopt, 13)}));  // nothing more has come
    Fetch done = running(10, 60'000'000, 60'000'000, 16);
    done.state = FetchState::done;
    CHECK_FALSE(progress.next(16, {done}));
    CHECK(progress.next(17.5, {done, running(16.5, 1'000'000, 2'000'000, 17.5)}));
}

TEST_CASE("a large fetch need not be looked at until it could end") {
    CHECK(uneventful_s({}) == 0);
    // its speed is not known yet: 300 MB/s
    CHECK(uneventful_s({running(1, 1'000'000, 201'000'000, 1.1)}) == 0.25);
    CHECK(std::abs(uneventful_s({running(1, 1'000'000, 67'000'000, 1.1)}) - 0.02) < 1e-9);
    CHECK(uneventful_s({running(1, 1'000'000, 61'000'000, 1.1)}) == 0);
    // three times its speed
    CHECK(uneventful_s({running(1, 40'000'000, 99'000'000, 2)}) == 0.25);
    CHECK(std::abs(uneventful_s({running(1, 40'000'000, 66'000'000, 2)}) - (26.0 / 120 - 0.2)) < 1e-9);
    CHECK(uneventful_s({running(1, 40'000'000, 64'000'000, 2)}) == 0);
    // a slow one may have stood still
    CHECK(uneventful_s({running(1, 1'000'000, 31'000'000, 2)}) == 0.25);
    CHECK(uneventful_s({running(1, 0, 1'200'000, 4)}) == 0);
    CHECK(uneventful_s({running(1, 1'000'000, 1'000'000, 2)}) == 0);
    CHECK(uneventful_s({running(1, 1'000'000, 500'000, 2)}) == 0);
    CHECK(uneventful_s({running(1, 1'000'000, std::nullopt, 2)}) == 0);
    Fetch asked = running(1, 0, 60'000'000, 1);
    asked.state = FetchState::asked;
    CHECK(uneventful_s({asked}) == 0);
}

TEST_CASE("a fetch block by block cannot speed up much, and is left alone for longer") {
    const auto by_tftp = [](double began, std::uint64_t received, std::uint64_t expected, double latest) {
        Fetch fetch = running(began, received, expected, latest);
        fetch.protocol = "tftp";
        return uneventful_s({fetch});
    };
    // its speed is not known yet: 60 MB/s
    CHECK(by_tftp(1, 100'000, 60'000'000, 1.04) == 0.25);
    CHECK(std::abs(by_tftp(1, 100'000, 13'300'000, 1.04) - 0.02) < 1e-9);
    CHECK(by_tftp(1, 100'000, 12'100'000, 1.04) == 0);
    // 20 MB/s, or twice its speed
    CHECK(std::abs(by_tftp(1, 1'000'000, 6'000'000, 1.1) - 0.05) < 1e-9);
    CHECK(by_tftp(1, 1'000'000, 5'000'000, 1.1) == 0);
    CHECK(std::abs(by_tftp(1, 40'000'000, 60'000'000, 2) - 0.05) < 1e-9);
    CHECK(by_tftp(1, 40'000'000, 56'000'000, 2) == 0);
}

}  // namespace
}  // namespace vml::boot
