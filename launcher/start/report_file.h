// Writes a report into the file that was opened for it. Makes system calls.
#pragma once

#include <string_view>

#include "launcher/handles/handles.h"

namespace vml {

// The whole of the file is `text` then. Throws Error.
void write_report(const ReportFile& file, std::string_view text);

}  // namespace vml
