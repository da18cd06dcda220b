// The words for an enum's values: one table beside the enum, from which they are read, written and listed.
// Pure.
//
//     enum class Colour { red, green };
//     template <>
//     inline constexpr auto choices<Colour> =
//         std::to_array<Choice<Colour>>({{"red", Colour::red}, {"green", Colour::green}});
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace vml {

template <typename Value>
struct Choice {
    std::string_view name;
    Value value;
    std::string_view note = {};  // what it means, where lists say so
    bool hidden = false;         // understood, but left out of lists: another name, say
};

// An enum without words has none.
template <typename Value>
inline constexpr std::array<Choice<Value>, 0> choices{};

template <typename Value>
inline constexpr bool has_choices = !choices<Value>.empty();

// By its exact name.
template <typename Value>
[[nodiscard]] constexpr std::optional<Value> choice_named(std::string_view name) {
    for (const Choice<Value>& choice : choices<Value>) {
        if (choice.name == name) {
            return choice.value;
        }
    }
    return std::nullopt;
}

template <typename Value>
requires(has_choices<Value>) [[nodiscard]] constexpr std::string_view to_string(Value value) {
    for (const Choice<Value>& choice : choices<Value>) {
        if (choice.value == value) {
            return choice.name;
        }
    }
    return "";
}

}  // namespace vml
