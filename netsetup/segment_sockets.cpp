#include "netsetup/segment_sockets.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/boot_server_port.h"
#include "netsetup/failure.h"

namespace vml::net {

namespace {

// Of HttpServer::most_connections (netserve/http_server.h).
constexpr int waiting_connections = 32;

[[noreturn]] void no_socket() {
    throw Error{failure(Step::make_segment, "cannot serve on the segment", errno)};
}

sockaddr_in at(const Ip4& address, std::uint16_t port) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    std::memcpy(&where.sin_addr, address.data(), address.size());
    return where;
}

sockaddr_in6 at(const Ip6& address, std::uint16_t port) {
    sockaddr_in6 where{};
    where.sin6_family = AF_INET6;
    where.sin6_port = htons(port);
    std::memcpy(&where.sin6_addr, address.data(), address.size());
    return where;
}

// Nothing: another's socket is there. The address may have been another's until just now, whose connections
// the kernel still remembers; two sockets of datagrams it would let in at once.
template <typename Where>
OwnedFd bound(const Where& where, int family, int type) {
    OwnedFd fd{::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    const int on = 1;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bind(2) takes every kind of address so
    const auto* const generic = reinterpret_cast<const sockaddr*>(&where);
    if (!fd ||
        (type == SOCK_STREAM && ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)) {
        no_socket();
    }
    if (::bind(fd.get(), generic, sizeof where) != 0) {
        if (errno != EADDRINUSE) {
            no_socket();
        }
        fd.reset();
    }
    return fd;
}

OwnedFd listening(OwnedFd fd) {
    if (fd && ::listen(fd.get(), waiting_connections) != 0) {
        if (errno != EADDRINUSE) {  // of two that are bound one listens
            no_socket();
        }
        fd.reset();
    }
    return fd;
}

// Of Ethernet, IPv4 (RFC 791, 3.1), IPv6 (RFC 8200, 3), UDP and ICMPv6's searches for a router.
bool see_questions_alone(int fd) {
    enum Field : std::uint32_t { type = 12, protocol4 = 23, fragment4 = 20, header4 = 14, next6 = 20 };
    enum InTransport : std::uint32_t { to_port4 = 16, to_port6 = 56, icmp6_type = 54 };
    constexpr std::uint32_t later_fragment = 0x1FFF;
    constexpr std::uint32_t dhcp6_port = 547;
    constexpr std::uint32_t router_solicitation = 133;
    constexpr std::uint32_t all = 0xFFFF;
    // A jump's distances are counted from the statement behind it; the last but one sees, the last does not.
    std::array<sock_filter, 20> program{{
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, type),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 9, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 16),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, protocol4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 14),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, fragment4),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, later_fragment, 12, 0),
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, header4),
        BPF_STMT(BPF_LD | BPF_H | BPF_IND, to_port4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, dhcp_port, 8, 0),
        // IPv4's is done: IPv6 begins at the statement behind this one.
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, boot_server_port, 7, 8),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, next6),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 2),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, to_port6),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, dhcp6_port, 3, 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 3),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, icmp6_type),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, router_solicitation, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, all),
        BPF_STMT(BPF_RET | BPF_K, 0),
    }};
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
}

}  // namespace

OwnedFd listen_at(const Ip4& address, std::uint16_t port) {
    return listening(bound(at(address, port), AF_INET, SOCK_STREAM));
}

OwnedFd listen_at(const Ip6& address, std::uint16_t port) {
    return listening(bound(at(address, port), AF_INET6, SOCK_STREAM));
}

OwnedFd datagrams_at(const Ip4& address, std::uint16_t port) {
    return bound(at(address, port), AF_INET, SOCK_DGRAM);
}

OwnedFd datagrams_at(const Ip6& address, std::uint16_t port) {
    return bound(at(address, port), AF_INET6, SOCK_DGRAM);
}

OwnedFd unread_datagrams_at(const Ip4& address, std::uint16_t port) {
    OwnedFd fd = datagrams_at(address, port);
    const int least = 0;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &least, sizeof least);
    return fd;
}

OwnedFd open_question_capture(int link_index) {
    OwnedFd fd{::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    sockaddr_ll where{};
    where.sll_family = AF_PACKET;
    where.sll_protocol = htons(ETH_P_ALL);
    where.sll_ifindex = link_index;
    const int on = 1;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bind(2) takes every kind of address so
    const auto* const generic = reinterpret_cast<const sockaddr*>(&where);
    if (!fd || ::setsockopt(fd.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) != 0 ||
        !see_questions_alone(fd.get()) || ::bind(fd.get(), generic, sizeof where) != 0) {
        no_socket();
    }
    return fd;
}

}  // namespace vml::net
