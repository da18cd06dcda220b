#include "launcher/run/run_report.h"

#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace vml {

namespace {

std::string report_text(const std::filesystem::path& path, const boot::ReportHead& head,
                        const std::vector<boot::Boot>& boots) {
    if (path.extension() == ".html") {
        return boot::report_as_html(head, boots);
    }
    return boot::report_as_json(head, boots)
               .dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
           "\n";
}

// What is told to do next, as the log tells it.
boot::ReportHead worded_head(boot::ReportHead head, const Log& log) {
    if (head.fault) {
        head.fault->hint = log.worded(head.fault->hint);
    }
    for (std::string& hint : head.hints) {
        hint = log.worded(hint);
    }
    return head;
}

}  // namespace

std::string utc_now() {
    const std::time_t seconds = std::time(nullptr);
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(seconds));
}

int write_reports(const std::vector<std::filesystem::path>& paths, VmFiles& files,
                  const boot::ReportHead& head, const std::vector<boot::Boot>& boots, Log& log) {
    const boot::ReportHead worded = worded_head(head, log);
    int exit_code = head.exit_code;
    for (std::size_t number = 0; number < paths.size(); ++number) {
        const int error = files.write_report(number, report_text(paths[number], worded, boots));
        if (error != 0) {
            log.fault({fmt::format("cannot write the report {}", paths[number].string()), errno_text(error),
                       "", ExitCode::report});
            exit_code = exit_code == 0 ? static_cast<int>(ExitCode::report) : exit_code;
        }
    }
    return exit_code;
}

}  // namespace vml
