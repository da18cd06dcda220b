// The files that vm-launch still needs while a VM runs, though the VM's user may not touch them: reports, the
// folder that the guest boots from, the data folder. Each is a descriptor that was opened before.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "control/address.h"
#include "launcher/handles/handles.h"
#include "launcher/vm/confinement.h"
#include "netserve/folder.h"

namespace vml {

struct OpenFiles {
    std::vector<ReportFile> reports;
    serve::Content served;  // what the guest boots from
    OwnedFd state_folder;   // none: nothing is kept
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
    // The report appears under its name once it is whole. 0, or the errno of why it could not.
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
    [[nodiscard]] int write_report(std::size_t number, std::string_view text) override;
    [[nodiscard]] int mark_first_boot() override;
    [[nodiscard]] std::vector<Reach> reach() const override;

  private:
    OpenFiles files_;
    std::vector<control::Folder> folders_;
};

}  // namespace vml
