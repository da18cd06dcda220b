// One setting is one row: its names, its default, what it does, and the member that it sets. The member's
// type says how its text is read, which words it takes, and whether it is a boolean.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "launcher/settings/settings.h"
#include "launcher/settings/values.h"

namespace vml {

enum class OptionGroup { boot, network, machine, disks, running };

// What a setting's text is, for whoever completes or checks it before vm-launch reads it.
enum class ValueKind {
    text,
    boolean,
    choice,    // one of OptionRow::choices
    choices,   // several of them, with commas between
    number,    // whole, not negative
    duration,  // seconds, as a number or with a unit
    amount,    // a number, a size or a share
    file,
    folder,
    bridge,  // of this host
    link,    // any network interface of this host
};

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
    ValueKind kind = ValueKind::text;
    std::vector<std::string> choices = {};  // all that it takes, where these are words
    // Words that it takes too, and no help names; and words that it takes among other things. Functions, as
    // few runs ask for them.
    std::vector<std::string> (*aliases)() = nullptr;
    std::vector<std::string> (*suggested)() = nullptr;
    bool repeated = false;   // each time adds one more
    bool adds_up = false;    // a list that goes on where its flag is given again
    bool has_lines = false;  // line ends and blanks at the ends mean something
    bool is_secret = false;  // blanks and quotes may belong to it, and no message is to show it
    bool is_list = false;    // of several values, with commas between
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

// By the type alone; what a path or a text stands for is said beside the row.
template <typename Value>
constexpr ValueKind kind_of_type() {
    if constexpr (std::is_same_v<Value, bool>) {
        return ValueKind::boolean;
    } else if constexpr (has_choices<Value>) {
        return ValueKind::choice;
    } else if constexpr (std::is_unsigned_v<Value>) {
        return ValueKind::number;
    } else if constexpr (std::is_same_v<Value, std::chrono::seconds>) {
        return ValueKind::duration;
    } else if constexpr (std::is_same_v<Value, Amount>) {
        return ValueKind::amount;
    } else if constexpr (std::is_same_v<Value, std::filesystem::path>) {
        return ValueKind::file;
    } else {
        return ValueKind::text;
    }
}

template <typename Value>
inline constexpr bool is_vector = false;
template <typename Value>
inline constexpr bool is_vector<std::vector<Value>> = true;
template <typename Value>
inline constexpr bool is_vector<std::optional<Value>> = is_vector<Value>;

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
    constexpr bool list = is_vector<decltype(type_of(member))>;
    OptionRow row{std::move(words), assign};
    row.kind = kind_of_type<Value>();
    row.is_list = list;
    if constexpr (has_choices<Value> && !std::is_same_v<Value, bool>) {
        row.kind = list ? ValueKind::choices : row.kind;
        row.choices = choice_names<Value>();
        row.aliases = hidden_names<Value>;
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
    row.kind = option_detail::kind_of_type<
        typename option_detail::Word<decltype(option_detail::type_of(member))>::Type>();
    return row;
}

[[nodiscard]] inline OptionRow of_kind(ValueKind kind, OptionRow row) {
    row.kind = kind;
    return row;
}

[[nodiscard]] inline OptionRow secret(OptionRow row) {
    row.is_secret = true;
    return row;
}

// With words that it takes among others.
[[nodiscard]] inline OptionRow suggesting(std::vector<std::string> (*words)(), OptionRow row) {
    row.suggested = words;
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
    row.kind = row.is_list ? ValueKind::choices : ValueKind::choice;
    row.choices = choice_names<Value>();
    row.aliases = hidden_names<Value>;
    return row;
}

}  // namespace vml
