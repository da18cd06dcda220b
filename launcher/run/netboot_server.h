// What vm-launch itself serves while the VM runs, and to whom alone: what the guest boots from, by HTTP, to
// UEFI's own client on a bridge by TFTP, and everything else that a guest on an isolated segment needs. In
// the event loop. Makes system calls.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "launcher/keeper/vm_files.h"
#include "launcher/plan/plan.h"
#include "launcher/run/segment_door.h"
#include "launcher/start/apply.h"
#include "launcher/watch/tap_tftp.h"
#include "netserve/http_server.h"
#include "netserve/segment_server.h"

namespace vml {

class NetbootServer {
  public:
    using OnRequest = std::function<void(const std::string& line)>;

    // Takes the VM's sockets, and its view of the guest's connections. `files` must outlive it. To be made
    // before vm-launch becomes another user: those of this one may join its segments.
    NetbootServer(boost::asio::io_context& io, const Plan& plan, RunningVm& vm, VmFiles& files,
                  OnRequest on_request);

    // See serve::HttpServer.
    void client_began_anew();

  private:
    void serve_by_http(OwnedFd socket, serve::Stranger stranger);
    void serve_segment(const PlannedSegment& planned, net::SegmentLink link);

    boost::asio::io_context& io_;
    serve::OpenFile open_;
    OnRequest on_request_;
    std::vector<serve::HttpServer> http_;
    std::unique_ptr<TapTftp> tap_tftp_;
    std::vector<serve::SegmentServer> segments_;
    std::vector<std::unique_ptr<SegmentDoor>> doors_;
};

}  // namespace vml
