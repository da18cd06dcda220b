// A place on an isolated segment, held for as long as the VM runs, and the door at which others ask to join
// it. In the event loop. Makes system calls.
#pragma once

#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <sys/types.h>

#include "netsetup/segment.h"

namespace vml {

class SegmentDoor {
  public:
    // Who runs vm-launch now may join, whatever user it becomes later.
    SegmentDoor(boost::asio::io_context& io, net::SegmentLink link);
    ~SegmentDoor();
    SegmentDoor(const SegmentDoor&) = delete;
    SegmentDoor& operator=(const SegmentDoor&) = delete;
    SegmentDoor(SegmentDoor&&) = delete;
    SegmentDoor& operator=(SegmentDoor&&) = delete;

  private:
    void wait();

    net::SegmentLink link_;
    uid_t user_;
    std::optional<boost::asio::posix::stream_descriptor> door_;  // none: the segment has no name
};

}  // namespace vml
