#include "bootwatch/pcap.h"

#include <cstdint>

namespace vml::boot {

namespace {

constexpr std::uint32_t magic = 0xA1B2C3D4;  // in the writer's byte order, which is ours
constexpr std::size_t file_header = 24;
constexpr std::size_t record_header = 16;
constexpr std::size_t captured_length = 8;  // offsets in a record's header
constexpr std::size_t original_length = 12;

}  // namespace

bool PcapReader::feed(std::string_view bytes, const OnFrame& on_frame) {
    if (broken_) {
        return false;
    }
    waiting_ += bytes;
    const Bytes all = bytes_of(waiting_);
    std::size_t at = 0;
    if (!header_seen_) {
        if (waiting_.size() < file_header) {
            return true;
        }
        broken_ = all.u32(0) != magic;
        header_seen_ = true;
        at = file_header;
    }
    while (!broken_ && all.has(at, record_header)) {
        const std::size_t length = all.u32(at + captured_length);
        broken_ = length > largest_frame;
        if (broken_ || !all.has(at + record_header, length)) {
            break;
        }
        on_frame(all.part(at + record_header, length), all.u32(at + original_length));
        at += record_header + length;
    }
    waiting_.erase(0, at);
    return !broken_;
}

}  // namespace vml::boot
