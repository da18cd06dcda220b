// The step "apply": a plan → a QEMU that is running, paused. Makes system calls.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/fd.h"
#include "launcher/plan.h"
#include "netsetup/executor.h"
#include "netsetup/kernel_executor.h"
#include "netsetup/watch.h"

namespace vml {

// The host's links that were made for a VM, undone in reverse when this goes.
class HostLinks {
  public:
    // Throws Error; then what was done is undone.
    explicit HostLinks(const std::vector<net::Operation>& operations);

    [[nodiscard]] net::KernelExecutor& executor() { return executor_; }
    // Says what could not be undone.
    [[nodiscard]] std::vector<Fault> undo() { return applied_.undo(); }

  private:
    net::KernelExecutor executor_;
    net::AppliedLinks applied_{executor_};
};

// A bridge port of ours on its way to forwarding.
struct PortWatch {
    PortWait wait;
    std::string link;
    net::LinkWatcher watcher;
};

// QEMU and vm-launch's ends of what leads to it.
struct RunningVm {
    pid_t pid = -1;                       // the event loop reaps it
    std::unique_ptr<HostLinks> links;     // undone when this goes; none: there are no links of the host's
    std::vector<PortWatch> port_watches;  // the guest is not to run before these ports forward
    OwnedFd qmp;
    OwnedFd console;
    OwnedFd output;  // read end of QEMU's standard output and error
};

// Opens what the plan's descriptors stand for and starts QEMU. Nothing has a name in the file system, so that
// nothing is left behind whatever happens. Throws Error; then nothing runs.
[[nodiscard]] RunningVm apply(const Plan& plan);

}  // namespace vml
