// An isolated segment: a bridge in a network namespace of its own that nothing leads out of, with the taps of
// the VMs that are on it. Without a privilege the namespace belongs to a user namespace (user_namespaces(7)).
// Makes system calls.
//
// Neither namespace has a name. They live as long as somebody has a socket or a tap of theirs open, so that
// the last VM's end takes the segment away, however it ends. One that has a name is found by an abstract
// socket (unix(7)), at which each of its VMs listens: whoever is left lets the next one in.
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

#include "base/error.h"
#include "netsetup/segment_home.h"

namespace vml::net {

// Makes the segment, or joins the one of that name that is there; this user's alone. Throws Error.
[[nodiscard]] SegmentLink join_segment(const SegmentWish& wish);

// Somebody is at the door (SegmentFd::door): lets in whoever is this user's. `user`: who joined. Does not
// block.
void let_in(const SegmentLink& link, uid_t user) noexcept;

// Why no segment could be made; nothing where one can.
[[nodiscard]] std::optional<Fault> segment_obstacle();

}  // namespace vml::net
