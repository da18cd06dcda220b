// A process of root's that keeps the files of a VM while its vm-launch is no longer root: all that it does is
// what VmFiles has, in folders that were opened before, and to take away at the end what a non-root vm-launch
// cannot, also of one that was killed. It sees nothing of the guest, of its network or of the control socket.
// Makes system calls.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/fd.h"
#include "control/address.h"
#include "launcher/keeper/vm_files.h"
#include "launcher/start/own_user.h"

namespace vml {

// What is to go when the VM's vm-launch has ended.
struct Leavings {
    std::vector<control::Folder> folders;  // where its sockets and locks may lie
    std::optional<SystemdLock> systemd;    // on the VM's user
};

class FileKeeper : public VmFiles {
  public:
    // Begins the process, whose parent is this one. Throws Error.
    FileKeeper(OpenFiles files, Leavings leavings);
    // Lets it end, and waits for that: whatever is to be taken away must have been closed.
    ~FileKeeper() override;
    FileKeeper(const FileKeeper&) = delete;
    FileKeeper& operator=(const FileKeeper&) = delete;
    FileKeeper(FileKeeper&&) = delete;
    FileKeeper& operator=(FileKeeper&&) = delete;

    [[nodiscard]] serve::FoundFile open_served(const std::string& name) override;
    [[nodiscard]] BegunReport begin_report(std::size_t number) override;
    [[nodiscard]] int write_report(std::size_t number, std::string_view text) override;
    [[nodiscard]] int mark_first_boot() override;
    [[nodiscard]] std::vector<Reach> reach() const override { return {}; }

  private:
    OwnedFd socket_;
    pid_t pid_ = -1;
};

// The files of a VM: kept by a process of their own where this one `becomes` another user, else by itself.
// The control socket and locks may lie where control::folders_of(runtime_dir) has them. Throws Error.
[[nodiscard]] std::unique_ptr<VmFiles> vm_files(OpenFiles open, bool becomes, const std::string& runtime_dir,
                                                std::optional<SystemdLock> systemd);

}  // namespace vml
