// A network namespace that has no name: it lives as long as something holds it.
#pragma once

#include <functional>
#include <future>

#include "base/fd.h"

namespace vml::net {

// Held by this object's descriptor (close-on-exec, so never by a child), by sockets opened inside, and by
// macvtap queues opened inside. When the last holder goes, however it goes, the kernel deletes the namespace
// with the virtual links in it (net/core/net_namespace.c, cleanup_net). Needs CAP_SYS_ADMIN.
//
// The kernel takes longer to make a namespace than to make a link, so the constructor only begins it, on a
// thread of its own, and whoever needs the namespace first waits for it.
class PrivateNetns {
  public:
    // `first` runs inside at once, on that thread; what it throws comes out like a failure to make it.
    explicit PrivateNetns(std::function<void()> first = {});
    ~PrivateNetns() = default;  // waits for the thread
    PrivateNetns(const PrivateNetns&) = delete;
    PrivateNetns& operator=(const PrivateNetns&) = delete;
    PrivateNetns(PrivateNetns&&) = delete;
    PrivateNetns& operator=(PrivateNetns&&) = delete;

    // Waits until the namespace is made and its thread has ended. Throws Error when it could not be made.
    [[nodiscard]] int fd() const;

    // Runs `task` inside: the calling thread goes in and comes back, which takes microseconds, where another
    // thread would first have to be woken. Throws Error when it cannot go in or come back, and what `task`
    // throws.
    void run(const std::function<void()>& task) const;

  private:
    OwnedFd fd_;
    std::shared_future<void> made_;
};

}  // namespace vml::net
