#include "launcher/run/run_report.h"

#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "launcher/start/report_file.h"

namespace vml {

namespace {

std::string report_text(const ReportFile& file, const boot::ReportHead& head,
                        const std::vector<boot::Boot>& boots) {
    if (file.path.extension() == ".html") {
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

int write_reports(const std::vector<ReportFile>& files, const boot::ReportHead& head,
                  const std::vector<boot::Boot>& boots, Log& log) {
    const boot::ReportHead worded = worded_head(head, log);
    int exit_code = head.exit_code;
    for (const ReportFile& file : files) {
        try {
            write_report(file, report_text(file, worded, boots));
        } catch (const Error& error) {
            log.fault(error.faults().front());
            exit_code = exit_code == 0 ? static_cast<int>(ExitCode::report) : exit_code;
        }
    }
    return exit_code;
}

}  // namespace vml
