// The step "apply": a plan → a QEMU that is running, paused. Makes system calls.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/fd.h"
#include "launcher/handles/handles.h"
#include "launcher/plan/plan.h"
#include "netserve/folder.h"
#include "netsetup/executor.h"
#include "netsetup/kernel_executor.h"
#include "netsetup/segment.h"
#include "netsetup/watch.h"

namespace vml {

// The host's links that were made for a VM, undone in reverse when this goes.
class HostLinks {
  public:
    // Throws Error; then what was done is undone.
    HostLinks(const std::vector<net::Operation>& operations, net::KernelExecutor::Homes ahead);

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
    pid_t pid = -1;                          // the event loop reaps it
    int landlock = 0;                        // the version of Landlock that confines it; 0: none does
    std::unique_ptr<HostLinks> links;        // undone when this goes; none: there are no links of the host's
    std::vector<net::SegmentLink> segments;  // of the plan's, in order
    std::vector<PortWatch> port_watches;     // the guest is not to run before these ports forward
    std::vector<WireTap> wire;               // where its packets can be seen
    OwnedFd http;  // listens for the guest alone, which gets what it boots from; none: it is not served
    std::uint16_t http_port = 0;
    OwnedFd connections;  // shows which connections a guest on a bridge has opened there; none: it is on none
    OwnedFd
        tftp;  // shows what a guest on a bridge asks by TFTP, and takes the answers; none: it is not served
    serve::Content served;
    OwnedFd qmp;
    OwnedFd console;
    OwnedFd firmware_log;  // none: nobody asked for it
    OwnedFd agent;         // none: the VM has no port for one
    ToldFiles told;        // what it can be asked for
    pid_t tpm_pid = -1;    // of swtpm; the event loop reaps it too
    OwnedFd state_folder;  // none: nothing is kept
    OwnedFd output;        // read end of QEMU's standard output and error
};

// Opens what the plan's descriptors stand for and starts QEMU. Nothing but what is kept has a name in the
// file system, so that nothing is left behind whatever happens. `ahead`: homes for macvtaps that
// are being made already. `on_wait`: is told of a segment that others are slow to let this VM into. Throws
// Error; then nothing runs.
using OnSegmentWait = std::function<void(const std::string& segment)>;
[[nodiscard]] RunningVm apply(const Plan& plan, net::KernelExecutor::Homes ahead = {},
                              const OnSegmentWait& on_wait = {});

}  // namespace vml
