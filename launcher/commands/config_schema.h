// The JSON schema (draft 2020-12) of what --config reads, made from the table of settings: for editors, and
// for whoever checks a file before vm-launch does. It takes no file that vm-launch refuses for its form; what
// a text must look like in itself (an address, a size) vm-launch alone knows. Pure.
#pragma once

#include <string>

namespace vml {

[[nodiscard]] std::string config_schema();

}  // namespace vml
