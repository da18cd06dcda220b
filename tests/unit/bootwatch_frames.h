// Frames made by hand, for what no recorded boot shows.
#pragma once

#include <cstdint>
#include <string>

#include "bootwatch/packet.h"
#include "tests/unit/bootwatch_evidence.h"

namespace vml::boot::test {

inline constexpr Mac guest{0x52, 0x54, 0, 0, 0, 1};
inline constexpr Mac server{2, 0, 0, 0, 0, 9};
inline constexpr std::uint32_t guest_ip = 0x0A000002;   // 10.0.0.2
inline constexpr std::uint32_t server_ip = 0x0A000001;  // 10.0.0.1

inline std::string be16(unsigned value) {
    return {static_cast<char>(value >> 8U), static_cast<char>(value)};
}
inline std::string be32(std::uint32_t value) {
    return be16(value >> 16U) + be16(value & 0xFFFFU);
}
inline std::string text_of(const Mac& mac) {
    return {mac.begin(), mac.end()};
}

inline std::string ethernet(bool from_guest, unsigned type, const std::string& payload) {
    return text_of(from_guest ? server : guest) + text_of(from_guest ? guest : server) + be16(type) + payload;
}

inline std::string ipv4(bool from_guest, unsigned protocol, const std::string& payload) {
    return ethernet(from_guest, 0x0800,
                    std::string{"\x45\0", 2} + be16(static_cast<unsigned>(payload.size()) + 20) + be32(0) +
                        "\x40" + static_cast<char>(protocol) + be16(0) +
                        be32(from_guest ? guest_ip : server_ip) + be32(from_guest ? server_ip : guest_ip) +
                        payload);
}

inline std::string udp(bool from_guest, unsigned from, unsigned to, const std::string& payload) {
    return ipv4(from_guest, 17,
                be16(from) + be16(to) + be16(static_cast<unsigned>(payload.size()) + 8) + be16(0) + payload);
}

enum TcpFlag : unsigned { fin = 1, syn = 2, rst = 4, ack = 16 };

inline std::string tcp(bool from_guest, unsigned guest_port, unsigned server_port, std::uint32_t sequence,
                       unsigned flags, const std::string& payload = {}) {
    return ipv4(from_guest, 6,
                be16(from_guest ? guest_port : server_port) + be16(from_guest ? server_port : guest_port) +
                    be32(sequence) + be32(0) + "\x50" + static_cast<char>(flags) + be16(1000) + be32(0) +
                    payload);
}

inline std::string dhcp(bool from_guest, unsigned kind, const std::string& options, std::uint32_t yours = 0,
                        const std::string& file = {}) {
    std::string header(236, '\0');
    header[0] = from_guest ? '\1' : '\2';
    header.replace(16, 4, be32(yours));
    header.replace(28, 6, text_of(guest));
    header.replace(108, file.size(), file);
    return udp(from_guest, from_guest ? 68 : 67, from_guest ? 67 : 68,
               header + "\x63\x82\x53\x63" + "\x35\x01" + static_cast<char>(kind) + options + "\xff");
}

inline std::string option(unsigned code, const std::string& value) {
    return std::string{static_cast<char>(code), static_cast<char>(value.size())} + value;
}

inline const std::string as_ipxe = option(77, "iPXE") + option(60, "PXEClient:Arch:00000");

inline std::string request(const std::string& file) {
    return be16(1) + file + std::string{"\0octet\0", 7};
}

inline std::string arp_request(std::uint32_t address) {
    return ethernet(true, 0x0806,
                    be16(1) + be16(0x0800) + "\x06\x04" + be16(1) + text_of(guest) + be32(guest_ip) +
                        std::string(6, '\0') + be32(address));
}

inline std::string ipv6(bool from_guest, unsigned protocol, const std::string& payload) {
    return ethernet(from_guest, 0x86DD,
                    be32(0x60000000) + be16(static_cast<unsigned>(payload.size())) +
                        static_cast<char>(protocol) + "\x40" + std::string(15, '\xfd') +
                        (from_guest ? '\2' : '\1') + std::string(15, '\xfd') + (from_guest ? '\1' : '\2') +
                        payload);
}

inline std::string udp6(bool from_guest, unsigned from, unsigned to, const std::string& payload) {
    return ipv6(from_guest, 17,
                be16(from) + be16(to) + be16(static_cast<unsigned>(payload.size()) + 8) + be16(0) + payload);
}

inline std::string dhcp6(bool from_guest, unsigned kind, const std::string& options) {
    return udp6(from_guest, from_guest ? 546 : 547, from_guest ? 547 : 546,
                static_cast<char>(kind) + std::string{"\0\0\1", 3} + options);
}

inline std::string option6(unsigned code, const std::string& value) {
    return be16(code) + be16(static_cast<unsigned>(value.size())) + value;
}

inline const std::string address6 = option6(3, std::string(12, '\1') + option6(5, std::string(24, '\2')));

}  // namespace vml::boot::test
