// Does a frame show that somebody looks after IPv6 on its segment: a router, a DHCPv6 server or client, a
// routing protocol? Where that is so, nothing of vm-launch's may settle the guest's IPv6. Pure.
#pragma once

#include "base/bytes.h"

namespace vml {

// `frame` may be cut short. The guest's own frames are its own affair: the caller leaves them out.
[[nodiscard]] bool shows_ipv6_routing(Bytes frame);

}  // namespace vml
