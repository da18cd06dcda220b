// What a guest on an isolated segment is answered: frames in, frames out, read back by the decoder of real
// ones.
#include <optional>
#include <string>
#include <vector>

#include "base/boot_server_port.h"
#include "base/segment_place.h"
#include "bootwatch/packet.h"
#include "netserve/dhcp4_answer.h"
#include "netserve/dns_answer.h"
#include "netserve/segment_answer.h"
#include "netserve/udp_frame.h"
#include "tests/unit/catch.h"

namespace vml::serve {
namespace {

using namespace std::string_literals;

constexpr Mac guest_mac{0x52, 0x54, 0, 0x12, 0x34, 0x56};
constexpr Ip6 guest_link{0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0x50, 0x54, 0, 0xFF, 0xFE, 0x12, 0x34, 0x56};
constexpr Ip6 dhcp6_servers{0xFF, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2};

SegmentGuest guest() {
    return {guest_mac, 3, "boot.ipxe", "snponly.efi", {}};
}

std::string opt4(char code, const std::string& value) {
    return std::string{code, static_cast<char>(value.size())} + value;
}

const std::string ipxe4 = opt4(77, "iPXE");
const std::string pxe4 = opt4(60, "PXEClient:Arch:00007:UNDI:003016");
const std::string http4 = opt4(60, "HTTPClient:Arch:00016:UNDI:003001");

std::string bootp(const Mac& mac, const std::string& options,
                  const std::string& address = std::string(4, '\0')) {
    return "\x01\x01\x06\0"s + "\x01\x02\x03\x04"s + "\0\0\x80\0"s + address + std::string(12, '\0') +
           std::string{mac.begin(), mac.end()} + std::string(10 + 64 + 128, '\0') + "\x63\x82\x53\x63"s +
           options + '\xFF';
}

std::string from_guest4(const std::string& message) {
    return udp_frame(FrameEnds<Ip4>{{}, {}, {255, 255, 255, 255}, 68, 67}, message);
}

std::optional<boot::DhcpMessage> answered4(const SegmentGuest& whom, const std::string& message) {
    const auto frame = segment_answer(whom, from_guest4(message));
    if (!frame) {
        return std::nullopt;
    }
    const auto packet = boot::decode_frame(bytes_of(*frame));
    REQUIRE(packet);
    CHECK(to_string(packet->from.address) == "198.18.3.1");
    CHECK(packet->to.port == 68);
    return std::get<boot::DhcpMessage>(packet->body);
}

std::optional<boot::DhcpMessage> answered4(const std::string& options) {
    return answered4(guest(), bootp(guest_mac, options));
}

// How often this option is in what is answered.
int times4(const SegmentGuest& whom, const std::string& message, const std::string& option) {
    const std::string frame = segment_answer(whom, from_guest4(message)).value_or("");
    int times = 0;
    for (std::size_t at = frame.find(option); at != std::string::npos; at = frame.find(option, at + 1)) {
        ++times;
    }
    return times;
}

TEST_CASE("iPXE is offered its address and the script, and waits for no other server") {
    const auto offer = answered4(opt4(53, "\x01") + ipxe4);
    REQUIRE(offer);
    CHECK(offer->kind == boot::DhcpKind::offer);
    CHECK(offer->xid == 0x01020304);
    CHECK(to_string(offer->yours) == "198.18.3.2");
    CHECK(to_string(offer->server_id) == "198.18.3.1");
    CHECK(offer->bootfile == "http://198.18.3.1/boot.ipxe");
    CHECK(offer->no_proxy_wait);
}

TEST_CASE("a firmware's client gets the program, by the protocol that it speaks") {
    CHECK(answered4(opt4(53, "\x01") + pxe4)->bootfile == "snponly.efi");
    CHECK(to_string(answered4(opt4(53, "\x01") + pxe4)->next_server) == "198.18.3.1");
    const auto http = answered4(opt4(53, "\x01") + http4);
    CHECK(http->bootfile == "http://198.18.3.1/snponly.efi");
    CHECK(http->vendor_class == "HTTPClient");
}

TEST_CASE("an operating system gets an address, and nothing to boot") {
    for (const std::string& system : {opt4(60, ""), opt4(60, "MSFT 5.0"), opt4(60, "dhcpcd-9.4.1"), ""s}) {
        const auto offer = answered4(opt4(53, "\x01") + system);
        CHECK(to_string(offer->yours) == "198.18.3.2");
        CHECK(offer->bootfile.empty());
        CHECK(offer->next_server.is_zero());
    }
}

TEST_CASE("an address of another network is refused, another server's client left alone") {
    CHECK(answered4(opt4(53, "\x03") + opt4(50, "\xC6\x12\x03\x02"))->kind == boot::DhcpKind::ack);
    CHECK(answered4(opt4(53, "\x03") + opt4(50, "\x0A\x00\x02\x0F"s))->kind == boot::DhcpKind::nak);
    CHECK_FALSE(answered4(opt4(53, "\x03") + opt4(54, "\x0A\x00\x02\x02"s) + opt4(50, "\xC6\x12\x03\x02")));
    CHECK_FALSE(answered4(guest(), bootp({0x52, 0x54, 0, 9, 9, 9}, opt4(53, "\x01"))));
}

TEST_CASE("a client that has its address is answered there") {
    const auto frame =
        segment_answer(guest(), from_guest4(bootp(guest_mac, opt4(53, "\x03"), "\xC6\x12\x03\x02")));
    REQUIRE(frame);
    const auto packet = boot::decode_frame(bytes_of(*frame));
    CHECK(packet->target == guest_mac);
    CHECK(to_string(packet->to.address) == "198.18.3.2");
}

TEST_CASE("who has an address, and asks for the rest, is given neither one nor a time for it") {
    const std::string lease = opt4(51, "\0\x0D\x2F\0"s);
    const std::string informs = bootp(guest_mac, opt4(53, "\x08") + ipxe4, "\xC6\x12\x03\x09");
    const auto answer = answered4(guest(), informs);
    REQUIRE(answer);
    CHECK(answer->kind == boot::DhcpKind::ack);
    CHECK(answer->yours.is_zero());
    CHECK(answer->bootfile == "http://198.18.3.1/boot.ipxe");
    CHECK(times4(guest(), informs, lease) == 0);
    CHECK(times4(guest(), bootp(guest_mac, opt4(53, "\x01")), lease) == 1);
}

TEST_CASE(
    "the user's options come, those of iPXE's own to iPXE alone, and never more than the client takes") {
    SegmentGuest with = guest();
    with.options = {{209, false, "menu.cfg"}, {0x53, true, "\x2A"}};
    const auto ipxe = answered4(with, bootp(guest_mac, opt4(53, "\x01") + ipxe4));
    CHECK(ipxe->has(209));
    CHECK(ipxe->has(175));
    const auto other = answered4(with, bootp(guest_mac, opt4(53, "\x01") + pxe4));
    CHECK(other->has(209));
    CHECK_FALSE(other->has(175));
    with.options = {{209, false, std::string(255, 'x')}, {210, false, std::string(255, 'x')}};
    CHECK_FALSE(answered4(with, bootp(guest_mac, opt4(53, "\x01") + pxe4))->has(209));
    CHECK(answered4(with, bootp(guest_mac, opt4(53, "\x01") + pxe4 + opt4(57, "\x05\xC0")))->has(210));
}

TEST_CASE("no answer is longer than the link takes, and its size is told before") {
    SegmentGuest with = guest();
    with.options = {{209, false, std::string(255, 'x')},
                    {210, false, std::string(255, 'x')},
                    {211, false, std::string(255, 'x')},
                    {224, false, std::string(226, 'x')}};
    const std::string asks = bootp(guest_mac, opt4(53, "\x01") + pxe4 + opt4(57, "\x05\xC0"));
    const AnswerSize size = dhcp4_answer_size(with, BootClient::pxe);
    CHECK(size.largest == 1444);
    CHECK(size.whole == read_udp4(*segment_answer(with, from_guest4(asks)))->payload.size());
    CHECK(answered4(with, asks)->has(224));
    with.mtu = size.whole + udp4_overhead;
    CHECK(dhcp4_answer_size(with, BootClient::pxe).largest == size.whole);
    CHECK(answered4(with, asks)->has(224));
    --with.mtu;
    CHECK(dhcp4_answer_size(with, BootClient::pxe).whole == size.whole);
    CHECK_FALSE(answered4(with, asks)->has(224));
}

TEST_CASE("a mask and a name server of the user's go in place of ours") {
    const std::string asks = bootp(guest_mac, opt4(53, "\x01"));
    const std::string our_mask = opt4(1, "\xFF\xFF\0\0"s);
    const std::string our_dns = opt4(6, "\xC6\x12\x03\x01");
    CHECK(times4(guest(), asks, our_mask) == 1);
    CHECK(times4(guest(), asks, our_dns) == 1);
    SegmentGuest with = guest();
    with.options = {{1, false, "\xFF\xFF\xFF\0"s}, {6, false, "\x09\x09\x09\x09"}};
    CHECK(times4(with, asks, opt4(1, "\xFF\xFF\xFF\0"s)) == 1);
    CHECK(times4(with, asks, opt4(6, "\x09\x09\x09\x09")) == 1);
    CHECK(times4(with, asks, our_mask) == 0);
    CHECK(times4(with, asks, our_dns) == 0);
    // Where the user's have no room, ours are there.
    with.options.push_back({209, false, std::string(255, 'x')});
    with.options.push_back({210, false, std::string(255, 'x')});
    CHECK(times4(with, asks, our_mask) == 1);
    CHECK(times4(with, asks, our_dns) == 1);
}

std::string opt6(char code, const std::string& value) {
    return "\0"s + code +
           std::string{static_cast<char>(value.size() >> 8U), static_cast<char>(value.size())} + value;
}

const std::string duid = opt6(1, "\0\x04guest"s);
const std::string wants = opt6(3, "\0\0\0\x07"s + std::string(8, '\0'));
const std::string pxe6 = opt6(16, "\0\0\x01\x57\0\x20PXEClient:Arch:00007:UNDI:003016"s);
const std::string http6 = opt6(16, "\0\0\x01\x57\0\x21HTTPClient:Arch:00016:UNDI:003001"s);
const std::string ipxe6 = opt6(15, "\0\x04iPXE"s);
const std::string our_duid = opt6(2, "\0\x03\0\x01\x02VMLSG"s);

std::optional<std::string> answered6(const std::string& message) {
    const auto frame =
        segment_answer(guest(), udp_frame(FrameEnds<Ip6>{{}, guest_link, dhcp6_servers, 546, 547}, message));
    const auto read = frame ? read_udp6(*frame) : std::nullopt;
    if (!read) {
        return std::nullopt;
    }
    CHECK(read->ends.from == segment_router);
    CHECK(read->ends.to == guest_link);
    CHECK(read->ends.to_port == 546);
    return std::string{read->payload};
}

bool says(const std::optional<std::string>& message, const std::string& part) {
    return message && message->find(part) != std::string::npos;
}

TEST_CASE("by DHCPv6 every client gets its address and its URL") {
    const std::string address{"\xFD\x56\x4D\x4C\x52\x41\0\0\0\0\0\0\0\x03\0\x02", 16};
    const auto pxe = answered6("\x01\1\2\3"s + duid + wants + pxe6);
    REQUIRE(pxe);
    CHECK(pxe->starts_with("\x02\1\2\3"s));
    CHECK(says(pxe, duid));
    CHECK(says(pxe, our_duid));
    CHECK(says(pxe, address));
    CHECK(says(pxe, opt6(59, "tftp://[fd56:4d4c:5241::3:1]/snponly.efi")));
    const auto http = answered6("\x03\1\2\3"s + duid + our_duid + wants + http6);
    CHECK(http->starts_with("\x07\1\2\3"s));
    CHECK(says(http, opt6(59, "http://[fd56:4d4c:5241::3:1]/snponly.efi")));
    CHECK(says(http, opt6(16, "\0\0\x01\x57\0\x0AHTTPClient"s)));
    const auto ipxe = answered6("\x01\1\2\3"s + duid + wants + pxe6 + ipxe6);
    CHECK(says(ipxe, opt6(59, "http://[fd56:4d4c:5241::3:1]/boot.ipxe")));
    const auto os = answered6("\x01\1\2\3"s + duid + wants);
    CHECK(says(os, address));
    CHECK_FALSE(says(os, "://"));
}

TEST_CASE("DHCPv6 keeps to what RFC 8415 asks of a server") {
    CHECK(answered6("\x01\1\2\3"s + duid + wants + opt6(14, ""))->starts_with('\x07'));  // at once
    CHECK_FALSE(answered6("\x01\1\2\3"s + wants));         // who asks does not say who it is
    CHECK_FALSE(answered6("\x03\1\2\3"s + duid + wants));  // nobody is asked
    CHECK_FALSE(answered6("\x03\1\2\3"s + duid + opt6(2, "other") + wants));
    CHECK(says(answered6("\x08\1\2\3"s + duid + our_duid + wants), opt6(13, "\0\0"s)));
    CHECK(says(
        answered6("\x04\1\2\3"s + duid + opt6(3, std::string(12, '\0') + opt6(5, std::string(24, '\1')))),
        opt6(13, "\0\4"s)));                                  // an address of elsewhere
    CHECK(says(answered6("\x0B\1\2\3"s + pxe6), "tftp://"));  // information alone
    CHECK_FALSE(answered6("\x02\1\2\3"s + duid));             // a server's own word
}

TEST_CASE("a search for a router is answered: addresses by DHCPv6, no way out") {
    const auto frame =
        segment_answer(guest(), icmp6_frame({{}, guest_link, dhcp6_servers, 0, 0}, "\x85\0\0\0\0\0\0\0"s));
    REQUIRE(frame);
    const auto packet = boot::decode_frame(bytes_of(*frame));
    REQUIRE(packet);
    const auto& router = std::get<boot::RouterAdvertisement>(packet->body);
    CHECK(router.managed);
    CHECK(read_icmp6(*frame)->payload.substr(6, 2) == "\0\0"s);  // the lifetime
    CHECK_FALSE(segment_answer(guest(), *frame));
}

TEST_CASE("where no server listens over IPv6 nobody is sent to one") {
    SegmentGuest four = guest();
    four.with_ip6 = false;
    CHECK_FALSE(
        segment_answer(four, icmp6_frame({{}, guest_link, dhcp6_servers, 0, 0}, "\x85\0\0\0\0\0\0\0"s)));
    const std::string asks = udp_frame(FrameEnds<Ip6>{{}, guest_link, dhcp6_servers, 546, 547},
                                       "\x01\1\2\3"s + duid + wants + pxe6);
    CHECK(segment_answer(guest(), asks));
    CHECK_FALSE(segment_answer(four, asks));
    CHECK(answered4(four, bootp(guest_mac, opt4(53, "\x01") + ipxe4)));
}

std::string dns_question(const std::string& name, char type) {
    return "\x12\x34\x01\0\0\x01\0\0\0\0\0\0"s + name + '\0' + '\0' + type + "\0\x01"s;
}

TEST_CASE("boot.local has an address of each kind, and nobody else has one") {
    const std::string name =
        "\x04"
        "BooT\x05local";
    const auto four = dns_answer(guest(), dns_question(name, 1));
    REQUIRE(four);
    CHECK(four->starts_with("\x12\x34\x85\0\0\x01\0\x01"s));
    CHECK(four->ends_with("\0\x04\xC6\x12\x03\x01"s));
    CHECK(dns_answer(guest(), dns_question(name, 28))->ends_with("\0\0\0\x03\0\x01"s));
    CHECK(dns_answer(guest(), dns_question(name, 15))->starts_with("\x12\x34\x85\0\0\x01\0\0"s));
    CHECK(dns_answer(guest(), dns_question("\x06"
                                           "debian\x03org",
                                           1))
              ->starts_with("\x12\x34\x85\x03"s));
    CHECK_FALSE(dns_answer(guest(), *four));
}

TEST_CASE("no byte of a question that is missing or wrong does harm") {
    const std::vector<std::string> questions{
        from_guest4(bootp(guest_mac, opt4(53, "\x01") + ipxe4)),
        udp_frame(FrameEnds<Ip6>{{}, guest_link, dhcp6_servers, 546, 547},
                  "\x01\1\2\3"s + duid + wants + pxe6)};
    for (const std::string& whole : questions) {
        for (std::size_t size = 0; size < whole.size(); ++size) {
            CHECK_FALSE(segment_answer(guest(), whole.substr(0, size)));  // the IP header says how long it is
        }
        for (std::size_t at = 0; at < whole.size(); ++at) {
            std::string bent = whole;
            bent[at] = '\xFF';
            const auto answer = segment_answer(guest(), bent);
            CHECK((!answer || boot::decode_frame(bytes_of(*answer))));
        }
    }
    const std::string asked = dns_question(
        "\x04"
        "boot\x05local",
        1);
    for (std::size_t size = 0; size < asked.size(); ++size) {
        const auto answer = dns_answer(guest(), asked.substr(0, size));
        CHECK(answer.has_value() == (size >= 12));
        CHECK((!answer || answer->substr(2, 2) == "\x85\x01"s || answer->substr(2, 2) == "\x84\x01"s));
    }
}

// -- named by a ProxyDHCP server beside the address

SegmentGuest proxied() {
    SegmentGuest guest_by_proxy = guest();
    guest_by_proxy.by_proxy = true;
    return guest_by_proxy;
}

struct Proxied {
    boot::Packet packet{};
    boot::DhcpMessage message{};
};

std::vector<Proxied> proxied4(const SegmentGuest& whom, const std::string& frame) {
    std::vector<Proxied> all;
    for (const std::string& answer : proxy4_answers(whom, frame)) {
        const auto packet = boot::decode_frame(bytes_of(answer));
        REQUIRE(packet);
        all.push_back({*packet, std::get<boot::DhcpMessage>(packet->body)});
    }
    return all;
}

TEST_CASE("with a ProxyDHCP server, who gives the address names nothing, and iPXE waits for it") {
    for (const std::string& client : {ipxe4, pxe4, http4}) {
        const auto offer = answered4(proxied(), bootp(guest_mac, opt4(53, "\x01") + client));
        CHECK(to_string(offer->yours) == "198.18.3.2");
        CHECK(offer->bootfile.empty());
        CHECK(offer->next_server.is_zero());
        CHECK(offer->vendor_class.empty());
        CHECK_FALSE(offer->no_proxy_wait);
    }
}

TEST_CASE("a ProxyDHCP server that has no file for iPXE is not waited for, and iPXE's options come at once") {
    SegmentGuest whom = proxied();
    whom.script.clear();
    whom.options = {{0x53, true, "\x2A"}};
    const std::string search = bootp(guest_mac, opt4(53, "\x01") + ipxe4);
    CHECK(answered4(whom, search)->no_proxy_wait);
    const auto frame = dhcp4_answer(whom, from_guest4(search));
    REQUIRE(frame);
    CHECK(frame->find("\x53\x01\x2A") != std::string::npos);
    CHECK(proxy4_answers(whom, from_guest4(search)).empty());
}

TEST_CASE("a ProxyDHCP server's offer names the file, by the client's class, and gives no address") {
    SegmentGuest whom = proxied();
    whom.options = {{209, false, "menu.cfg"}, {0x53, true, "\x2A"}};
    const auto search = [](const std::string& client) {
        return from_guest4(bootp(guest_mac, opt4(53, "\x01") + client));
    };
    const auto to_ipxe = proxied4(whom, search(ipxe4));
    REQUIRE(to_ipxe.size() == 1);
    CHECK(to_ipxe[0].message.kind == boot::DhcpKind::offer);
    CHECK(to_ipxe[0].message.xid == 0x01020304);
    CHECK(to_ipxe[0].message.yours.is_zero());
    CHECK(to_ipxe[0].message.bootfile == "http://198.18.3.1/boot.ipxe");
    CHECK(to_ipxe[0].message.vendor_class == "PXEClient");
    CHECK(to_ipxe[0].message.has(175));  // what is for iPXE alone; the rest comes with the address
    CHECK_FALSE(to_ipxe[0].message.has(209));
    const auto to_pxe = proxied4(whom, search(pxe4));
    REQUIRE(to_pxe.size() == 2);  // as edk2 takes one or the other
    CHECK(to_pxe[0].message.has(43));
    CHECK_FALSE(to_pxe[1].message.has(43));
    for (const Proxied& each : to_pxe) {
        CHECK(each.message.bootfile == "snponly.efi");
        CHECK(to_string(each.message.next_server) == "198.18.3.1");
        CHECK_FALSE(each.message.has(175));
    }
    const auto to_http = proxied4(whom, search(http4));
    REQUIRE(to_http.size() == 1);
    CHECK(to_http[0].message.bootfile == "http://198.18.3.1/snponly.efi");
    CHECK(to_http[0].message.vendor_class == "HTTPClient");
}

TEST_CASE("a ProxyDHCP server is asked again at its port, and says nothing to who boots nothing") {
    const std::string again =
        udp_frame(FrameEnds<Ip4>{{}, {198, 18, 3, 2}, {198, 18, 3, 1}, 68, boot_server_port},
                  bootp(guest_mac, opt4(53, "\x03") + pxe4, "\xC6\x12\x03\x02"));
    const auto answers = proxied4(proxied(), again);
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].message.kind == boot::DhcpKind::ack);
    CHECK(answers[0].message.bootfile == "snponly.efi");
    CHECK(to_string(answers[0].packet.to.address) == "198.18.3.2");
    CHECK(answers[0].packet.from.port == boot_server_port);
    CHECK(answers[0].packet.to.port == 68);
    CHECK(proxy4_answers(guest(), again).empty());  // there is none
    const auto nothing = [](const SegmentGuest& whom, const std::string& options) {
        return proxy4_answers(whom, from_guest4(bootp(guest_mac, options))).empty();
    };
    CHECK(nothing(guest(), opt4(53, "\x01") + ipxe4));
    CHECK(nothing(proxied(), opt4(53, "\x01") + opt4(60, "MSFT 5.0")));
    CHECK(nothing(proxied(), opt4(53, "\x03") + ipxe4));  // the address alone is asked for
    SegmentGuest without = proxied();
    without.script.clear();
    CHECK(nothing(without, opt4(53, "\x01") + ipxe4));
    const std::string strange = bootp({0x52, 0x54, 0, 9, 9, 9}, opt4(53, "\x01") + ipxe4);
    CHECK(proxy4_answers(proxied(), from_guest4(strange)).empty());
}

}  // namespace
}  // namespace vml::serve
