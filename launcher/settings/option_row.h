// One setting is one row: its names, its default, what it does, and the member that it sets. The member's
// type says how its text is read, which words it takes, and whether it is a boolean.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "launcher/settings/settings.h"
#include "launcher/settings/values.h"

namespace vml {

enum class OptionGroup { boot, network, machine, disks, running };

inline constexpr std::string_view negating = "no-";

// What users see of a setting.
struct OptionWords {
    std::string_view flag;         // without dashes; also the key in a configuration file
    std::string_view environment;  // the variable's name
    std::string_view metavar;      // empty: a boolean, which also has --no-FLAG
    std::string_view fallback;     // the default, in words
    std::string help;              // one sentence, no full stop; "{}" stands for the words that it takes
    std::string_view also = {};    // a second variable that users of Docker-VM-Runner know
};

struct OptionRow : OptionWords {
    // Sets the value from its text; throws ValueError.
    void (*assign)(Settings& settings, std::string_view text) = nullptr;
    std::vector<std::string> choices = {};  // all that it takes, where these are words
    bool repeated = false;                  // each time adds one more
    bool adds_up = false;                   // a list that goes on where its flag is given again
    bool has_lines = false;                 // line ends and blanks at the ends mean something
    OptionGroup group = OptionGroup::boot;

    [[nodiscard]] bool is_boolean() const { return metavar.empty(); }
    // --no-FLAG switches a boolean off; "no-console" is a name of its own.
    [[nodiscard]] bool has_negation() const { return is_boolean() && !flag.starts_with(negating); }
    [[nodiscard]] std::string negation() const { return std::string{negating} + std::string{flag}; }
};

namespace option_detail {

template <typename Class, typename Value>
Value type_of(Value Class::*);

template <typename Value>
struct Word {
    using Type = Value;
    static constexpr std::string_view conjunction = "or";
};
template <typename Value>
struct Word<std::optional<Value>> : Word<Value> {};
template <typename Value>
struct Word<std::vector<Value>> {
    using Type = Value;
    static constexpr std::string_view conjunction = "and";
};

template <auto member, auto parse, typename Object>
void assign(Object& object, std::string_view text) {
    if constexpr (std::is_null_pointer_v<decltype(parse)>) {
        object.*member = parse_value<decltype(type_of(member))>(text);
    } else {
        object.*member = parse(text);
    }
}

// "nat (QEMU's user-mode network), bridge (…) or direct (…)".
template <typename Value>
std::string choice_list(std::string_view conjunction) {
    std::vector<std::string> names;
    for (const Choice<Value>& choice : choices<Value>) {
        if (!choice.hidden) {
            names.push_back(std::string{choice.name} +
                            (choice.note.empty() ? "" : " (" + std::string{choice.note} + ")"));
        }
    }
    return listed(names, conjunction);
}

inline std::string with_list(std::string help, std::string_view list) {
    constexpr std::string_view place = "{}";
    const std::size_t at = help.find(place);
    return at == std::string::npos ? help : help.replace(at, place.size(), list);
}

template <auto member>
OptionRow row(OptionWords words, void (*assign)(Settings&, std::string_view)) {
    using Words = Word<decltype(type_of(member))>;
    using Value = typename Words::Type;
    OptionRow row{std::move(words), assign};
    if constexpr (has_choices<Value> && !std::is_same_v<Value, bool>) {
        row.choices = choice_names<Value>();
        row.help = with_list(row.help, choice_list<Value>(Words::conjunction));
    }
    return row;
}

}  // namespace option_detail

// A setting with a member of its own. Without `parse` its type says how it is read.
template <auto member, auto parse = nullptr>
OptionRow option(OptionWords words) {
    return option_detail::row<member>(std::move(words), option_detail::assign<member, parse, Settings>);
}

// A setting that may be given several times: each adds to the vector.
template <auto member, auto parse>
OptionRow repeated_option(OptionWords words) {
    OptionRow row{std::move(words), [](Settings& settings, std::string_view text) {
                      (settings.*member).emplace_back(parse(text));
                  }};
    row.repeated = true;
    return row;
}

// With a value in which line ends and blanks at the ends mean something.
[[nodiscard]] inline OptionRow with_lines(OptionRow row) {
    row.has_lines = true;
    return row;
}

// A comma list whose flag may be given again for more.
[[nodiscard]] inline OptionRow adding_up(OptionRow row) {
    row.adds_up = true;
    row.help += "; may be given again for more";
    return row;
}

// The words of a setting that is kept as text.
template <typename Value>
[[nodiscard]] OptionRow with_words(OptionRow row) {
    row.choices = choice_names<Value>();
    return row;
}

}  // namespace vml
