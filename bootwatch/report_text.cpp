// Texts of the report's page: whatever they are, they are text in it.
#include <algorithm>

#include <fmt/format.h>

#include "base/logins.h"
#include "base/utf8.h"
#include "bootwatch/bounds.h"
#include "bootwatch/report_page.h"

namespace vml::boot {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD, of a byte that is no UTF-8

std::string escaped_sign(char ascii) {
    constexpr unsigned char first_printable = 0x20;
    constexpr unsigned char del = 0x7f;
    switch (ascii) {
        case '&':
            return "&amp;";
        case '<':
            return "&lt;";
        case '>':
            return "&gt;";
        case '"':
            return "&quot;";
        default:
            const auto byte = static_cast<unsigned char>(ascii);
            return {byte >= first_printable && byte != del ? ascii : ' '};
    }
}

// U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069 (Unicode, UAX 9): what follows them would stand
// elsewhere than it is. By their bytes in UTF-8.
bool turns_direction(std::string_view character) {
    const auto last = static_cast<unsigned char>(character.back());
    const auto within = [&](unsigned first, unsigned end) { return last >= first && last <= end; };
    return character == "\xd8\x9c" ||
           (character.starts_with("\xe2\x80") && (within(0x8e, 0x8f) || within(0xaa, 0xae))) ||
           (character.starts_with("\xe2\x81") && within(0xa6, 0xa9));
}

std::string escaped_character(std::string_view character) {
    if (character.size() == 1) {
        return escaped_sign(character.front());
    }
    const bool commands = utf8::is_c1_control(character) || turns_direction(character);
    return std::string{commands ? replacement : character};
}

}  // namespace

std::string escaped(std::string_view text) {
    const std::string shown = without_logins(text);
    std::string result;
    for (std::string_view rest = shown; !rest.empty();) {
        const std::size_t size = utf8::size_at(rest);
        result += size == 0 ? replacement : escaped_character(rest.substr(0, size));
        rest.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return result;
}

std::string breakable(std::string_view text) {
    const std::string safe = without_logins(text);
    std::string result;
    std::size_t begin = 0;
    for (std::size_t at = 1; at + 1 < safe.size(); ++at) {
        const bool mark = safe[at] == '/' || safe[at] == '?';
        constexpr std::string_view not_beside = " /?";  // neither within "//" nor at the ends of a path
        if (mark && not_beside.find(safe[at - 1]) == std::string_view::npos &&
            not_beside.find(safe[at + 1]) == std::string_view::npos) {
            result += escaped(safe.substr(begin, at + 1 - begin)) + "<wbr>";
            begin = at + 1;
        }
    }
    return result + escaped(safe.substr(std::min(begin, safe.size())));
}

std::string shortened(std::string_view text, std::size_t most) {
    if (text.size() <= most) {
        return escaped(text);
    }
    return escaped(cut_to(without_logins(text), most - 1)) + "…";
}

std::string as_data(const nlohmann::ordered_json& document) {
    constexpr std::string_view not_as_they_are = "<>&\x7f";  // none stands anywhere but in a string
    const std::string plain = document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    std::string data;
    data.reserve(plain.size());
    for (std::string_view rest = plain; !rest.empty();) {
        const std::size_t end = std::min(rest.find_first_of(not_as_they_are), rest.size());
        data += rest.substr(0, end);
        if (end < rest.size()) {
            data += fmt::format("\\u{:04x}", static_cast<unsigned char>(rest[end]));
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return data;
}

std::string duration_text(double seconds) {
    constexpr double milli = 0.001;
    if (seconds < 0.1) {
        return seconds > 0 && seconds < milli ? "under 1 ms" : fmt::format("{:.0f} ms", seconds / milli);
    }
    return fmt::format("{:.{}f} s", seconds, seconds < 10 ? 2 : 1);
}

}  // namespace vml::boot
