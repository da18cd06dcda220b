#include "capture/link_layer.h"

#include <algorithm>
#include <cstddef>

namespace vml::capture {

namespace {

constexpr std::size_t address_bytes = 12;  // of an Ethernet frame: the receiver's, the sender's
constexpr std::size_t address_size = 6;
constexpr std::size_t longest_sll_address = 8;
constexpr std::size_t most_tags = 4;

// Where the fields of a cooked header are.
struct Cooked {
    std::size_t size;
    std::size_t packet_type;
    std::size_t packet_type_size;
    std::size_t sender;
    std::size_t protocol;
};
constexpr Cooked sll{16, 0, 2, 6, 14};
constexpr Cooked sll2{20, 10, 1, 12, 0};

std::string big_endian(std::uint16_t value) {
    constexpr unsigned byte = 8;
    return {static_cast<char>(value >> byte), static_cast<char>(value)};
}

// Everybody's address, where the kernel says that the frame was for everybody.
std::string receiver(unsigned packet_type) {
    enum : std::uint8_t { broadcast = 1, multicast = 2 };
    if (packet_type == broadcast) {
        std::string all(address_size, '\xff');
        return all;
    }
    return packet_type == multicast ? std::string{"\x01\0\0\0\0\0", address_size}
                                    : std::string(address_size, '\0');
}

std::string uncooked(const Cooked& header, Bytes captured) {
    const unsigned type =
        header.packet_type_size == 1 ? captured.u8(header.packet_type) : captured.be16(header.packet_type);
    std::string frame = receiver(type);
    frame += captured.part(header.sender, longest_sll_address).chars().substr(0, address_size);
    frame += big_endian(captured.be16(header.protocol));
    return frame += captured.from(header.size).chars();
}

// By the version in the first half byte.
std::string with_header(Bytes packet) {
    enum : std::uint16_t { ipv4 = 0x0800, ipv6 = 0x86DD };
    constexpr unsigned half_byte = 4;
    constexpr unsigned six = 6;
    const std::uint16_t type = packet.u8(0) >> half_byte == six ? ipv6 : ipv4;
    std::string frame(address_bytes, '\0');
    frame += big_endian(type);
    return frame += packet.chars();
}

std::optional<std::string> framed(LinkLayer link, Bytes captured) {
    const std::size_t least = link == LinkLayer::ethernet     ? address_bytes + 2
                              : link == LinkLayer::linux_sll  ? sll.size
                              : link == LinkLayer::linux_sll2 ? sll2.size
                                                              : 1;
    if (!captured.has(0, least)) {
        return std::nullopt;
    }
    switch (link) {
        case LinkLayer::ethernet:
            return std::string{captured.chars()};
        case LinkLayer::linux_sll:
            return uncooked(sll, captured);
        case LinkLayer::linux_sll2:
            return uncooked(sll2, captured);
        case LinkLayer::raw_ip:
            return with_header(captured);
    }
    return std::nullopt;
}

bool is_tag(std::uint16_t type) {
    return type == 0x8100 || type == 0x88A8 || type == 0x9100;  // 802.1Q, 802.1ad, and what came before it
}

}  // namespace

std::optional<EthernetFrame> as_ethernet(LinkLayer link, Bytes captured) {
    constexpr std::size_t tag = 4;
    constexpr std::uint16_t number = 0x0FFF;
    std::optional<std::string> bytes = framed(link, captured);
    if (!bytes) {
        return std::nullopt;
    }
    EthernetFrame frame{*std::move(bytes)};
    while (frame.vlans.size() < most_tags && bytes_of(frame.bytes).has(address_bytes, tag + 2) &&
           is_tag(bytes_of(frame.bytes).be16(address_bytes))) {
        frame.vlans.push_back(bytes_of(frame.bytes).be16(address_bytes + 2) & number);
        frame.bytes.erase(address_bytes, tag);
    }
    return frame;
}

}  // namespace vml::capture
