#include "netsetup/frame_ring.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/error.h"
#include "netsetup/boot_filter.h"

namespace vml::net {

namespace {

// A block is given to its reader when it is full, or retire_ms after its first frame, however little is in
// it: a ring of few frames is full after wanted_blocks times that, 12.8 s.
constexpr unsigned block_size = 1U << 16U;  // bytes; more than the filter's longest frame
constexpr unsigned wanted_blocks = 256;
constexpr unsigned least_blocks = 32;  // where memory is scarce
constexpr unsigned retire_ms = 50;

Error cannot_watch_link(const std::string& link, std::string_view step, int error) {
    return Error{{fmt::format("cannot watch the frames on {}", link),
                  fmt::format("{}: {}", step, errno_text(error)),
                  error == EPERM || error == EACCES
                      ? "run as root, or with CAP_NET_RAW: in a container --cap-add NET_RAW"
                      : "",
                  ExitCode::host}};
}

template <typename Value>
void set_option(int fd, int option, const Value& value, const std::string& link, std::string_view step) {
    if (::setsockopt(fd, SOL_PACKET, option, &value, sizeof value) != 0) {
        throw cannot_watch_link(link, step, errno);
    }
}

// So many blocks as there is memory for.
unsigned make_ring(int fd, const std::string& link) {
    for (unsigned blocks = wanted_blocks;; blocks /= 2) {
        tpacket_req3 request{};
        request.tp_block_size = block_size;
        request.tp_block_nr = blocks;
        request.tp_frame_size = head_length;
        request.tp_frame_nr = block_size / head_length * blocks;
        request.tp_retire_blk_tov = retire_ms;
        if (::setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) == 0) {
            return blocks;
        }
        if (errno != ENOMEM || blocks == least_blocks) {
            throw cannot_watch_link(link, "memory for its frames", errno);
        }
    }
}

void attach_filter(int fd, const std::string& link) {
    std::vector<sock_filter> program = boot_filter();
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0) {
        throw cannot_watch_link(link, "its filter", errno);
    }
}

// What a bridge's ports say to each other, and a switch mirrors, passes by: it is not for this host.
void be_promiscuous(int fd, int link_index, const std::string& link) {
    packet_mreq all{};
    all.mr_ifindex = link_index;
    all.mr_type = PACKET_MR_PROMISC;
    set_option(fd, PACKET_ADD_MEMBERSHIP, all, link, "promiscuous mode");
}

void begin_on(int fd, int link_index, const std::string& link) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = link_index;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bind(2) takes every kind of address so
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw cannot_watch_link(link, "bind", errno);
    }
}

template <typename Part>
Part& part_at(char* where) {  // NOLINT(readability-non-const-parameter): the part can be written
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the kernel lays it out so
    return *reinterpret_cast<Part*>(where);
}

// Of a block. The kernel's unions have one member each.
tpacket_hdr_v1& head_of_block(char* block) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-union-access)
    return part_at<tpacket_block_desc>(block).hdr.bh1;
}

const tpacket_hdr_variant1& tag_of(const tpacket3_hdr& packet) {
    return packet.hv1;  // NOLINT(cppcoreguidelines-pro-type-union-access)
}

std::string big_endian_16(std::uint16_t value) {
    constexpr unsigned byte = 8;
    return {static_cast<char>(value >> byte), static_cast<char>(value)};
}

}  // namespace

FrameRing::FrameRing(int link_index, const std::string& link_name)
    : fd_{::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)} {
    if (!fd_) {
        throw cannot_watch_link(link_name, "a packet socket", errno);
    }
    const int version = TPACKET_V3;
    set_option(fd_.get(), PACKET_VERSION, version, link_name, "TPACKET_V3");
    attach_filter(fd_.get(), link_name);
    block_count_ = make_ring(fd_.get(), link_name);
    void* const ring = ::mmap(nullptr, std::size_t{block_size} * block_count_, PROT_READ | PROT_WRITE,
                              MAP_SHARED, fd_.get(), 0);
    if (ring == MAP_FAILED) {
        throw cannot_watch_link(link_name, "memory for its frames", errno);
    }
    ring_ = static_cast<char*>(ring);
    try {
        be_promiscuous(fd_.get(), link_index, link_name);
        begin_on(fd_.get(), link_index, link_name);
    } catch (...) {
        ::munmap(ring_, std::size_t{block_size} * block_count_);
        throw;
    }
}

FrameRing::~FrameRing() {
    ::munmap(ring_, std::size_t{block_size} * block_count_);
}

void FrameRing::read(const OnRingFrame& take) {
    for (unsigned i = 0; i < block_count_; ++i) {
        char* const block = std::next(ring_, static_cast<std::ptrdiff_t>(next_) * block_size);
        std::atomic_ref status{head_of_block(block).block_status};
        if ((status.load(std::memory_order_acquire) & TP_STATUS_USER) == 0) {
            return;
        }
        read_block(block, take);
        status.store(TP_STATUS_KERNEL, std::memory_order_release);
        next_ = (next_ + 1) % block_count_;
    }
}

void FrameRing::read_block(char* block, const OnRingFrame& take) {
    constexpr double nano = 1e-9;
    constexpr std::size_t addresses = 12;  // of an Ethernet frame, before its tags
    const tpacket_hdr_v1& head = head_of_block(block);
    char* where = std::next(block, head.offset_to_first_pkt);
    for (unsigned i = 0; i < head.num_pkts; ++i) {
        const auto& packet = part_at<tpacket3_hdr>(where);
        std::string_view frame{std::next(where, packet.tp_mac), packet.tp_snaplen};
        if ((packet.tp_status & TP_STATUS_VLAN_VALID) != 0 && frame.size() >= addresses) {
            const bool told = (packet.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0;
            tagged_ = frame.substr(0, addresses);
            tagged_ += big_endian_16(told ? tag_of(packet).tp_vlan_tpid : std::uint16_t{ETH_P_8021Q});
            tagged_ += big_endian_16(static_cast<std::uint16_t>(tag_of(packet).tp_vlan_tci));
            tagged_ += frame.substr(addresses);
            frame = tagged_;
        }
        take(static_cast<double>(packet.tp_sec) + static_cast<double>(packet.tp_nsec) * nano, frame);
        where = std::next(where, packet.tp_next_offset);
    }
}

std::uint64_t FrameRing::lost() noexcept {
    tpacket_stats_v3 statistics{};
    socklen_t size = sizeof statistics;
    return ::getsockopt(fd_.get(), SOL_PACKET, PACKET_STATISTICS, &statistics, &size) == 0
               ? statistics.tp_drops
               : 0;
}

int FrameRing::error() noexcept {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
}

}  // namespace vml::net
