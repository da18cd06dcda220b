// TFTP for a guest on a bridge, on the guest's own link: its datagrams are read from the tap, and the answers
// handed into it, so that nobody else is served, and no port of the host is open. The other way, over a
// socket, is netserve/socket_tftp.h. Runs in the event loop. Makes system calls.
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
#include "netserve/udp_frame.h"

namespace vml {

class TapTftp {
  public:
    struct Config {
        OwnedFd view;  // net::open_datagram_capture on the guest's tap
        Mac guest{};
        Ip4 address{};  // where the guest asks
        std::size_t most_block = serve::TftpTransfer::usual_block;
        serve::OpenFile open;
    };
    // A line for each request, for the debug level.
    using OnRequest = std::function<void(const std::string& line)>;

    TapTftp(boost::asio::io_context& io, Config config, OnRequest on_request);
    ~TapTftp();
    TapTftp(const TapTftp&) = delete;
    TapTftp& operator=(const TapTftp&) = delete;
    TapTftp(TapTftp&&) = delete;
    TapTftp& operator=(TapTftp&&) = delete;

  private:
    void wait();
    void read();
    void send(const serve::UdpEnd& to, const std::vector<std::string>& payloads);
    void wait_to_repeat();

    OwnedFd view_;
    Mac guest_;
    Ip4 address_;
    serve::TftpServer<serve::UdpEnd> server_;
    boost::asio::posix::stream_descriptor readable_;  // has view_'s number
    boost::asio::steady_timer repeat_;
};

}  // namespace vml
