// The blocks of a pcapng file: interfaces, packets and what is said of them → bytes. Pure.
//
// Sources: draft-ietf-opsawg-pcapng, sections 3.5 (options), 4.1 to 4.3 (the blocks); libpcap's sf-pcapng.c
// and Wireshark's wiretap/pcapng.c, which read it. Numbers are little-endian, whatever wrote them: the
// section header says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/mac.h"

namespace vml::boot {

// What shb_userappl says of a file of vm-launch's.
inline constexpr std::string_view pcapng_program = "vm-launch";

// Begins the file. `comment` is what the whole of it is about.
[[nodiscard]] std::string pcapng_section(std::string_view comment);

// Of Ethernet, with times in nanoseconds. They are numbered from 0 in the order in which they come.
struct PcapngInterface {
    std::string name;          // "net0"
    Mac mac{};                 // of the NIC
    std::uint32_t cut_at = 0;  // no more bytes of a frame are kept; 0: all are
};
[[nodiscard]] std::string pcapng_interface(const PcapngInterface& interface);

// As seen from the interface (epb_flags).
enum class PcapngWay : std::uint8_t { unknown = 0, inbound = 1, outbound = 2 };

struct PcapngPacket {
    std::uint32_t interface = 0;
    std::uint64_t at_ns = 0;  // since 1970, UTC
    std::string bytes;        // of the frame, as many as are kept
    std::size_t length = 0;   // of the frame on the wire
    PcapngWay way = PcapngWay::unknown;
    std::vector<std::string> comments{};
};
[[nodiscard]] std::string pcapng_packet(const PcapngPacket& packet);

// What a comment may have of a text: UTF-8 without control characters, of this size at most.
inline constexpr std::size_t longest_comment = 2048;
[[nodiscard]] std::string as_comment(std::string_view text);

}  // namespace vml::boot
