#include "base/utf8.h"

namespace vml::utf8 {

namespace {

unsigned value_of(char c) {
    return static_cast<unsigned char>(c);
}

// The ranges that the second byte has after some first ones.
bool second_fits(char first, char second) {
    const unsigned value = value_of(second);
    switch (value_of(first)) {
        case 0xe0:
            return value >= 0xa0;
        case 0xed:
            return value < 0xa0;
        case 0xf0:
            return value >= 0x90;
        case 0xf4:
            return value < 0x90;
        default:
            return true;
    }
}

}  // namespace

std::size_t size_from(char first) {
    const unsigned value = value_of(first);
    if (value < 0x80) {
        return 1;
    }
    if (value >= 0xc2 && value <= 0xdf) {
        return 2;
    }
    if (value >= 0xe0 && value <= 0xef) {
        return 3;
    }
    return value >= 0xf0 && value <= 0xf4 ? 4 : 0;
}

bool continues(std::string_view begun, char next) {
    return is_continuation(next) && begun.size() < size_from(begun.front()) &&
           (begun.size() > 1 || second_fits(begun.front(), next));
}

std::size_t size_at(std::string_view text) {
    const std::size_t size = text.empty() ? 0 : size_from(text.front());
    if (size > text.size()) {
        return 0;
    }
    for (std::size_t count = 1; count < size; ++count) {
        if (!continues(text.substr(0, count), text[count])) {
            return 0;
        }
    }
    return size;
}

bool is_c1_control(std::string_view character) {
    return character.size() == 2 && character[0] == '\xc2' && value_of(character[1]) < 0xa0;
}

bool is_all(std::string_view text) {
    while (!text.empty()) {
        const std::size_t size = size_at(text);
        if (size == 0) {
            return false;
        }
        text.remove_prefix(size);
    }
    return true;
}

}  // namespace vml::utf8
