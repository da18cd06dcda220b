// The record of a run's packets, in the file of --report that is to have them. Makes system calls.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "launcher/keeper/vm_files.h"
#include "launcher/watch/frame_record.h"

namespace vml {

// None of the reports is such a file: nothing. Throws Error where it cannot be begun. `vm` is the VM's name.
[[nodiscard]] std::optional<FrameRecord::Config> record_for(const std::vector<std::filesystem::path>& reports,
                                                            VmFiles& files, const std::string& vm);

}  // namespace vml
