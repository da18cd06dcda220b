#include "launcher/settings/values.h"

#include <cctype>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "launcher/settings/suggest.h"

namespace vml {

namespace {

std::uint64_t any_number(std::string_view text, std::string_view hint) {
    const auto value = whole_number<std::uint64_t>(trimmed(text));
    if (!value) {
        throw ValueError{fmt::format("'{}' is not a number that fits", text), std::string{hint}};
    }
    return *value;
}

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

std::string hint_for_choice(std::string_view word, const std::vector<std::string>& names) {
    const std::string possible = fmt::format("possible: {}", fmt::join(names, ", "));
    const std::optional<std::string> guess = nearest(word, names);
    return guess ? fmt::format("did you mean '{}'? {}", *guess, possible) : possible;
}

ValueError not_one_of(std::string_view text, const std::vector<std::string>& names) {
    return {fmt::format("'{}' is not one of them", text), hint_for_choice(lower(trimmed(text)), names)};
}

std::uint64_t parse_number(std::string_view text, std::uint64_t low, std::uint64_t high,
                           std::string_view hint) {
    const std::string range = fmt::format("use {} to {}", low, high);
    const std::uint64_t value = any_number(text, hint.empty() ? range : hint);
    if (value < low || value > high) {
        throw ValueError{fmt::format("{} is out of range", value), range};
    }
    return value;
}

std::uint64_t parse_size(std::string_view text, int default_shift, std::string_view hint) {
    std::string_view digits = trimmed(text);
    if (digits.ends_with('B') || digits.ends_with('b')) {
        digits.remove_suffix(1);
        if (digits.ends_with('i')) {
            digits.remove_suffix(1);
        }
    }
    int shift = default_shift;
    if (!digits.empty() && unit_shift(digits.back()) != 0) {
        shift = unit_shift(digits.back());
        digits.remove_suffix(1);
    }
    const std::uint64_t value = any_number(digits, hint);
    if (value > (std::numeric_limits<std::uint64_t>::max() >> shift)) {
        throw ValueError{fmt::format("'{}' is too large", text), std::string{hint}};
    }
    return value << shift;
}

std::chrono::seconds parse_seconds(std::string_view text) {
    constexpr std::uint64_t week = std::uint64_t{7} * 24 * 3600;
    std::string_view digits = trimmed(text);
    digits.remove_suffix(digits.ends_with('s') ? 1 : 0);
    return std::chrono::seconds{parse_number(digits, 0, week, "whole seconds")};
}

std::string parse_text(std::string_view text) {
    if (trimmed(text).empty()) {
        throw ValueError{"the value is empty", "give a value or leave the setting out"};
    }
    if (text.find('\0') != std::string_view::npos) {
        throw ValueError{"the value holds a NUL byte", "give a value without it"};
    }
    return std::string{text};
}

std::pair<std::string, std::string> parse_pair(std::string_view text, std::string_view shape,
                                               std::string_view example) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) {
        throw ValueError{fmt::format("'{}' is no {}", text, shape), fmt::format("for example {}", example)};
    }
    return {std::string{trimmed(text.substr(0, equals))}, std::string{text.substr(equals + 1)}};
}

}  // namespace vml
