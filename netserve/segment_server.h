// What vm-launch serves to its guest on an isolated segment, beside HTTP: addresses and the way to the boot
// file (segment_answer.h) on the guest's own link, names and files by TFTP on the segment. In the event loop.
// Makes system calls.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "base/fd.h"
#include "netserve/folder.h"
#include "netserve/segment_guest.h"

namespace vml::serve {

// Datagrams come to the addresses of the guest's place (server4_of, server6_of).
struct SegmentSockets {
    OwnedFd link;  // a packet socket on the guest's link, for frames from and to the guest alone
    OwnedFd tftp4;
    OwnedFd tftp6;  // none: the kernel has no IPv6; as with the other
    OwnedFd dns4;
    OwnedFd dns6;
};

class SegmentServer {
  public:
    // A line for each file that is asked for, for the debug level.
    using OnRequest = std::function<void(const std::string& line)>;

    SegmentServer(boost::asio::io_context& io, SegmentSockets sockets, SegmentGuest guest, OpenFile open,
                  const OnRequest& on_request);
    SegmentServer(SegmentServer&&) noexcept;
    SegmentServer& operator=(SegmentServer&&) noexcept;
    SegmentServer(const SegmentServer&) = delete;
    SegmentServer& operator=(const SegmentServer&) = delete;
    ~SegmentServer();

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace vml::serve
