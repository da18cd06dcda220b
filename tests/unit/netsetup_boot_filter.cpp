// The filter of a watch, run as the kernel runs it (Documentation/networking/filter.rst).
#include <cstdint>
#include <string>

#include "netsetup/boot_filter.h"
#include "tests/unit/catch.h"

namespace vml::net {
namespace {

std::string two(unsigned value) {
    return {static_cast<char>(value >> 8U), static_cast<char>(value)};
}

std::string ethernet(unsigned type, const std::string& payload) {
    return std::string(12, '\2') + two(type) + payload;
}

std::string over_ipv4(unsigned protocol, const std::string& payload, unsigned fragment = 0) {
    return ethernet(0x0800, std::string{"\x45\0", 2} + two(20 + static_cast<unsigned>(payload.size())) +
                                two(0) + two(fragment) + "\x40" + static_cast<char>(protocol) +
                                std::string(10, '\1') + payload);
}

std::string datagram(unsigned from, unsigned to, const std::string& payload) {
    return over_ipv4(17,
                     two(from) + two(to) + two(8 + static_cast<unsigned>(payload.size())) + two(0) + payload);
}

std::string segment(unsigned from, unsigned to, unsigned flags) {
    return over_ipv4(6, two(from) + two(to) + std::string(8, '\0') + "\x50" + static_cast<char>(flags) +
                            std::string(6, '\0') + std::string(100, 'x'));
}

struct Machine {
    std::uint32_t accumulator = 0;
    std::uint32_t index = 0;
    bool out_of_frame = false;

    std::uint32_t load(const std::string& frame, std::size_t at, unsigned size) {
        std::uint32_t value = 0;
        for (unsigned i = 0; i < size; ++i) {
            out_of_frame = out_of_frame || at + i >= frame.size();
            value = value << 8U | (out_of_frame ? 0U : static_cast<unsigned char>(frame[at + i]));
        }
        return value;
    }
};

unsigned size_of_load(unsigned code) {
    return BPF_SIZE(code) == BPF_B ? 1 : BPF_SIZE(code) == BPF_H ? 2 : 4;
}

// So many bytes of the frame pass.
std::uint32_t passed(const std::string& frame) {
    const auto program = boot_filter();
    REQUIRE(program.size() < BPF_MAXINSNS);
    Machine machine;
    for (std::size_t at = 0; at < program.size(); ++at) {
        const sock_filter& step = program[at];
        const unsigned size = size_of_load(step.code);
        switch (BPF_CLASS(step.code)) {
            case BPF_LD:
                machine.accumulator =
                    machine.load(frame, step.k + (BPF_MODE(step.code) == BPF_IND ? machine.index : 0), size);
                break;
            case BPF_LDX:
                machine.index = (machine.load(frame, step.k, 1) & 15U) * 4;
                break;
            case BPF_JMP: {
                const bool holds = BPF_OP(step.code) == BPF_JEQ   ? machine.accumulator == step.k
                                   : BPF_OP(step.code) == BPF_JGT ? machine.accumulator > step.k
                                                                  : (machine.accumulator & step.k) != 0;
                at += holds ? step.jt : step.jf;
                break;
            }
            default:
                return step.k;
        }
        if (machine.out_of_frame) {
            return 0;
        }
    }
    FAIL("the program has no end");
    return 0;
}

TEST_CASE("what tells of a boot passes, whole or its head") {
    const std::string options(1400, 'o');
    for (const unsigned port : {53U, 67U, 68U, 69U, 4011U}) {
        CHECK(passed(datagram(port, 5000, options)) == whole_length);
        CHECK(passed(datagram(5000, port, options)) == whole_length);
    }
    CHECK(passed(ethernet(0x0806, std::string(28, 'a'))) == head_length);
    CHECK(passed(over_ipv4(1, "\3\3 unreachable")) == head_length);
    CHECK(passed(segment(80, 5000, 0x10)) == head_length);
    CHECK(passed(segment(5000, 8080, 0x18)) == head_length);
    for (const unsigned protocol : {17U, 6U, 58U, 0U}) {
        CHECK(passed(ethernet(0x86DD, std::string(6, '\0') + static_cast<char>(protocol) +
                                          std::string(60, '\1'))) == head_length);
    }
    for (const unsigned tag : {0x8100U, 0x88A8U, 0x9100U}) {
        CHECK(passed(ethernet(tag, two(12) + two(0x0800) + std::string(60, 'x'))) == head_length);
    }
}

TEST_CASE("of TFTP's later blocks the heads pass") {
    const std::string block(512, 'x');
    CHECK(passed(datagram(3000, 2001, two(3) + two(1) + block)) == head_length);
    CHECK(passed(datagram(3000, 2001, two(3) + two(last_whole_block) + block)) == head_length);
    CHECK(passed(datagram(3000, 2001, two(3) + two(last_whole_block + 1) + block)) == block_head_length);
    CHECK(passed(datagram(3000, 2001, two(3) + two(65535) + block)) == block_head_length);
    CHECK(passed(datagram(2001, 3000, two(4) + two(500))) == head_length);
    CHECK(passed(datagram(3000, 2001, two(5) + two(1) + "no")) == head_length);
}

TEST_CASE("what tells of no boot does not pass") {
    CHECK(passed(ethernet(0x88CC, std::string(60, 'l'))) == 0);
    CHECK(passed(over_ipv4(47, std::string(60, 'g'))) == 0);
    CHECK(passed(over_ipv4(17, std::string(60, 'f'), 185)) == 0);
    CHECK(passed(ethernet(0x86DD, std::string(6, '\0') + '\x2f' + std::string(60, '\1'))) == 0);
    for (const unsigned port : {22U, 445U, 2049U}) {
        CHECK(passed(segment(port, 5000, 0x10)) == 0);
        CHECK(passed(segment(5000, port, 0x18)) == 0);
        CHECK(passed(segment(5000, port, 0x02)) == head_length);  // who connects, and is refused
        CHECK(passed(segment(port, 5000, 0x14)) == head_length);
    }
    CHECK(passed("short") == 0);
    CHECK(passed(ethernet(0x0800, "")) == 0);
}

}  // namespace
}  // namespace vml::net
