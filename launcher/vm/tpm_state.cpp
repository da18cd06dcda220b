#include "launcher/vm/tpm_state.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "base/bytes.h"

namespace vml {

namespace {

constexpr std::string_view state_magic = "nilmptws";  // 0x737774706d6c696e
constexpr std::uint8_t known_version = 1;

// Where the parts of the state end.
std::uint64_t end_of_parts(const Bytes& header) {
    constexpr std::size_t first_part = 12;
    constexpr std::size_t part_size = 12;
    constexpr std::size_t length_at = 4;
    std::uint64_t end = header.size();
    for (std::size_t at = first_part; header.has(at, part_size); at += part_size) {
        const std::uint64_t length = header.u32(at + length_at);
        if (length != 0) {
            end = std::max(end, header.u32(at) + length);
        }
    }
    return end;
}

}  // namespace

std::optional<std::string> why_no_tpm_state(const TpmStateFacts& state) {
    if (state.size == 0) {
        return std::nullopt;
    }
    const Bytes header = bytes_of(state.head);
    constexpr std::size_t version_at = state_magic.size();
    if (!header.starts(0, state_magic)) {
        return "it is no state of swtpm's, which would write over it";
    }
    if (header.u8(version_at) > known_version) {
        return std::nullopt;  // swtpm itself says whether it knows it
    }
    if (header.size() < most_of_a_tpm_header || end_of_parts(header) > state.size) {
        return fmt::format("it is cut off: it has {} bytes of {}", state.size,
                           std::max<std::uint64_t>(most_of_a_tpm_header, end_of_parts(header)));
    }
    return std::nullopt;
}

}  // namespace vml
