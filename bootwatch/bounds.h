// How much of each kind is kept of a boot: guest and network may repeat everything without end. Of more than
// that the first half and the latest ones stay, and the rest is counted. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/utf8.h"

namespace vml::boot {

inline constexpr std::size_t most_boots = 100;
inline constexpr std::size_t most_talks = 32;   // of clients with DHCP servers
inline constexpr std::size_t most_offers = 16;  // of one talk
inline constexpr std::size_t most_refusals = 8;
inline constexpr std::size_t most_texts = 100;  // complaints, lookups, addresses: each
inline constexpr std::size_t most_marks = 100;  // of one stage
inline constexpr std::size_t most_fetch_marks = 2000;
// Of more fetches the latest one takes the last one's place. Bare connections have places of their own, so
// that a flood of them takes none of what was fetched.
inline constexpr std::size_t most_fetched = 2000;
inline constexpr std::size_t most_bare = 100;
// That are told as they come, of one stage.
inline constexpr std::size_t most_repeats_told = 100;
inline constexpr std::size_t most_failures_told = 500;  // of fetches, each another one
inline constexpr std::size_t most_searched = 256;       // names of one search

// Bytes.
inline constexpr std::size_t longest_script = std::size_t{16} << 10;      // that is kept of one
inline constexpr std::size_t most_script_bytes = std::size_t{256} << 10;  // and of all of a boot
inline constexpr std::size_t longest_url = 1024;
inline constexpr std::size_t longest_words = 256;  // of a server
inline constexpr std::size_t longest_detail = 512;
inline constexpr std::size_t longest_console_line = 1024;  // that is kept

// What was seen and is not in the record, because there was too much of its kind.
struct LeftOut {
    std::uint64_t boots = 0;  // between this one and the next
    std::uint64_t marks = 0;
    std::uint64_t talks = 0;
    std::uint64_t offers = 0;
    std::uint64_t refusals = 0;
    std::uint64_t fetches = 0;
    std::uint64_t lookups = 0;
    std::uint64_t complaints = 0;
    std::uint64_t firmware_errors = 0;
    std::uint64_t unanswered = 0;

    bool operator==(const LeftOut&) const = default;
};

// So that `most` items stay at most.
template <typename Item>
void keep_ends(std::vector<Item>& items, std::size_t most, std::uint64_t& left_out) {
    if (items.size() <= most) {
        return;
    }
    const std::size_t surplus = items.size() - most;
    const auto first = std::next(items.begin(), static_cast<std::ptrdiff_t>(most / 2));
    items.erase(first, std::next(first, static_cast<std::ptrdiff_t>(surplus)));
    left_out += surplus;
}

template <typename Item>
void add_bounded(std::vector<Item>& items, std::type_identity_t<Item> item, std::size_t most,
                 std::uint64_t& left_out) {
    items.push_back(std::move(item));
    keep_ends(items, most, left_out);
}

// Before the key is added to a map that has `most` entries at most: the one goes that ranks lowest.
template <typename Map, typename Rank>
void make_room_for(const typename Map::key_type& key, Map& map, std::size_t most, const Rank& rank) {
    if (map.size() >= most && !map.contains(key)) {
        map.erase(std::min_element(map.begin(), map.end(), [&](const auto& a, const auto& b) {
            return rank(a.second) < rank(b.second);
        }));
    }
}

// Not within a character, where it is UTF-8.
[[nodiscard]] inline std::string cut_to(std::string_view text, std::size_t most) {
    constexpr std::size_t longest_character = 4;
    std::size_t size = std::min(most, text.size());
    while (size > 0 && size < text.size() && most - size < longest_character - 1 &&
           utf8::is_continuation(text[size])) {
        --size;
    }
    const bool is_text = size == text.size() || !utf8::is_continuation(text[size]);
    return std::string{text.substr(0, is_text ? size : most)};
}

}  // namespace vml::boot
