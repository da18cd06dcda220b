// TFTP for a guest on a bridge, on the guest's own link: its datagrams are read from the tap, and the answers
// handed into it, so that nobody else is served, and no port of the host is open. Runs in the event loop.
// Makes system calls.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/fd.h"
#include "base/mac.h"
#include "netserve/folder.h"
#include "netserve/tftp_server.h"

namespace vml {

class GuestTftp {
  public:
    struct Config {
        OwnedFd view;  // net::open_datagram_capture on the guest's tap
        Mac guest{};
        serve::Ipv4 address{};  // where the guest asks
        std::size_t most_block = serve::TftpTransfer::usual_block;
        serve::OpenFile open;
    };
    // A line for each request, for the debug level.
    using OnRequest = std::function<void(const std::string& line)>;

    GuestTftp(boost::asio::io_context& io, Config config, OnRequest on_request);
    ~GuestTftp();
    GuestTftp(const GuestTftp&) = delete;
    GuestTftp& operator=(const GuestTftp&) = delete;
    GuestTftp(GuestTftp&&) = delete;
    GuestTftp& operator=(GuestTftp&&) = delete;

  private:
    void wait();
    void read();
    void send(const serve::UdpEnd& to, const std::vector<std::string>& payloads);
    void wait_to_repeat();

    OwnedFd view_;
    Mac guest_;
    serve::Ipv4 address_;
    serve::TftpServer server_;
    boost::asio::posix::stream_descriptor readable_;  // has view_'s number
    boost::asio::steady_timer repeat_;
};

}  // namespace vml
