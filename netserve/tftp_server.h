// Transfers by TFTP over one UDP socket, from the port where they were asked for: a client is told by its
// address alone, so that no further socket is needed. In the event loop. Makes system calls.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/fd.h"
#include "netserve/folder.h"
#include "netserve/tftp_transfer.h"

namespace vml::serve {

class TftpServer {
  public:
    using OnRequest = std::function<void(const std::string& line)>;

    // Takes the socket. `open` must outlive it.
    TftpServer(boost::asio::io_context& io, OwnedFd socket, const OpenFile& open, OnRequest on_request);

    // So many at once; a guest needs one.
    static constexpr std::size_t most_transfers = 16;
    static constexpr std::chrono::seconds patience{2};  // until what was sent is sent again
    static constexpr unsigned most_repeats = 6;

  private:
    using Client = boost::asio::ip::udp::endpoint;
    struct Running {
        OwnedFd file;
        TftpTransfer transfer;
        boost::asio::steady_timer timer;
        unsigned repeats = 0;
    };

    void receive();
    void take(std::string_view datagram);
    void begin(TftpRead read);
    void go_on(const Client& client, const std::vector<std::string>& datagrams);
    void time_is_up(const Client& client);
    void send(const Client& client, const std::string& datagram);
    void refuse(TftpError code, const std::string& name, const std::string& why);

    boost::asio::ip::udp::socket socket_;
    const OpenFile& open_;
    OnRequest on_request_;
    std::size_t largest_block_;
    std::map<Client, std::unique_ptr<Running>> running_;
    Client peer_;
    std::array<char, 2048> room_{};
};

}  // namespace vml::serve
