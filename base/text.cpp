#include "base/text.h"

#include <algorithm>
#include <cctype>

#include "base/utf8.h"

namespace vml {

namespace {

std::string escaped(char c) {
    constexpr std::string_view hex = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    return {'\\', 'x', hex[byte >> 4U], hex[byte & 0xfU]};
}

}  // namespace

std::string lower(std::string_view text) {
    std::string result{text};
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string visible(std::string_view text, std::string_view kept) {
    constexpr unsigned char first_printable = 0x20;
    constexpr unsigned char del = 0x7f;
    std::string shown;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte >= first_printable && byte != del) || kept.find(c) != std::string_view::npos) {
            shown += c;
        } else if (c == '\r' || c == '\n' || c == '\t') {
            shown += c == '\r' ? "\\r" : c == '\n' ? "\\n" : "\\t";
        } else {
            shown += escaped(c);
        }
    }
    return shown;
}

std::string printable(std::string_view text) {
    std::string shown;
    while (!text.empty()) {
        const std::size_t size = utf8::size_at(text);
        const std::string_view character = text.substr(0, std::max<std::size_t>(size, 1));
        if (size == 1) {
            shown += visible(character);
        } else if (size > 1 && !utf8::is_c1_control(character)) {
            shown += character;
        } else {
            for (const char c : character) {
                shown += escaped(c);
            }
        }
        text.remove_prefix(character.size());
    }
    return shown;
}

std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        if (const std::string_view part = trimmed(text.substr(0, comma)); !part.empty()) {
            parts.emplace_back(part);
        }
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return parts;
}

std::string listed(const std::vector<std::string>& names, std::string_view conjunction) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) {
            text += i + 1 == names.size() ? " " + std::string{conjunction} + " " : ", ";
        }
        text += names[i];
    }
    return text;
}

}  // namespace vml
