// Opens what a plan's descriptors stand for. Makes system calls.
#pragma once

#include <map>
#include <vector>

#include "base/fd.h"
#include "launcher/plan/plan.h"
#include "launcher/start/apply.h"

namespace vml {

// QEMU's end is returned; ours, of a pair, goes to `vm`.
class Opener {
  public:
    Opener(const Plan& plan, RunningVm& vm) : plan_{plan}, vm_{vm} {}

    // Throws Error.
    [[nodiscard]] OwnedFd open(const PlannedFd& planned);

  private:
    OwnedFd nvram(const PlannedFd& planned);
    OwnedFd dump_pipe(unsigned nic);
    [[nodiscard]] const WirePoint& point_of(unsigned nic) const;
    WireTap& tap_of(unsigned nic);
    OwnedFd queue(unsigned nic);
    [[nodiscard]] OwnedFd tpm_state(const PlannedFd& planned) const;

    const Plan& plan_;
    RunningVm& vm_;
    std::map<unsigned, std::vector<OwnedFd>> queues_;
    OwnedFd tpm_socket_;  // swtpm's end, until it has it
};

}  // namespace vml
