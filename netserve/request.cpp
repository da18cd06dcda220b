#include "netserve/request.h"

#include <algorithm>
#include <system_error>

#include "base/text.h"

namespace vml::serve {

namespace {

std::optional<std::string> unescaped(std::string_view path) {
    constexpr std::size_t escape = 3;  // "%20"
    std::string text;
    for (std::size_t at = 0; at < path.size(); ++at) {
        if (path[at] != '%') {
            text += path[at];
            continue;
        }
        const std::string_view digits = path.substr(at + 1, escape - 1);
        const auto byte = digits.size() == 2 ? whole_number<std::uint8_t>(digits, 16) : std::nullopt;
        if (!byte || *byte == 0) {
            return std::nullopt;
        }
        text += static_cast<char>(*byte);
        at += escape - 1;
    }
    return text;
}

}  // namespace

std::optional<std::string> name_in_folder(std::string_view target) {
    target = target.substr(0, target.find_first_of("?#"));
    if (!target.starts_with('/') || target.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    target.remove_prefix(std::min(target.find_first_not_of('/'), target.size()));
    return unescaped(target);
}

Slice slice_of(std::string_view range, std::uint64_t size) {
    const Slice whole{0, size, false, true};
    constexpr std::string_view unit = "bytes=";
    if (!range.starts_with(unit)) {
        return whole;
    }
    range.remove_prefix(unit.size());
    const std::size_t dash = range.find('-');
    if (dash == std::string_view::npos) {
        return whole;
    }
    const auto first = whole_number<std::uint64_t>(range.substr(0, dash), 10);
    const auto last = whole_number<std::uint64_t>(range.substr(dash + 1), 10);
    const bool open_end = dash + 1 == range.size();
    if (!first && dash == 0 && last) {  // the last so many bytes
        const std::uint64_t count = std::min(*last, size);
        return {size - count, count, true, count > 0};
    }
    if (!first || (!last && !open_end) || (last && *last < *first)) {
        return whole;
    }
    if (*first >= size) {
        return {0, 0, true, false};
    }
    const std::uint64_t end = last ? std::min(*last, size - 1) : size - 1;
    return {*first, end - *first + 1, true, true};
}

}  // namespace vml::serve
