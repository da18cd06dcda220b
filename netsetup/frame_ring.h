// The frames on a link that tell how machines boot (boot_filter.h), by the hundred: a packet socket whose
// frames lie in memory that the kernel shares (packet(7); Documentation/networking/packet_mmap.rst,
// TPACKET_V3). Makes system calls.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/fd.h"

namespace vml::net {

// `at` in seconds since 1970, as the kernel took it; the bytes, from the Ethernet header on and with the VLAN
// tags that they had on the wire, are valid during the call.
using OnRingFrame = std::function<void(double at, std::string_view frame)>;

class FrameRing {
  public:
    // Sees what the link carries in either direction, each frame once, whoever it is for. In the network
    // namespace of the calling thread; needs CAP_NET_RAW, and nothing of it later. Throws Error.
    explicit FrameRing(int link_index, const std::string& link_name);
    ~FrameRing();
    FrameRing(const FrameRing&) = delete;
    FrameRing& operator=(const FrameRing&) = delete;
    FrameRing(FrameRing&&) = delete;
    FrameRing& operator=(FrameRing&&) = delete;

    // For an event loop: readable when there are frames, 50 ms after the first of them at the latest, and
    // when there is an error.
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

    // All that there are; of more than the ring holds, the rest at the next call. Never waits.
    void read(const OnRingFrame& take);
    // Frames that found no room in the ring, since the last call.
    [[nodiscard]] std::uint64_t lost() noexcept;
    // The socket's error since the last call, as errno: ENETDOWN where the link went down, or away.
    [[nodiscard]] int error() noexcept;

  private:
    void read_block(char* block, const OnRingFrame& take);

    OwnedFd fd_;
    char* ring_ = nullptr;
    unsigned block_count_ = 0;
    unsigned next_ = 0;
    std::string tagged_;
};

}  // namespace vml::net
