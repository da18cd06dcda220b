#include "netserve/tftp_server.h"

#include <cerrno>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "netserve/udp_socket.h"

namespace vml::serve {

namespace {

using boost::system::error_code;

std::string read_piece(int file, std::uint64_t offset, std::size_t count) {
    std::string piece(count, '\0');
    const ssize_t got = ::pread(file, piece.data(), count, static_cast<off_t>(offset));
    piece.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return piece;
}

// "//a/b" is a name in the folder, as by HTTP.
std::string name_asked_for(const std::string& name) {
    const std::size_t first = name.find_first_not_of('/');
    return first == std::string::npos ? "" : name.substr(first);
}

// Of a datagram in one frame: with the headers of IP, UDP and TFTP.
std::size_t largest_block(bool ip6) {
    constexpr std::size_t over_ip4 = 1468;
    constexpr std::size_t over_ip6 = 1448;
    return ip6 ? over_ip6 : over_ip4;
}

}  // namespace

TftpServer::TftpServer(boost::asio::io_context& io, OwnedFd socket, const OpenFile& open,
                       OnRequest on_request)
    : socket_{udp_socket(io, std::move(socket))},
      open_{open},
      on_request_{std::move(on_request)},
      largest_block_{largest_block(is_bound_to_ip6(socket_.native_handle()))} {
    receive();
}

void TftpServer::receive() {
    socket_.async_receive_from(boost::asio::buffer(room_), peer_,
                               [this](const error_code& error, std::size_t count) {
                                   if (error == boost::asio::error::operation_aborted) {
                                       return;
                                   }
                                   if (!error) {  // or an ICMP error for what was sent before
                                       take({room_.data(), count});
                                   }
                                   receive();
                               });
}

// A client that asks anew has forgotten what it asked before.
void TftpServer::take(std::string_view datagram) {
    if (auto read = read_tftp(datagram, largest_block_)) {
        running_.erase(peer_);
        begin(std::move(*read));
        return;
    }
    const auto found = running_.find(peer_);
    if (found == running_.end()) {
        return;
    }
    const std::vector<std::string> answers = found->second->transfer.hear(datagram);
    if (found->second->transfer.is_over()) {
        for (const std::string& answer : answers) {
            send(peer_, answer);
        }
        running_.erase(found);
    } else if (!answers.empty()) {
        found->second->repeats = 0;
        go_on(peer_, answers);
    }
}

void TftpServer::begin(TftpRead read) {
    if (!read.octet) {
        refuse(TftpError::bad_operation, read.name, "octets alone are served");
        return;
    }
    if (running_.size() >= most_transfers) {
        refuse(TftpError::other, read.name, "too many transfers at once");
        return;
    }
    FoundFile found = open_(name_asked_for(read.name));
    if (!found.fd) {
        refuse(found.error == ENOENT || found.error == ENOTDIR ? TftpError::no_file : TftpError::no_access,
               read.name, errno_text(found.error));
        return;
    }
    on_request_(fmt::format("tftp: {}: {} bytes", printable(read.name), found.size));
    const int file = found.fd.get();
    auto running =
        std::make_unique<Running>(Running{std::move(found.fd),
                                          TftpTransfer{std::move(read), found.size,
                                                       [file](std::uint64_t offset, std::size_t count) {
                                                           return read_piece(file, offset, count);
                                                       }},
                                          boost::asio::steady_timer{socket_.get_executor()}});
    const std::vector<std::string> first = running->transfer.begin();
    running_.insert_or_assign(peer_, std::move(running));
    go_on(peer_, first);
}

void TftpServer::go_on(const Client& client, const std::vector<std::string>& datagrams) {
    for (const std::string& datagram : datagrams) {
        send(client, datagram);
    }
    boost::asio::steady_timer& timer = running_.at(client)->timer;
    timer.expires_after(patience);
    timer.async_wait([this, client](const error_code& error) { error ? void() : time_is_up(client); });
}

void TftpServer::time_is_up(const Client& client) {
    const auto found = running_.find(client);
    if (found == running_.end()) {
        return;
    }
    if (++found->second->repeats > most_repeats) {
        running_.erase(found);
        return;
    }
    go_on(client, found->second->transfer.repeat());
}

// What the kernel has no room for is as lost as on the wire: it is sent again.
void TftpServer::send(const Client& client, const std::string& datagram) {
    error_code ignored;
    socket_.send_to(boost::asio::buffer(datagram), client, 0, ignored);
}

void TftpServer::refuse(TftpError code, const std::string& name, const std::string& why) {
    on_request_(fmt::format("tftp: {}: {}", printable(name), why));
    send(peer_, tftp_error(code, why));
}

}  // namespace vml::serve
