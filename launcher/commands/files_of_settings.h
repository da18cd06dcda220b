// The files that a VM's settings name, by what becomes of them. Pure.
#pragma once

#include <vector>

#include "launcher/settings/settings_reader.h"
#include "launcher/start/shared_files.h"
#include "launcher/vm/spec.h"

namespace vml {

// What vm-launch writes for whoever started it: reports, with the names that they have until they are whole,
// events, the console's log.
[[nodiscard]] std::vector<FileOfSetting> files_written(const ReadResult& read);

// What is there before, or belongs to the VM. A URL and a script's own text are among them as they stand.
[[nodiscard]] std::vector<FileOfSetting> files_read(const ReadResult& read, const VmSpec& spec);

}  // namespace vml
