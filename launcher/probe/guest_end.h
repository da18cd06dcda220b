// The guest's end of a link that is made for a moment as its NIC's is made for a run, and by the same
// operations: what is sent there takes the guest's way. Makes system calls, and changes the host's links.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "launcher/vm/spec.h"
#include "netsetup/executor.h"
#include "netsetup/kernel_executor.h"

namespace vml {

// The link goes with this, and with the process, however that ends; a macvtap that could have no namespace of
// its own is then deleted by the next start or doctor (netsetup/reconcile.h).
class GuestEnd {
  public:
    // `made`: on a link of the host's. Throws Error, and has left nothing.
    explicit GuestEnd(const MadeLink& made);
    GuestEnd(const GuestEnd&) = delete;
    GuestEnd& operator=(const GuestEnd&) = delete;
    GuestEnd(GuestEnd&&) = delete;
    GuestEnd& operator=(GuestEnd&&) = delete;
    ~GuestEnd() = default;

    // Waits until the bridge forwards what comes by this port; false: it does not by then. Throws Error.
    [[nodiscard]] bool forwards_within(std::chrono::milliseconds limit) const;
    // Sends a frame, whole, as the guest. Throws Error.
    void send(std::string_view frame) const;
    // For poll(2): is there a frame?
    [[nodiscard]] int fd() const { return queue_.get(); }
    // The next frame; empty: none is there.
    [[nodiscard]] std::string receive() const;

  private:
    net::KernelExecutor executor_;
    net::AppliedLinks links_{executor_};
    unsigned nic_;
    OwnedFd queue_;
};

}  // namespace vml
