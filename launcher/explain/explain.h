// vm-launch explain: a capture, made by anything of any machine, → each boot's stages and verdict.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "base/mac.h"
#include "capture/explanation.h"
#include "launcher/handles/handles.h"
#include "launcher/settings/settings_reader.h"

namespace vml {

// Prints them and writes what --report names. Gives the exit code: the machine's last boot's, or the first
// one's that failed of several. Throws Error.
[[nodiscard]] int explain_capture(const ReadResult& read);

// What others have of it that tell of machines. `who` is the subcommand.

// The machine of --mac.
[[nodiscard]] std::optional<Mac> wanted_mac(const ReadResult& read);
// Throws Error where a report's name is that of packets.
void refuse_packets(const std::vector<std::filesystem::path>& reports, std::string_view who);
// As JSON, or as a page, by each name's end. Throws Error.
void write_explanation(const std::vector<ReportFile>& files, const capture::Explanation& explanation);

}  // namespace vml
