// The subcommands. Each is a list of phases; errors come out as Error.
#pragma once

#include "base/log.h"
#include "launcher/settings/settings_reader.h"

namespace vml {

// Carries out what was read and gives the process's exit code. Warnings go to `log`, results to standard
// output.
[[nodiscard]] int run_command(const ReadResult& read, const Environment& environment, Log& log);

// Are vm-launch's own lines, on standard error, in colour?
[[nodiscard]] bool is_in_colour(ColourChoice choice, const Environment& environment);

// The text of a small file such as a configuration; throws Error (ExitCode::settings).
[[nodiscard]] std::string read_text_file(const std::string& path);

}  // namespace vml
