// What `vm-launch test` writes of its results, and where. Makes system calls.
#pragma once

#include <filesystem>
#include <vector>

#include "base/error.h"
#include "launcher/cases/result.h"
#include "launcher/settings/settings_reader.h"
#include "launcher/testing/report_folder.h"

namespace vml {

// The one name of a file that may have several.
[[nodiscard]] std::filesystem::path real_path(const std::filesystem::path& path);

[[nodiscard]] bool takes_standard_output(const ReadResult& read);

// What results are written into is none of the files that the test reads, nor another result's. Throws Error.
void check_outputs_of_test(const ReadResult& read);

// Once it is sure that the VMs are run: earlier results are gone from here on. Throws Error.
void claim_result_files(const TestFlags& flags);

// All that can be written is; what was in the way of the rest.
[[nodiscard]] std::vector<Fault> tell_results(const ReadResult& read, const ReportFolder& folder,
                                              const std::vector<cases::Result>& results);

}  // namespace vml
