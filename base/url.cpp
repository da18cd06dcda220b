#include "base/url.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>

namespace vml {

bool is_url(std::string_view text) {
    const std::size_t scheme = text.find("://");
    return scheme != std::string_view::npos && scheme > 0 &&
           std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(scheme), [](unsigned char c) {
               return std::isalnum(c) != 0 || c == '+' || c == '-' || c == '.';
           });
}

std::string url_path(std::string_view name) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string text;
    for (const char c : name) {
        const auto byte = static_cast<std::uint8_t>(c);
        if ((byte < 0x80 && std::isalnum(byte) != 0) ||
            std::string_view{"-._~/"}.find(c) != std::string_view::npos) {
            text += c;
        } else {
            text += {'%', digits[byte >> 4U], digits[byte & 0xFU]};
        }
    }
    return text;
}

}  // namespace vml
