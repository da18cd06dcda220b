#include "netsetup/datagram_filter.h"

#include <cstddef>

#include <linux/if_ether.h>
#include <netinet/in.h>

namespace vml::net {

namespace {

// Of Ethernet, IPv4 (RFC 791, 3.1) and UDP (RFC 768).
enum Field : std::uint32_t { type = 12, fragment = 20, protocol = 23, to_address = 30, ip_header = 14 };
constexpr std::uint32_t from_port = 14;  // the IP header's first byte is counted, too
constexpr std::uint32_t to_port = 16;
constexpr std::uint32_t later_fragment = 0x1FFF;

std::uint32_t number_of(const std::array<std::uint8_t, 4>& address) {
    return std::uint32_t{address[0]} << 24U | std::uint32_t{address[1]} << 16U |
           std::uint32_t{address[2]} << 8U | address[3];
}

sock_filter statement(unsigned code, std::uint32_t value) {
    return {static_cast<std::uint16_t>(code), 0, 0, value};
}

// How many statements are passed over.
sock_filter test(unsigned code, std::uint32_t value, std::size_t where_it_is, std::size_t where_not) {
    return {static_cast<std::uint16_t>(BPF_JMP | code | BPF_K), static_cast<std::uint8_t>(where_it_is),
            static_cast<std::uint8_t>(where_not), value};
}

}  // namespace

std::vector<sock_filter> datagram_filter(const DatagramTarget& target, std::uint32_t wanted,
                                         std::uint32_t other) {
    const std::size_t ports = target.ports.size();
    const std::size_t all = target.everywhere.size();
    const std::size_t from = target.everywhere_from ? 2 : 0;  // statements
    const std::size_t rest = from + all + ports;
    // `other` is the statement after the ports, `wanted` the one after that.
    std::vector<sock_filter> program{
        statement(BPF_LD | BPF_H | BPF_ABS, type),       test(BPF_JEQ, ETH_P_IP, 0, rest + 9),
        statement(BPF_LD | BPF_B | BPF_ABS, protocol),   test(BPF_JEQ, IPPROTO_UDP, 0, rest + 7),
        statement(BPF_LD | BPF_H | BPF_ABS, fragment),   test(BPF_JSET, later_fragment, rest + 5, 0),
        statement(BPF_LDX | BPF_B | BPF_MSH, ip_header),
    };
    if (target.everywhere_from) {
        program.push_back(statement(BPF_LD | BPF_H | BPF_IND, from_port));
        program.push_back(test(BPF_JEQ, *target.everywhere_from, 0, all + 1));
    }
    program.push_back(statement(BPF_LD | BPF_H | BPF_IND, to_port));
    for (std::size_t i = 0; i < all; ++i) {
        program.push_back(test(BPF_JEQ, target.everywhere[i], all - i + ports + 3, 0));
    }
    program.push_back(statement(BPF_LD | BPF_W | BPF_ABS, to_address));
    program.push_back(test(BPF_JEQ, number_of(target.address), 0, ports + 1));
    program.push_back(statement(BPF_LD | BPF_H | BPF_IND, to_port));
    for (std::size_t i = 0; i < ports; ++i) {
        program.push_back(test(BPF_JEQ, target.ports[i], ports - i, 0));
    }
    program.push_back(statement(BPF_RET | BPF_K, other));
    program.push_back(statement(BPF_RET | BPF_K, wanted));
    return program;
}

}  // namespace vml::net
