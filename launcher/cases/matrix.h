// --matrix: which settings are to be tried with which values. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "launcher/cases/case.h"

namespace vml::cases {

// More VMs than that are a mistake.
inline constexpr std::size_t most_cells = 1000;

// Adds an axis, or says what is wrong with it; `origin` is who asks for it: "--matrix". A boolean's values
// are on and off. The test's own are no axis: the VM's name, its report and its events; nor is a secret,
// which would stand in every result.
void add_axis(std::string_view flag, std::vector<std::string> values, const std::string& origin,
              std::vector<Axis>& axes, std::vector<Fault>& faults);

// Of the command line, each like "firmware=legacy,uefi"; "default" is the default matrix, which the others
// narrow (default_matrix.h).
[[nodiscard]] std::vector<Axis> axes_of_words(const std::vector<std::string>& words,
                                              std::vector<Fault>& faults);

// Is it set by the test itself?
[[nodiscard]] bool is_tests_own(std::string_view flag);

// One value of each axis, the last axis changing first. None: they are more than `most`.
using Combination = std::vector<std::string>;
[[nodiscard]] std::optional<std::vector<Combination>> combinations(const std::vector<Axis>& axes,
                                                                   std::size_t most);

// "firmware=legacy nic-model=e1000"
[[nodiscard]] std::string name_of(const std::vector<Axis>& axes, const Combination& combination);

}  // namespace vml::cases
