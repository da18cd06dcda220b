#include "launcher/run/run_report.h"

#include <ctime>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "launcher/settings/run_options.h"

namespace vml {

namespace {

std::string json_report(const boot::ReportHead& head, const std::vector<boot::Boot>& boots) {
    return boot::report_as_json(head, boots)
               .dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
           "\n";
}

// What is told to do next, as the log tells it.
boot::ReportHead worded_head(boot::ReportHead head, const Log& log) {
    if (head.fault) {
        head.fault = worded(*head.fault, log);
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

std::string summary_of(const supervise::Finish& end) {
    return end.fault ? end.fault->what : end.summary;
}

HowItEnded how_it_ended(const supervise::Finish& end, const supervise::Config& config,
                        const supervise::State& state) {
    if (end.fault) {
        return HowItEnded::failed;
    }
    return end.exit_code == 0 && !state.forced && (config.until.empty() || state.until_reached)
               ? HowItEnded::well
               : HowItEnded::stopped;
}

void say_end(const supervise::Finish& end, HowItEnded how, const RunSummary& summary, Log& log) {
    events::Event event = end_event(end, log);
    const std::string_view name = events::name_of(event.kind);
    const nlohmann::ordered_json more = as_json(summary);
    if (end.fault) {
        log.fault(*end.fault, {name, more}, console_below(summary, *end.fault));
    } else {
        event.fields.update(more);
        log.tell(LogLevel::info, end.summary, {name, event.fields});
    }
    if (log.format() == LogFormat::text) {
        for (const std::string& line : lines_of(summary, how)) {
            log.info(line);
        }
    }
}

void tell_end(const supervise::Finish& end, boot::ReportHead& head) {
    head.exit_code = end.exit_code;
    head.summary = summary_of(end);
    head.fault = end.fault;
}

events::Event end_event(const supervise::Finish& end, const Log& log) {
    return events::ends(end.exit_code, summary_of(end),
                        end.fault ? std::optional{worded(*end.fault, log)} : std::nullopt);
}

std::string in_words(const VmSnapshot& now) {
    return fmt::format("{} for {:.0f} s; stage: {}", now.phase, now.uptime,
                       now.stage ? fmt::format("{} ({})", *now.stage, now.stage_detail) : "none yet");
}

Fault worded(Fault fault, const Log& log) {
    fault.hint = log.worded(fault.hint);
    return fault;
}

void remember_first_boot(VmFiles& files, Log& log) {
    if (const int error = files.mark_first_boot(); error != 0) {
        log.warning(fmt::format("it cannot be kept that the first boot is over: {}", errno_text(error)));
    }
}

ReportedRun write_reports(const std::vector<std::filesystem::path>& paths, VmFiles& files,
                          const boot::ReportHead& head, const std::vector<boot::Boot>& boots,
                          const FrameRecord::Rest& record, Log& log) {
    const boot::ReportHead worded = worded_head(head, log);
    const auto written = [&](std::size_t number) {
        const ReportKind kind = kind_of_report(paths[number]).value_or(ReportKind::json);
        if (kind == ReportKind::packets) {
            return record.error != 0 ? record.error : files.write_report(number, record.bytes);
        }
        return files.write_report(number, kind == ReportKind::page ? boot::report_as_html(worded, boots)
                                                                   : json_report(worded, boots));
    };
    int exit_code = head.exit_code;
    std::vector<std::filesystem::path> there;
    for (std::size_t number = 0; number < paths.size(); ++number) {
        const int error = written(number);
        if (error != 0) {
            log.fault({fmt::format("cannot write the report {}", paths[number].string()), errno_text(error),
                       "", ExitCode::report});
            exit_code = exit_code == 0 ? static_cast<int>(ExitCode::report) : exit_code;
        } else {
            there.push_back(paths[number]);
        }
    }
    return {exit_code, summarised(head, boots, std::move(there))};
}

}  // namespace vml
