// What Docker-VM-Runner reads from the environment and vm-launch does not: for each variable what serves
// instead. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vml {

struct ForeignVariable {
    std::string_view name;     // without the number of those that there are several of
    std::string_view asks_no;  // the values, comma-separated, that ask for what is the case here anyway
    std::string_view answer;   // why it has no effect, and what to use
};
[[nodiscard]] const std::vector<ForeignVariable>& foreign_variables();

// The warning that a variable deserves; none where it is not one of those, or asks for nothing.
[[nodiscard]] std::optional<std::string> foreign_answer(std::string_view name, std::string_view value);

// Everybody who logs in has this one: it is Docker-VM-Runner's only where nobody did.
inline constexpr std::string_view login_shell = "SHELL";

// What does the work of a flag of Docker-VM-Runner's; none where it has no such flag.
[[nodiscard]] std::optional<std::string> foreign_flag_answer(std::string_view flag);

// "NETWORK2_MODE" → "NETWORK_MODE".
[[nodiscard]] std::string without_number(std::string name);

}  // namespace vml
