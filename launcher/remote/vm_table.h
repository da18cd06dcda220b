// `vm-launch ls`: the VMs that run, one a line.
#pragma once

#include <string>
#include <vector>

#include "launcher/remote/control_verbs.h"
#include "launcher/remote/status.h"

namespace vml {

// Columns as wide as what stands in them; "-" where a VM does not tell. Pure.
[[nodiscard]] std::string vms_as_table(const std::vector<RunningStatus>& vms);
// "45 s", "12 min", "3 h 20 min", "2 d 4 h".
[[nodiscard]] std::string time_in_words(double seconds);

// Prints it, also where none runs. `runtime_dir`: $XDG_RUNTIME_DIR.
[[nodiscard]] int list_vms(const ReadResult& read, std::string_view runtime_dir);

}  // namespace vml
