// The subcommands that start nothing: they look at the host, the settings or a file, and print what they
// find.
#pragma once

#include "base/log.h"
#include "launcher/settings/settings_reader.h"

namespace vml {

[[nodiscard]] int print_plan(const ReadResult& read, const Environment& environment);
// What takes long is told in `log`.
[[nodiscard]] int print_doctor(const ReadResult& read, const Environment& environment, Log& log);
[[nodiscard]] int print_roms(const CommandLine& command);

}  // namespace vml
