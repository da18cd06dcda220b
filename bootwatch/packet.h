// Ethernet frames → what a network boot says on the wire. Pure; any bytes are welcome, nothing is trusted.
//
// Sources: Ethernet II and IEEE 802.1Q; IPv4 RFC 791; IPv6 RFC 8200; ARP RFC 826; DHCP RFC 2131 and 2132,
// PXE's options RFC 4578 and the PXE specification 2.1; DHCPv6 RFC 8415 and 5970; router discovery RFC 4861;
// DNS RFC 1035; TFTP RFC 1350, 2347 to 2349; TCP RFC 9293; ICMP RFC 792.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/mac.h"

namespace vml::boot {

// An IPv4 or IPv6 address, in network byte order. An IPv4 address is in the first four bytes.
struct Address {
    bool v6 = false;
    std::array<std::uint8_t, 16> bytes{};

    [[nodiscard]] static Address v4(std::uint32_t value);
    [[nodiscard]] bool is_zero() const { return bytes == std::array<std::uint8_t, 16>{}; }
    // clang-tidy 14 sees the comparison with zero that the compiler writes here.
    // NOLINTNEXTLINE(hicpp-use-nullptr,modernize-use-nullptr,readability-implicit-bool-conversion)
    auto operator<=>(const Address&) const = default;
};
// "10.0.2.2", "fe80::2"
[[nodiscard]] std::string to_string(const Address& address);

struct Endpoint {
    Address address;
    std::uint16_t port = 0;  // 0 where the protocol has none
    // NOLINTNEXTLINE(hicpp-use-nullptr,modernize-use-nullptr): as above
    auto operator<=>(const Endpoint&) const = default;
};

// DHCP's message types (option 53).
enum class DhcpKind : std::uint8_t {
    bootp = 0,  // no option 53
    discover = 1,
    offer = 2,
    request = 3,
    decline = 4,
    ack = 5,
    nak = 6,
    release = 7,
    inform = 8,
};

// How a PXE client is to find its boot server: the options inside of option 43 (PXE specification 2.1, table
// 2-1). edk2 looks for one where any of 6 to 10 is there (IS_VALID_DISCOVER_VENDOR_OPTION).
struct PxeDiscovery {
    // Option 43.6.
    enum Control : std::uint8_t { no_broadcast = 1, no_multicast = 2, only_from_list = 4, file_as_named = 8 };

    std::uint8_t control = 0;
    bool operator==(const PxeDiscovery&) const = default;
};

// Texts are printable ASCII; what was not is '?'.
struct DhcpMessage {
    DhcpKind kind = DhcpKind::bootp;
    bool from_server = false;  // BOOTREPLY
    std::uint32_t xid = 0;
    Mac chaddr{};
    Address yours;                             // yiaddr
    Address next_server;                       // siaddr
    Address server_id{};                       // option 54
    Address requested{};                       // option 50: that a client asks for, or declines
    std::string bootfile{};                    // option 67, else the header's file
    std::string server_name{};                 // option 66, else the header's sname
    std::string vendor_class{};                // option 60
    std::string user_class{};                  // option 77
    std::string root_path{};                   // option 17
    std::string message{};                     // option 56: why a server refuses
    std::vector<Address> routers{};            // option 3
    std::vector<Address> dns_servers{};        // option 6
    std::optional<std::uint16_t> client_arch;  // option 93
    bool no_proxy_wait = false;                // option 175.176: iPXE is to take no ProxyDHCP server's offer
    std::int8_t ipxe_priority = 0;             // option 175.1: among iPXE's settings, the highest first
    std::optional<PxeDiscovery> discovery{};   // option 43 tells how to find a boot server
    std::vector<std::uint8_t> options{};       // every option's code, in order
    bool cut = false;                          // the capture ended before the options did
    Address relay{};                           // giaddr: of the relay that passed it on, or none
    bool broadcast = false;                    // the answer is to go to everybody (RFC 2131, 4.1)

    [[nodiscard]] bool has(std::uint8_t option) const;
    bool operator==(const DhcpMessage&) const = default;
};

struct Dhcp6Message {
    std::uint8_t kind = 0;       // 1 solicit, 2 advertise, 3 request, 7 reply
    std::string bootfile_url{};  // option 59
    bool has_address = false;    // an identity association with an address in it
    bool boots = false;          // option 61: a client that boots tells its architecture
    bool ipxe = false;           // option 15: the user class is iPXE's
    bool operator==(const Dhcp6Message&) const = default;
};

struct ArpMessage {
    bool request = false;
    Address sender;
    Address target;
    bool operator==(const ArpMessage&) const = default;
};

struct RouterSolicitation {
    bool operator==(const RouterSolicitation&) const = default;
};
struct RouterAdvertisement {
    std::uint16_t lifetime_s = 0;  // 0: no default router
    bool managed = false;          // M: addresses by DHCPv6
    bool other = false;            // O: other configuration by DHCPv6
    bool operator==(const RouterAdvertisement&) const = default;
};

// An ICMP "destination unreachable", about a packet that the receiver had sent.
struct Unreachable {
    std::uint8_t code = 0;  // 3: the port
    bool udp = false;       // what was sent
    Endpoint sender;        // of what was sent
    Endpoint target;
    bool operator==(const Unreachable&) const = default;
};

struct DnsMessage {
    std::uint16_t id = 0;
    bool response = false;
    std::uint8_t rcode = 0;  // 3: the name does not exist
    std::uint16_t answers = 0;
    std::uint16_t type = 0;  // of the question: 1 A, 28 AAAA
    std::string name{};
    bool operator==(const DnsMessage&) const = default;
};

struct TftpRequest {
    std::string file{};
    bool operator==(const TftpRequest&) const = default;
};
struct TftpOptions {  // OACK
    std::optional<std::uint64_t> block_size{};
    std::optional<std::uint64_t> file_size{};
    bool operator==(const TftpOptions&) const = default;
};
struct TftpData {
    std::uint16_t block = 0;
    std::size_t size = 0;     // bytes of the block, also where fewer were captured
    std::string_view head{};  // what was captured of it; points into the frame
    bool operator==(const TftpData&) const = default;
};
struct TftpAck {
    std::uint16_t block = 0;
    bool operator==(const TftpAck&) const = default;
};
struct TftpError {
    std::uint16_t code = 0;  // 1 file not found, 2 access violation, 8 options refused (RFC 2347)
    std::string message{};
    bool operator==(const TftpError&) const = default;
};

struct TcpSegment {
    std::uint32_t sequence = 0;
    bool syn = false;
    bool ack = false;
    bool fin = false;
    bool rst = false;
    std::size_t size = 0;     // of the payload, also where less was captured
    std::string_view head{};  // what was captured of it; points into the frame
    bool operator==(const TcpSegment&) const = default;
};

// Another frame; it shows that the link carries something.
struct OtherFrame {
    bool operator==(const OtherFrame&) const = default;
};

using PacketBody =
    std::variant<OtherFrame, DhcpMessage, Dhcp6Message, ArpMessage, RouterSolicitation, RouterAdvertisement,
                 Unreachable, DnsMessage, TftpRequest, TftpOptions, TftpData, TftpAck, TftpError, TcpSegment>;

struct Packet {
    Mac source{};
    Mac target{};
    Endpoint from;
    Endpoint to;
    PacketBody body;
    // Somebody looks after IPv6 on this segment: a router, a DHCPv6 server or client, a routing protocol.
    // Where that is so, nothing of vm-launch's may settle the guest's IPv6.
    bool ipv6_routing = false;
    // It came in from the network, on a link that has but the guest at its other end. False where that is not
    // known.
    bool came_in = false;
    // vm-launch's own, which has passed to this guest alone.
    bool ours = false;

    // Not so of a frame that bears the address and comes from elsewhere.
    [[nodiscard]] bool sent_by(const Mac& guest) const { return source == guest && !came_in; }
};

// `captured` may be shorter than the frame was on the wire. Nothing for what is no frame at all. The packet
// points into the frame.
[[nodiscard]] std::optional<Packet> decode_frame(Bytes captured);

}  // namespace vml::boot
