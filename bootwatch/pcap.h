// A capture as QEMU's filter-dump writes it into a pipe (libpcap's classic format; QEMU net/dump.c), which
// comes in pieces of any size → frames. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace vml::boot {

class PcapReader {
  public:
    // `length`: of the frame on the wire, where QEMU has cut it.
    using OnFrame = std::function<void(Bytes frame, std::size_t length)>;

    // The frame is valid during the call only. False once the stream is no capture: nothing of it is read any
    // more.
    bool feed(std::string_view bytes, const OnFrame& on_frame);

    // More than any frame that QEMU's user-mode network carries (64 KiB, IPv4's limit, and a header).
    static constexpr std::size_t largest_frame = (std::size_t{64} << 10) + 64;

  private:
    std::string waiting_;
    bool header_seen_ = false;
    bool broken_ = false;
};

}  // namespace vml::boot
