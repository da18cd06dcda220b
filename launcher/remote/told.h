// What a VM tells of itself in answer to `status`, which another user's may have made up. Pure.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace vml {

// What of it is not as docs/control.md has it: "\"cpus\" is not a whole number"; empty where all is. What is
// missing is no fault, and neither is what is unknown: the VM's vm-launch may be of another version.
[[nodiscard]] std::string oddity_of(const nlohmann::json& told);

}  // namespace vml
