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

}  // namespace

std::string utc_now() {
    const std::time_t seconds = std::time(nullptr);
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(seconds));
}

int write_reports(const std::vector<ReportFile>& files, const boot::ReportHead& head,
                  const std::vector<boot::Boot>& boots, Log& log) {
    int exit_code = head.exit_code;
    for (const ReportFile& file : files) {
        try {
            write_report(file, report_text(file, head, boots));
        } catch (const Error& error) {
            log.fault(error.faults().front());
            exit_code = exit_code == 0 ? static_cast<int>(ExitCode::report) : exit_code;
        }
    }
    return exit_code;
}

}  // namespace vml
