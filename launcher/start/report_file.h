// The files of --report, from the start of a run to its end. Makes system calls.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "launcher/handles/handles.h"
#include "launcher/start/new_file.h"

namespace vml {

// What stands in the way of a report is told before anything runs, and a report of an earlier run is taken
// away: it would be taken for this run's. `origin` is the setting that names them. Throws Error.
[[nodiscard]] std::vector<ReportFile> open_reports(const std::vector<std::filesystem::path>& paths,
                                                   std::string_view origin);

// Whether they can still be written, for who has given up rights since they were opened. Throws Error.
void check_reports(const std::vector<ReportFile>& files, std::string_view origin);

// The file of --console-log, by the same rules: it is made anew, an earlier one of its name is taken away,
// and no link that somebody planted meanwhile is followed. A pipe or a device does not block. Throws Error.
[[nodiscard]] OwnedFd open_console_log(const std::filesystem::path& path, std::string_view origin);

// A report that is written while the VM runs: beside its name, or, of a pipe or a device, in memory. Until it
// is finished, nothing of it outlives the object.
class GrowingReport {
  public:
    // `file` must outlive it. Throws std::system_error.
    explicit GrowingReport(const ReportFile& file);

    // To write to; what is written at one's own offsets is as good.
    [[nodiscard]] int fd() const { return new_ ? new_->fd() : memory_.get(); }
    // Adds the rest, and has the report appear. Throws std::system_error.
    void finish(std::string_view rest);

  private:
    const ReportFile& file_;
    std::optional<NewFile> new_;
    OwnedFd memory_;
};

// The report appears under its name once it is whole. 0, or the errno of why it could not.
[[nodiscard]] int write_report(const ReportFile& file, std::string_view text);

}  // namespace vml
