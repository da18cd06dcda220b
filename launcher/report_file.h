// A report's file, open from the start: what stands in its way is told before anything runs.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/fd.h"

namespace vml {

struct ReportFile {
    std::filesystem::path path;
    OwnedFd fd;
};

// The whole of the file is `text` then. Throws Error.
void write_report(const ReportFile& file, std::string_view text);

}  // namespace vml
