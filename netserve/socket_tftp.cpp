#include "netserve/socket_tftp.h"

#include <chrono>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>

#include "netserve/tftp_file.h"
#include "netserve/udp_socket.h"

namespace vml::serve {

namespace {

// Of a datagram in one frame of Ethernet: with the headers of IP, UDP and TFTP.
std::size_t largest_block(const boost::asio::ip::udp::socket& socket) {
    constexpr std::size_t over_ip4 = 1468;
    constexpr std::size_t over_ip6 = 1448;
    return socket.local_endpoint().address().is_v6() ? over_ip6 : over_ip4;
}

}  // namespace

SocketTftp::SocketTftp(boost::asio::io_context& io, OwnedFd socket, const OpenFile& open,
                       OnRequest on_request)
    : socket_{udp_socket(io, std::move(socket))},
      server_{{[&open](const std::string& name) { return tftp_file(open(name)); }, largest_block(socket_),
               std::move(on_request)}},
      repeat_{io} {
    receive();
}

void SocketTftp::receive() {
    socket_.async_receive_from(
        boost::asio::buffer(room_), peer_, [this](const boost::system::error_code& error, std::size_t count) {
            if (error == boost::asio::error::operation_aborted) {
                return;
            }
            if (!error) {  // or an ICMP error for what was sent before
                send(peer_, server_.take(peer_, {room_.data(), count}, std::chrono::steady_clock::now()));
                wait_to_repeat();
            }
            receive();
        });
}

// What the kernel has no room for is as lost as on the wire: it is sent again.
void SocketTftp::send(const Client& client, const std::vector<std::string>& payloads) {
    for (const std::string& payload : payloads) {
        boost::system::error_code ignored;
        socket_.send_to(boost::asio::buffer(payload), client, 0, ignored);
    }
}

void SocketTftp::wait_to_repeat() {
    const auto next = server_.next_repeat();
    if (!next) {
        repeat_.cancel();
        return;
    }
    repeat_.expires_at(*next);
    repeat_.async_wait([this](const boost::system::error_code& error) {
        if (!error) {
            for (const auto& sending : server_.repeat(std::chrono::steady_clock::now())) {
                send(sending.client, sending.payloads);
            }
            wait_to_repeat();
        }
    });
}

}  // namespace vml::serve
