// What every target's checks stand on.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <string_view>

#include "base/utf8.h"

inline void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

// What checks is not what is to be covered.
__attribute__((no_sanitize("coverage"))) inline bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t size = vml::utf8::size_at(text);
        if (size == 0) {
            return false;
        }
        text.remove_prefix(size);
    }
    return true;
}
