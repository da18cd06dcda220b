#include "capture/copies.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string_view>

namespace vml::capture {

namespace {

// The frame without what a switch or router changes of it.
std::size_t hash_of(Bytes frame) {
    constexpr std::size_t header = 14;
    constexpr std::uint16_t ipv4 = 0x0800;
    constexpr std::uint16_t ipv6 = 0x86DD;
    constexpr std::size_t hop_limit = header + 7;
    constexpr std::size_t identification = header + 4;
    constexpr std::size_t time_to_live = header + 8;
    constexpr std::size_t ends = header + 12;
    const std::hash<std::string_view> hash;
    if (frame.be16(12) == ipv6) {
        return hash(frame.part(header, hop_limit - header).chars()) * 31 +
               hash(frame.from(hop_limit + 1).chars());
    }
    if (frame.be16(12) != ipv4) {
        return hash(frame.from(header).chars());
    }
    return hash(frame.part(identification, time_to_live - identification).chars()) * 31 +
           hash(frame.from(ends).chars());
}

}  // namespace

bool Copies::is_copy(double at, Bytes frame) {
    constexpr double at_once_s = 0.02;  // who sends again waits for longer
    constexpr std::size_t most = 64;
    const std::size_t hash = hash_of(frame);
    const bool known = std::any_of(latest_.begin(), latest_.end(), [&](const auto& earlier) {
        return earlier.second == hash && at >= earlier.first && at - earlier.first < at_once_s;
    });
    if (latest_.size() < most) {
        latest_.emplace_back(at, hash);
    } else {
        latest_[next_] = {at, hash};
        next_ = (next_ + 1) % most;
    }
    return known;
}

}  // namespace vml::capture
