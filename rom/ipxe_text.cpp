#include "rom/ipxe_text.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace vml::rom {

namespace {

constexpr std::size_t longest_version = 80;
constexpr std::string_view digits = "0123456789";

// Removes "12" from the front; false when there is no digit.
bool skip_number(std::string_view& text) {
    const std::size_t count = std::min(text.find_first_not_of(digits), text.size());
    text.remove_prefix(count);
    return count > 0;
}

bool skip(std::string_view& text, std::string_view expected) {
    if (text.substr(0, expected.size()) != expected) {
        return false;
    }
    text.remove_prefix(expected.size());
    return true;
}

bool is_version(std::string_view text) {
    const bool numbers =
        skip_number(text) && skip(text, ".") && skip_number(text) && skip(text, ".") && skip_number(text);
    return numbers && (skip(text, "+") || skip(text, " (")) && text.find('?') == std::string_view::npos;
}

bool is_digit(std::uint8_t byte) {
    return byte >= '0' && byte <= '9';
}

// Cheap, and false nearly everywhere: the rest of the search is for the few places that remain.
bool has_dot_behind_digits(const Bytes& bytes, std::size_t at) {
    while (is_digit(bytes.u8(at))) {
        ++at;
    }
    return bytes.u8(at) == '.';
}

}  // namespace

bool names_ipxe(const Bytes& bytes) {
    for (std::size_t i = 0; bytes.has(i, 4); ++i) {
        if (bytes.starts(i, "iPXE")) {
            return true;
        }
    }
    return false;
}

std::optional<std::string> ipxe_version(const Bytes& bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (!is_digit(bytes.u8(i)) || (i > 0 && is_printable(bytes.u8(i - 1)))) {
            continue;
        }
        if (!has_dot_behind_digits(bytes, i)) {
            continue;
        }
        std::string text = bytes.text(i, longest_version);
        if (text.size() < longest_version && is_version(text)) {
            return text;
        }
    }
    return std::nullopt;
}

}  // namespace vml::rom
