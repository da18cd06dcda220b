#include "netsetup/boot_filter.h"

#include <array>
#include <cstdint>
#include <utility>

#include <linux/if_ether.h>
#include <netinet/in.h>

#include "base/boot_server_port.h"

namespace vml::net {

namespace {

enum Offset : std::uint32_t {
    ether_type = 12,
    v4_header = 14,
    v4_fragment = 20,
    v4_protocol = 23,
    v6_next_header = 20,
};
// From the IP header's end; the Ethernet header is counted, too.
enum AfterIp : std::uint32_t {
    source_port = 14,
    target_port = 16,
    tftp_opcode = 22,
    tftp_block = 24,
    tcp_flags = 27
};

// Where a test leads to.
enum class Goal { next, whole, head, block_head, nothing };

class Program {
  public:
    void load(unsigned size, std::uint32_t offset) { add(BPF_LD | size, offset); }
    void add(unsigned code, std::uint32_t value) {
        statements_.push_back({static_cast<std::uint16_t>(code), 0, 0, value});
    }
    // Where it holds and where it does not.
    void test(unsigned code, std::uint32_t value, Goal then, Goal otherwise = Goal::next) {
        jumps_.push_back({statements_.size(), then, otherwise});
        add(BPF_JMP | code | BPF_K, value);
    }
    // Likewise, to the place that mark() gives later.
    std::size_t test_far(unsigned code, std::uint32_t value) {
        add(BPF_JMP | code | BPF_K, value);
        return statements_.size() - 1;
    }
    // Where the far test holds it goes on here.
    void mark(std::size_t test) { statements_[test].jt = distance(test, statements_.size()); }
    void end(Goal goal) { add(BPF_RET | BPF_K, bytes_of_goal(goal)); }

    [[nodiscard]] std::vector<sock_filter> take() {
        const std::size_t goals = statements_.size();
        for (const Goal goal : {Goal::whole, Goal::head, Goal::block_head, Goal::nothing}) {
            end(goal);
        }
        for (const Jump& jump : jumps_) {
            statements_[jump.at].jt = way(jump.at, goals, jump.then);
            statements_[jump.at].jf = way(jump.at, goals, jump.otherwise);
        }
        return std::move(statements_);
    }

  private:
    struct Jump {
        std::size_t at;
        Goal then;
        Goal otherwise;
    };

    static std::uint32_t bytes_of_goal(Goal goal) {
        return goal == Goal::whole        ? std::uint32_t{whole_length}
               : goal == Goal::head       ? std::uint32_t{head_length}
               : goal == Goal::block_head ? std::uint32_t{block_head_length}
                                          : 0;
    }
    static std::uint8_t distance(std::size_t from, std::size_t to) {
        return static_cast<std::uint8_t>(to - from - 1);
    }
    static std::uint8_t way(std::size_t at, std::size_t goals, Goal goal) {
        return goal == Goal::next ? std::uint8_t{0}
                                  : distance(at, goals + static_cast<std::size_t>(goal) - 1);
    }

    std::vector<sock_filter> statements_;
    std::vector<Jump> jumps_;
};

void udp_over_ipv4(Program& program) {
    constexpr std::uint32_t data = 3;
    for (const AfterIp port : {source_port, target_port}) {
        program.load(BPF_H | BPF_IND, port);
        for (const std::uint32_t known : {53U, 67U, 68U, 69U, std::uint32_t{boot_server_port}}) {
            program.test(BPF_JEQ, known, Goal::whole);
        }
    }
    program.load(BPF_H | BPF_IND, tftp_opcode);
    program.test(BPF_JEQ, data, Goal::next, Goal::head);
    program.load(BPF_H | BPF_IND, tftp_block);
    program.test(BPF_JGT, last_whole_block, Goal::block_head, Goal::head);
}

void tcp_over_ipv4(Program& program) {
    constexpr std::uint32_t fin_syn_or_rst = 0x07;
    program.load(BPF_B | BPF_IND, tcp_flags);
    program.test(BPF_JSET, fin_syn_or_rst, Goal::head);
    for (const AfterIp port : {source_port, target_port}) {
        program.load(BPF_H | BPF_IND, port);
        for (const std::uint32_t other : {22U, 445U, 2049U}) {
            program.test(BPF_JEQ, other, Goal::nothing);
        }
    }
    program.end(Goal::head);
}

void ipv6(Program& program) {
    program.load(BPF_B | BPF_ABS, v6_next_header);
    for (const std::uint32_t wanted :
         std::array<std::uint32_t, 4>{IPPROTO_UDP, IPPROTO_TCP, IPPROTO_ICMPV6, IPPROTO_HOPOPTS}) {
        program.test(BPF_JEQ, wanted, Goal::head);
    }
    program.end(Goal::nothing);
}

}  // namespace

std::vector<sock_filter> boot_filter() {
    constexpr std::uint32_t later_fragment = 0x1FFF;
    Program program;
    program.load(BPF_H | BPF_ABS, ether_type);
    program.test(BPF_JEQ, ETH_P_ARP, Goal::head);
    for (const std::uint32_t tag : std::array<std::uint32_t, 3>{ETH_P_8021Q, ETH_P_8021AD, ETH_P_QINQ1}) {
        program.test(BPF_JEQ, tag, Goal::head);
    }
    const std::size_t is_ipv6 = program.test_far(BPF_JEQ, ETH_P_IPV6);
    program.test(BPF_JEQ, ETH_P_IP, Goal::next, Goal::nothing);
    program.load(BPF_H | BPF_ABS, v4_fragment);
    program.test(BPF_JSET, later_fragment, Goal::nothing);
    program.add(BPF_LDX | BPF_B | BPF_MSH, v4_header);
    program.load(BPF_B | BPF_ABS, v4_protocol);
    program.test(BPF_JEQ, IPPROTO_ICMP, Goal::head);
    const std::size_t is_tcp = program.test_far(BPF_JEQ, IPPROTO_TCP);
    program.test(BPF_JEQ, IPPROTO_UDP, Goal::next, Goal::nothing);
    udp_over_ipv4(program);
    program.mark(is_tcp);
    tcp_over_ipv4(program);
    program.mark(is_ipv6);
    ipv6(program);
    return program.take();
}

}  // namespace vml::net
