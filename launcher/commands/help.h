// --help, docs/SETTINGS.md and a table of docs/control.md, all made from the tables of
// settings, subcommands, verbs and exit codes. Pure.
#pragma once

#include <string>

namespace vml {

struct Subcommand;

[[nodiscard]] std::string help_text();
// What `vm-launch SUBCOMMAND --help` prints.
[[nodiscard]] std::string help_on(const Subcommand& subcommand);
// Markdown: what docs/SETTINGS.md holds.
[[nodiscard]] std::string settings_page();
// Markdown: the first table of docs/control.md.
[[nodiscard]] std::string control_page();
[[nodiscard]] std::string own_version();
[[nodiscard]] std::string version_line();

}  // namespace vml
