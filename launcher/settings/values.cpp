#include "launcher/settings/values.h"

#include <cctype>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "launcher/settings/suggest.h"

namespace vml {

namespace {

// The power of two of a size's last letter; 0 when it is no unit.
int unit_shift(char letter) {
    switch (std::toupper(static_cast<unsigned char>(letter))) {
        case 'K':
            return 10;
        case 'M':
            return 20;
        case 'G':
            return 30;
        case 'T':
            return 40;
        default:
            return 0;
    }
}

}  // namespace

ValueError invalid_value(std::string_view text, std::string_view expected, std::string hint) {
    return {fmt::format("invalid value '{}' (expected {})", visible(text), expected), std::move(hint)};
}

ValueError not_one_of(std::string_view text, const std::vector<std::string>& names) {
    const std::optional<std::string> guess = nearest(lower(trimmed(text)), names);
    return invalid_value(text, listed(names), guess ? fmt::format("did you mean {}?", *guess) : "");
}

ValueError unknown_key(std::string_view kind, std::string_view key, const std::vector<std::string>& names) {
    const std::optional<std::string> guess = nearest(key, names);
    return {fmt::format("unknown {} '{}'", kind, visible(key)),
            guess ? fmt::format("did you mean {}?", *guess) : fmt::format("expected {}", listed(names))};
}

ValueError repeated(std::string_view what) {
    return {fmt::format("{} is given twice", what), "give it once"};
}

std::uint64_t parse_number(std::string_view text, std::uint64_t low, std::uint64_t high,
                           std::string_view expected) {
    const std::string range = fmt::format("{} to {}", low, high);
    const auto value = whole_number<std::uint64_t>(trimmed(text));
    if (!value) {
        throw invalid_value(text, expected.empty() ? range : expected);
    }
    if (*value < low || *value > high) {
        throw invalid_value(text, range);
    }
    return *value;
}

std::uint64_t parse_size(std::string_view text, const SizeRange& range) {
    std::string_view digits = trimmed(text);
    digits.remove_suffix(digits.ends_with('B') || digits.ends_with('b') ? 1 : 0);
    digits.remove_suffix(digits.ends_with('i') ? 1 : 0);
    int shift = range.unit_shift;
    if (!digits.empty() && unit_shift(digits.back()) != 0) {
        shift = unit_shift(digits.back());
        digits.remove_suffix(1);
    }
    const auto value = whole_number<std::uint64_t>(trimmed(digits));
    if (!value) {
        throw invalid_value(text, range.shape);
    }
    if (*value > (std::numeric_limits<std::uint64_t>::max() >> shift) || *value << shift < range.low ||
        *value << shift > range.high) {
        throw invalid_value(text, range.range);
    }
    return *value << shift;
}

std::chrono::seconds parse_seconds(std::string_view text) {
    constexpr std::uint64_t week = std::uint64_t{7} * 24 * 3600;
    std::string_view digits = trimmed(text);
    digits.remove_suffix(digits.ends_with('s') ? 1 : 0);
    return std::chrono::seconds{parse_number(digits, 0, week, "whole seconds")};
}

std::string parse_text(std::string_view text) {
    if (trimmed(text).empty()) {
        throw ValueError{"empty value", "give a value or leave the setting out"};
    }
    if (text.find('\0') != std::string_view::npos) {
        throw ValueError{"the value contains a NUL byte", ""};
    }
    return std::string{text};
}

std::pair<std::string, std::string> parse_pair(std::string_view text, std::string_view shape,
                                               std::string_view example) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) {
        throw invalid_value(text, shape, fmt::format("for example {}", example));
    }
    return {std::string{trimmed(text.substr(0, equals))}, std::string{text.substr(equals + 1)}};
}

}  // namespace vml
