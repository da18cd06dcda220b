// Links whose maker died: how a living maker is told from a dead one, and how what the dead left behind is
// deleted.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "netsetup/netlink.h"
#include "netsetup/tag.h"

namespace vml::net {

// Says "the maker of the link with this token lives": an abstract Unix socket "@vm-launch-<token>". The
// kernel frees its name when the process ends, however it ends. Abstract names belong to the network
// namespace (net/unix/af_unix.c, unix_find_socket_byname), as links do, so the answer is right for every
// process that can see the link: a process number would not be, read from another PID namespace, or after it
// was given to another process. `ss -xap` shows who holds it.
class OwnerLock {
  public:
    explicit OwnerLock(const std::string& token);  // throws Error; EADDRINUSE: the maker lives

    // Takes the lock if its owner is gone; an empty descriptor when it lives.
    [[nodiscard]] static OwnedFd try_take(const std::string& token);

  private:
    OwnedFd fd_;
};

struct Reconciled {
    std::vector<std::string> deleted;  // names of links, and paths of device nodes
    std::vector<Fault> faults;         // what could not be deleted

    bool operator==(const Reconciled&) const = default;
};

// Deletes the macvtaps of the socket's network namespace that carry our tag and whose maker is gone, and
// device nodes that a SIGKILL left under /dev. No other link is touched. To be called before a new macvtap is
// made. Throws Error only when the links cannot be read.
[[nodiscard]] Reconciled reconcile(NetlinkSocket& socket);

}  // namespace vml::net
