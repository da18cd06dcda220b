// TFTP over a UDP socket, to whoever reaches it: on an isolated segment, in its namespace. The other way, by
// frames on a guest's tap, is launcher/watch/tap_tftp.h. In the event loop. Makes system calls.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/fd.h"
#include "netserve/folder.h"
#include "netserve/tftp_server.h"

namespace vml::serve {

class SocketTftp {
  public:
    // A line for each request, for the debug level.
    using OnRequest = std::function<void(const std::string& line)>;

    // Takes the socket. `open` must outlive it.
    SocketTftp(boost::asio::io_context& io, OwnedFd socket, const OpenFile& open, OnRequest on_request);

  private:
    using Client = boost::asio::ip::udp::endpoint;

    void receive();
    void send(const Client& client, const std::vector<std::string>& payloads);
    void wait_to_repeat();

    boost::asio::ip::udp::socket socket_;
    TftpServer<Client> server_;
    boost::asio::steady_timer repeat_;
    Client peer_;
    // A request's names fit into a frame of any Ethernet; an acknowledgement is tiny.
    std::array<char, 2048> room_{};
};

}  // namespace vml::serve
