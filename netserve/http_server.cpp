#include "netserve/http_server.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>

#include <arpa/inet.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "netserve/http_connection.h"
#include "netserve/udp_socket.h"

namespace vml::serve {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Where the kernel has no descriptors left, accepting again at once would fail again at once; and until a
// connection can be closed for who waits.
constexpr std::chrono::milliseconds accept_pause{100};
// The kernel's queue has one more than was asked for (net/ipv4, sk_acceptq_is_full).
constexpr std::size_t most_waiting = HttpServer::most_connections + 1;
// Who has just connected may have a request on its way.
constexpr std::chrono::seconds least_idle{1};

}  // namespace

Listener listen_on(const Ip4& address) {
    asio::io_context io;
    error_code error;
    tcp::acceptor acceptor{io};
    acceptor.open(tcp::v4(), error);
    if (!error) {
        acceptor.bind({asio::ip::address_v4{address}, 0}, error);
    }
    if (!error) {
        acceptor.listen(HttpServer::most_connections, error);
    }
    const tcp::endpoint where = error ? tcp::endpoint{} : acceptor.local_endpoint(error);
    if (error) {
        throw Error{{"cannot serve by HTTP", errno_text(error.value()), "", ExitCode::host}};
    }
    return {OwnedFd{acceptor.release()}, where.port()};
}

Listener listen_on_loopback() {
    return listen_on(asio::ip::address_v4::loopback().to_bytes());
}

namespace {

// Of a connection that its program has closed, and that the kernel brings to its end: its user reads 0.
constexpr std::string_view no_socket = "0";

std::int64_t user_in(std::string_view word) {
    const auto user = whole_number<std::uint32_t>(word);
    return user ? std::int64_t{*user} : -1;
}

}  // namespace

std::int64_t owner_of_connection(std::string_view table, std::uint16_t from, std::uint16_t to) {
    // Addresses are in hexadecimal, as the host keeps them in memory (Linux net/ipv4/tcp_ipv4.c,
    // get_tcp4_sock).
    const std::string loopback = fmt::format("{:08X}", htonl(INADDR_LOOPBACK));
    const std::string local = fmt::format("{}:{:04X}", loopback, from);
    const std::string remote = fmt::format("{}:{:04X}", loopback, to);
    std::istringstream lines{std::string{table}};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words{line};
        std::string number;
        std::string here;
        std::string there;
        std::string skipped;
        std::string user;
        std::string inode;
        words >> number >> here >> there;
        for (int column = 0; column < 4; ++column) {  // state, queues, timer, retransmissions
            words >> skipped;
        }
        if (here == local && there == remote && words >> user) {
            words >> skipped >> inode;
            return inode == no_socket ? -1 : user_in(user);
        }
    }
    return -1;
}

Stranger all_but_user(uid_t user) {
    return [user](const Connection& connection) -> std::optional<std::string> {
        const auto table = read_file("/proc/net/tcp");
        if (!table) {
            return "whose it is cannot be read in /proc/net/tcp";
        }
        const std::int64_t owner = owner_of_connection(*table, connection.peer_port, connection.port);
        if (owner == static_cast<std::int64_t>(user)) {
            return std::nullopt;
        }
        return owner < 0 ? "" : fmt::format("it is another user's ({})", owner);
    };
}

class HttpServer::Impl {
  public:
    Impl(asio::io_context& io, Config config, OnRequest on_request)
        : acceptor_{io, is_bound_to_ip6(config.socket.get()) ? tcp::v6() : tcp::v4(), config.socket.get()},
          pause_{io},
          open_{std::move(config.open)},
          stranger_{std::move(config.stranger)},
          on_request_{std::move(on_request)} {
        std::ignore = config.socket.release();
        acceptor_.non_blocking(true);
        acceptor_.set_option(asio::socket_base::enable_connection_aborted{true});  // else it would wait there
        wait();
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    Impl(Impl&&) = delete;
    Impl& operator=(Impl&&) = delete;

    ~Impl() {
        for (const auto& connection : connections_) {
            connection->close();
        }
    }

    void client_began_anew() {
        for (const auto& connection : std::exchange(connections_, {})) {
            connection->reset();
        }
        for (std::size_t waiting = 0; waiting < most_waiting; ++waiting) {
            error_code error;
            tcp::socket socket = acceptor_.accept(error);
            if (error == asio::error::would_block) {
                return;
            }
            if (!error) {
                socket.set_option(asio::socket_base::linger{true, 0}, error);
                socket.close(error);  // its destructor would wait for what is unsent
            }
        }
    }

  private:
    // Whoever waits for its turn is in the kernel's hands: closed unheard, by a RST, it might miss even that.
    void wait() {
        acceptor_.async_wait(tcp::acceptor::wait_read, [this](const error_code& error) {
            if (error != asio::error::operation_aborted) {
                somebody_waits();
            }
        });
    }

    void wait_a_moment() {
        pause_.expires_after(accept_pause);
        pause_.async_wait([this](const error_code& aborted) { aborted ? void() : wait(); });
    }

    void somebody_waits() {
        if (connections_.size() >= most_connections) {
            close_unused();
        }
        if (connections_.size() >= most_connections) {
            wait_a_moment();
            return;
        }
        error_code error;
        tcp::socket socket = acceptor_.accept(error);
        if (!error) {
            take(std::move(socket));
        } else if (error != asio::error::would_block && error != asio::error::connection_aborted) {
            on_request_(fmt::format("http: {}", error.message()));
            wait_a_moment();
            return;
        }
        wait();
    }

    void close_unused() {
        const auto now = std::chrono::steady_clock::now();
        const auto since = [now](const auto& connection) { return connection->idle_since().value_or(now); };
        const auto longest =
            std::min_element(connections_.begin(), connections_.end(),
                             [&](const auto& one, const auto& other) { return since(one) < since(other); });
        if (longest != connections_.end() && now - since(*longest) >= least_idle) {
            (*longest)->close();
            connections_.erase(longest);
        }
    }

    void take(tcp::socket socket) {
        error_code error;
        const tcp::endpoint peer = socket.remote_endpoint(error);
        const tcp::endpoint ours = socket.local_endpoint(error);
        if (error) {
            return;
        }
        const Connection from{peer.address().is_v4() ? peer.address().to_v4().to_bytes() : Ip4{}, peer.port(),
                              ours.port()};
        if (const auto reason = stranger_(from)) {
            if (!reason->empty()) {
                on_request_(fmt::format("http: the connection from {}:{} was closed: {}",
                                        fmt::join(from.peer, "."), from.peer_port, *reason));
            }
            return;
        }
        const auto connection = std::make_shared<HttpConnection>(
            std::move(socket), open_, on_request_,
            [this](const std::shared_ptr<HttpConnection>& ended) { connections_.erase(ended); });
        connections_.insert(connection);
        connection->read();
    }

    tcp::acceptor acceptor_;
    asio::steady_timer pause_;
    OpenFile open_;
    Stranger stranger_;
    OnRequest on_request_;
    std::set<std::shared_ptr<HttpConnection>> connections_;
};

HttpServer::HttpServer(asio::io_context& io, Config config, OnRequest on_request)
    : impl_{std::make_unique<Impl>(io, std::move(config), std::move(on_request))} {}
HttpServer::HttpServer(HttpServer&&) noexcept = default;
HttpServer& HttpServer::operator=(HttpServer&&) noexcept = default;
HttpServer::~HttpServer() = default;

void HttpServer::client_began_anew() {
    impl_->client_began_anew();
}

}  // namespace vml::serve
