// The text of one setting → its value, for the kinds of value that many settings have. Pure. Each function
// throws ValueError when the text cannot be right.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/choice.h"
#include "base/text.h"
#include "launcher/settings/settings.h"

namespace vml {

// Why a value is refused, and what would be right. The reader adds where the value came from.
class ValueError : public std::runtime_error {
  public:
    ValueError(const std::string& why, std::string hint) : std::runtime_error{why}, hint_{std::move(hint)} {}
    [[nodiscard]] const std::string& hint() const noexcept { return hint_; }

  private:
    std::string hint_;
};

template <>
inline constexpr auto choices<bool> = std::to_array<Choice<bool>>({{"on", true},
                                                                   {"off", false},
                                                                   {"1", true, "", true},
                                                                   {"0", false, "", true},
                                                                   {"true", true, "", true},
                                                                   {"false", false, "", true},
                                                                   {"yes", true, "", true},
                                                                   {"no", false, "", true}});

template <typename Value>
[[nodiscard]] std::vector<std::string> choice_names() {
    std::vector<std::string> names;
    for (const Choice<Value>& choice : choices<Value>) {
        if (!choice.hidden) {
            names.emplace_back(choice.name);
        }
    }
    return names;
}

// Taken too, and told to nobody.
template <typename Value>
[[nodiscard]] std::vector<std::string> hidden_names() {
    std::vector<std::string> names;
    for (const Choice<Value>& choice : choices<Value>) {
        if (choice.hidden) {
            names.emplace_back(choice.name);
        }
    }
    return names;
}

// "invalid value 'foo' (expected …)".
[[nodiscard]] ValueError invalid_value(std::string_view text, std::string_view expected,
                                       std::string hint = {});
// A word that is none of these, with the one that was probably meant.
[[nodiscard]] ValueError not_one_of(std::string_view text, const std::vector<std::string>& names);
// A key that is none of these: "unknown NIC key 'mose'".
[[nodiscard]] ValueError unknown_key(std::string_view kind, std::string_view key,
                                     const std::vector<std::string>& names);
// What is given more than once.
[[nodiscard]] ValueError repeated(std::string_view what);

// In upper or lower case.
template <typename Value>
requires(has_choices<Value>) [[nodiscard]] Value parse_choice(std::string_view text) {
    if (const std::optional<Value> value = choice_named<Value>(lower(trimmed(text)))) {
        return *value;
    }
    throw not_one_of(text, choice_names<Value>());
}

// The word itself.
template <typename Value>
requires(has_choices<Value>) [[nodiscard]] std::string parse_choice_name(std::string_view text) {
    return std::string{to_string(parse_choice<Value>(text))};
}

// "network,hd,cdrom" in any order, each at most once, at least one.
template <typename Value>
requires(has_choices<Value>) [[nodiscard]] std::vector<Value> parse_choices(std::string_view text) {
    std::vector<Value> values;
    for (const std::string& part : split_list(text)) {
        const auto value = parse_choice<Value>(part);
        if (std::find(values.begin(), values.end(), value) != values.end()) {
            throw repeated(part);
        }
        values.push_back(value);
    }
    if (values.empty()) {
        throw invalid_value(text, "a comma list of " + listed(choice_names<Value>(), "and"));
    }
    return values;
}

template <typename Value>
requires(has_choices<Value>) [[nodiscard]] std::string to_string(const std::vector<Value>& values) {
    std::string text;
    for (const Value value : values) {
        text += (text.empty() ? "" : ",") + std::string{to_string(value)};
    }
    return text;
}

// A whole number in [low, high]. `expected` is told where the text is no number; else, and by default, the
// range.
[[nodiscard]] std::uint64_t parse_number(std::string_view text, std::uint64_t low, std::uint64_t high,
                                         std::string_view expected = {});

template <std::unsigned_integral Number, std::uint64_t low, std::uint64_t high>
[[nodiscard]] Number number(std::string_view text) {
    return static_cast<Number>(parse_number(text, low, high));
}

// What a size may be, in bytes and in words.
struct SizeRange {
    int unit_shift;  // a number without a unit counts in units of 2^unit_shift bytes
    std::uint64_t low;
    std::uint64_t high;
    std::string_view shape;  // "a size with M, G or T"
    std::string_view range;  // "16M to 16T"
};
// Bytes, as a number with K, M, G or T. "4G", "4GB", "4GiB" and Kubernetes' "4Gi" are the same.
[[nodiscard]] std::uint64_t parse_size(std::string_view text, const SizeRange& range);
// "8" or "8s", up to a week.
[[nodiscard]] std::chrono::seconds parse_seconds(std::string_view text);
// Any text but an empty one.
[[nodiscard]] std::string parse_text(std::string_view text);

// "KEY=VALUE" → its two sides.
[[nodiscard]] std::pair<std::string, std::string> parse_pair(std::string_view text, std::string_view shape,
                                                             std::string_view example);

template <typename Value>
struct Reads {
    static Value text(std::string_view text) { return parse_choice<Value>(text); }
};
template <>
struct Reads<std::string> {
    static std::string text(std::string_view text) { return parse_text(text); }
};
template <>
struct Reads<std::filesystem::path> {
    static std::filesystem::path text(std::string_view text) { return parse_text(text); }
};
template <>
struct Reads<std::chrono::seconds> {
    static std::chrono::seconds text(std::string_view text) { return parse_seconds(text); }
};
template <typename Value>
struct Reads<std::optional<Value>> : Reads<Value> {};
template <typename Value>
struct Reads<std::vector<Value>> {
    static std::vector<Value> text(std::string_view text) { return parse_choices<Value>(text); }
};

// By the value's type alone.
template <typename Value>
[[nodiscard]] auto parse_value(std::string_view text) {
    return Reads<Value>::text(text);
}

}  // namespace vml
