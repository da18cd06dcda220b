// The end of a run in the files of --report. Makes system calls.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/log.h"
#include "bootwatch/report.h"
#include "launcher/events/event.h"
#include "launcher/keeper/vm_files.h"
#include "launcher/remote/control_service.h"
#include "launcher/run/run_summary.h"
#include "launcher/run/supervisor_actions.h"
#include "launcher/run/supervisor_state.h"
#include "launcher/watch/frame_record.h"

namespace vml {

// Now, as a report has it: UTC, ISO 8601.
[[nodiscard]] std::string utc_now();

// How `end`, to which `state` led, is to be judged.
[[nodiscard]] HowItEnded how_it_ended(const supervise::Finish& end, const supervise::Config& config,
                                      const supervise::State& state);

// The end of a run in one line; in the log; in a report; as an event.
[[nodiscard]] std::string summary_of(const supervise::Finish& end);
// In JSON it is written whatever the log's level: who reads it waits for it.
void say_end(const supervise::Finish& end, HowItEnded how, const RunSummary& summary, Log& log);
void tell_end(const supervise::Finish& end, boot::ReportHead& head);
[[nodiscard]] events::Event end_event(const supervise::Finish& end, const Log& log);

// How far a run is, in one line.
[[nodiscard]] std::string in_words(const VmSnapshot& now);

// A fault whose hint is as the log tells it.
[[nodiscard]] Fault worded(Fault fault, const Log& log);

// The mark that the first boot is over; what keeps it from being written is told.
void remember_first_boot(VmFiles& files, Log& log);

struct ReportedRun {
    // The head's, or ExitCode::report of a run that went well, and a file that could not be written.
    int exit_code = 0;
    RunSummary summary{};
};

// A file that cannot be written is reported, and keeps no other from being written. `record`: what is left to
// write of the packets, where one of the files has them.
[[nodiscard]] ReportedRun write_reports(const std::vector<std::filesystem::path>& paths, VmFiles& files,
                                        const boot::ReportHead& head, const std::vector<boot::Boot>& boots,
                                        const FrameRecord::Rest& record, Log& log);

}  // namespace vml
