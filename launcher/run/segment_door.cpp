#include "launcher/run/segment_door.h"

#include <tuple>
#include <utility>

#include <unistd.h>

namespace vml {

SegmentDoor::SegmentDoor(boost::asio::io_context& io, net::SegmentLink link)
    : link_{std::move(link)}, user_{::geteuid()} {
    if (const OwnedFd& door = link_.fd(net::SegmentFd::door)) {
        door_.emplace(io, door.get());
        wait();
    }
}

// The descriptor is the link's.
SegmentDoor::~SegmentDoor() {
    if (door_) {
        std::ignore = door_->release();
    }
}

// All VMs on the segment listen at one door, and are all woken: one of them finds somebody there.
void SegmentDoor::wait() {
    door_->async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [this](const boost::system::error_code& error) {
                          if (!error) {
                              net::let_in(link_, user_);
                              wait();
                          }
                      });
}

}  // namespace vml
