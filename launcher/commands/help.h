// --help, the man page's source and docs/SETTINGS.md, all made from the option table. Pure.
#pragma once

#include <string>

namespace vml {

[[nodiscard]] std::string help_text();
// roff with man(7) macros, for section 1.
[[nodiscard]] std::string man_page();
// Markdown: what docs/SETTINGS.md holds.
[[nodiscard]] std::string settings_page();
[[nodiscard]] std::string version_line();

}  // namespace vml
