// The files of --report, from the start of a run to its end. Makes system calls.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "launcher/handles/handles.h"

namespace vml {

// What stands in the way of a report is told before anything runs, and a report of an earlier run is taken
// away: it would be taken for this run's. `origin` is the setting that names them. Throws Error.
[[nodiscard]] std::vector<ReportFile> open_reports(const std::vector<std::filesystem::path>& paths,
                                                   std::string_view origin);

// The report appears under its name once it is whole. 0, or the errno of why it could not.
[[nodiscard]] int write_report(const ReportFile& file, std::string_view text);

}  // namespace vml
