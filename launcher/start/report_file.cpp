#include "launcher/start/report_file.h"

#include <cerrno>

#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"

namespace vml {

void write_report(const ReportFile& file, std::string_view text) {
    bool good = ::ftruncate(file.fd.get(), 0) == 0 || errno == EINVAL;  // a pipe or a device has no length
    while (good && !text.empty()) {
        const ssize_t count = ::write(file.fd.get(), text.data(), text.size());
        good = count >= 0 || errno == EINTR;
        text.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
    }
    if (!good) {
        throw Error{{fmt::format("cannot write the report {}", file.path.string()), errno_text(errno), "",
                     ExitCode::failed}};
    }
}

}  // namespace vml
