// UTF-8, byte by byte (RFC 3629, section 4). Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace vml::utf8 {

// Bytes of the character that this one begins; 0: it begins none.
[[nodiscard]] std::size_t size_from(char first);

// May `next` follow what was begun? False also for overlong forms, surrogates, and what is above U+10FFFF.
[[nodiscard]] bool continues(std::string_view begun, char next);

// Bytes of the character that the text begins with; 0: it is none, or not whole.
[[nodiscard]] std::size_t size_at(std::string_view text);

// Nothing else in the whole text?
[[nodiscard]] bool is_all(std::string_view text);

[[nodiscard]] inline bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) == 0x80;
}

// U+0080 to U+009F, which some terminals obey.
[[nodiscard]] bool is_c1_control(std::string_view character);

}  // namespace vml::utf8
