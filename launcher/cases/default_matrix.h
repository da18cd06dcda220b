// What `--matrix default` tries: every way by which machines boot from a network, on each architecture and
// NIC model, and with both ways of naming the file. One row a fact. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/cases/case.h"

namespace vml::cases {

inline constexpr std::string_view default_word = "default";

// The axes of the default matrix that are no setting: each value of theirs stands for several.
inline constexpr std::string_view way_axis = "boot";     // by what the machine boots
inline constexpr std::string_view offer_axis = "offer";  // how the network names the file

struct Assignment {
    std::string flag;  // of a setting
    std::string text;

    bool operator==(const Assignment&) const = default;
};

// A value of such an axis.
struct Bundle {
    std::string_view name;
    std::string_view meaning;
    std::vector<Assignment> settings;
    // What shows that it was this one which booted, beside what the case expects.
    std::optional<Way> way{};
    std::optional<NamedBy> named_by{};
};

// The values of this axis, in the order in which they are tried; none: it is a setting.
[[nodiscard]] const std::vector<Bundle>* bundles_of(std::string_view axis);

// What this value of an axis sets.
[[nodiscard]] std::vector<Assignment> assignments_of(const std::string& axis, const std::string& value);

// Every setting that some value of this axis sets.
[[nodiscard]] std::vector<std::string> flags_set_by(const Axis& axis);

// Adds what is expected of a boot because this value was asked for.
void expect_of(const std::string& axis, const std::string& value, Expectation& expect);

// Two values that do not go together: what is known of the programs that would boot, with vm-launch's answers
// on an isolated segment and the distribution's ROMs. Who names the value of the other axis means it, and has
// it tried.
struct Gap {
    std::string_view way;
    std::string_view axis;  // another one
    std::string_view value;
    std::string_view why;
    bool misleads = false;  // another way would boot in its place: not to be tried even by name
};
[[nodiscard]] const std::vector<Gap>& known_gaps();

// All of it, the last axis changing first.
[[nodiscard]] std::vector<Axis> default_axes();

// The default matrix, of which each axis of `narrower` that it has too is that one; the others come behind.
[[nodiscard]] std::vector<Axis> narrowed_default(std::vector<Axis> narrower);

}  // namespace vml::cases
