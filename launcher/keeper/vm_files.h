// The files that vm-launch still needs while a VM runs, though the VM's user may not touch them: reports, the
// folder that the guest boots from, the data folder. Each is a descriptor that was opened before.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "control/address.h"
#include "launcher/handles/handles.h"
#include "launcher/start/report_file.h"
#include "launcher/vm/confinement.h"
#include "netserve/folder.h"

namespace vml {

struct OpenFiles {
    std::vector<ReportFile> reports;
    serve::Content served;  // what the guest boots from
    OwnedFd state_folder;   // none: nothing is kept
};

// Of a report that grows while the VM runs.
struct BegunReport {
    OwnedFd fd{};   // to write to
    int error = 0;  // errno of why it cannot be; 0: it was begun
};

class VmFiles {
  public:
    VmFiles() = default;
    virtual ~VmFiles() = default;
    VmFiles(const VmFiles&) = delete;
    VmFiles& operator=(const VmFiles&) = delete;
    VmFiles(VmFiles&&) = delete;
    VmFiles& operator=(VmFiles&&) = delete;

    // For reading; see serve::open_beneath.
    [[nodiscard]] virtual serve::FoundFile open_served(const std::string& name) = 0;
    // The report is written from now on, and has what came so when it is whole; once.
    [[nodiscard]] virtual BegunReport begin_report(std::size_t number) = 0;
    // The report, or the rest of one that was begun: it appears under its name now. 0, or the errno of why it
    // could not.
    [[nodiscard]] virtual int write_report(std::size_t number, std::string_view text) = 0;
    // The same of the mark that the first boot is over.
    [[nodiscard]] virtual int mark_first_boot() = 0;

    // What this process must still reach by name for all that, and to take away its control socket at the
    // end.
    [[nodiscard]] virtual std::vector<Reach> reach() const = 0;
};

// Does it itself.
class OwnVmFiles : public VmFiles {
  public:
    // `folders`: where its VM's control socket and locks may lie.
    OwnVmFiles(OpenFiles files, std::vector<control::Folder> folders)
        : files_{std::move(files)}, folders_{std::move(folders)} {}

    [[nodiscard]] serve::FoundFile open_served(const std::string& name) override;
    [[nodiscard]] BegunReport begin_report(std::size_t number) override;
    [[nodiscard]] int write_report(std::size_t number, std::string_view text) override;
    [[nodiscard]] int mark_first_boot() override;
    [[nodiscard]] std::vector<Reach> reach() const override;

  private:
    OpenFiles files_;
    std::map<std::size_t, GrowingReport> begun_;  // by number; what is not finished goes with it
    std::vector<control::Folder> folders_;
};

}  // namespace vml
