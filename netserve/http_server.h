// A folder over HTTP/1.1, for reading, to one client: GET and HEAD, ranges, connections that are kept. In the
// event loop. Makes system calls.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <sys/types.h>

#include "base/fd.h"
#include "base/ip.h"
#include "netserve/folder.h"

namespace vml::serve {

// The socket to serve from, on a port of this host's address that the kernel chooses, and that port. Throws
// Error.
struct Listener {
    OwnedFd socket;
    std::uint16_t port = 0;
};
[[nodiscard]] Listener listen_on(const Ip4& address);
[[nodiscard]] Listener listen_on_loopback();

// Who connected from one port of 127.0.0.1 to another, by the kernel's table of connections (the text of
// /proc/net/tcp); -1: it is not there, or is nobody's any more.
[[nodiscard]] std::int64_t owner_of_connection(std::string_view table, std::uint16_t from, std::uint16_t to);

// From whom a connection comes, and to which port of ours.
struct Connection {
    Ip4 peer{};  // zero over IPv6
    std::uint16_t peer_port = 0;
    std::uint16_t port = 0;
};

// Why a connection is not the client's: the folder may hold what others could not read. Such a connection is
// closed, and that is told; "": whoever opened it has closed it, which is not worth a line. Nothing: it is
// the client's.
using Stranger = std::function<std::optional<std::string>(const Connection& connection)>;

// The client is a user of this host, who connects over the loopback.
[[nodiscard]] Stranger all_but_user(uid_t user);

class HttpServer {
  public:
    struct Config {
        OwnedFd socket;  // that listens
        OpenFile open;   // of the folder
        Stranger stranger;
    };
    // A line for each request and each connection that is closed unheard, for the debug level.
    using OnRequest = std::function<void(const std::string& line)>;

    HttpServer(boost::asio::io_context& io, Config config, OnRequest on_request);
    HttpServer(HttpServer&&) noexcept;
    HttpServer& operator=(HttpServer&&) noexcept;
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;
    ~HttpServer();  // ends every connection

    // The client began anew, and knows nothing of its connections any more. A guest whose iPXE takes the port
    // once more that it had before would find QEMU's user-mode network still in the old connection.
    void client_began_anew();

    // So many connections at once; a guest needs one or two. More wait for their turn, and while they do,
    // those that are kept and unused are closed.
    static constexpr std::size_t most_connections = 32;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace vml::serve
