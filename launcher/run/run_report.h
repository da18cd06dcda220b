// The end of a run in the files of --report. Makes system calls.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/log.h"
#include "bootwatch/report.h"
#include "launcher/keeper/vm_files.h"

namespace vml {

// Now, as a report has it: UTC, ISO 8601.
[[nodiscard]] std::string utc_now();

// The exit code of the run, which is the head's, or ExitCode::report: a run that went well, and a file that
// could not be written. That is reported, and keeps no other from being written.
[[nodiscard]] int write_reports(const std::vector<std::filesystem::path>& paths, VmFiles& files,
                                const boot::ReportHead& head, const std::vector<boot::Boot>& boots, Log& log);

}  // namespace vml
