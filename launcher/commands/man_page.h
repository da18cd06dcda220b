// The man page, made from the tables of settings, subcommands, stages and exit codes. Pure.
#pragma once

#include <string>

namespace vml {

// roff with man(7) macros, for section 1.
[[nodiscard]] std::string man_page();

}  // namespace vml
