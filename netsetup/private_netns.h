// A network namespace that has no name: it lives as long as something holds it.
#pragma once

#include <functional>

#include "base/fd.h"

namespace vml::net {

// Held by this object's descriptor (close-on-exec, so never by a child), by sockets opened inside, and by
// macvtap queues opened inside. When the last holder goes, however it goes, the kernel deletes the namespace
// with the virtual links in it (net/core/net_namespace.c, cleanup_net). Needs CAP_SYS_ADMIN.
class PrivateNetns {
  public:
    // Makes it, and runs `first` inside, at once. Throws Error, and what `first` throws.
    explicit PrivateNetns(const std::function<void()>& first = {});

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

    // Runs `task` in a thread of its own inside the namespace and waits for it; what it throws comes out
    // here. The calling thread never changes its namespace.
    void run(const std::function<void()>& task) const;

  private:
    OwnedFd fd_;
};

}  // namespace vml::net
