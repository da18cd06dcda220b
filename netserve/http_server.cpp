#include "netserve/http_server.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "netserve/folder.h"
#include "netserve/request.h"

namespace vml::serve {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Request = http::request<http::empty_body>;
using Response = http::response<http::empty_body>;

constexpr std::uint32_t longest_head = 8192;
constexpr std::size_t piece = 256UL << 10U;  // of a file, read and sent in one go
// Of no progress; iPXE itself may rest at a prompt between two requests.
constexpr std::chrono::seconds longest_rest{300};

// What is sent for a request: the head, and the slice of the file that follows it.
struct Answer {
    Response head;
    OwnedFd file;
    Slice slice;
};

Answer refused(const Request& request, http::status status) {
    Answer answer{Response{status, request.version()}, OwnedFd{}, {}};
    answer.head.content_length(0);
    return answer;
}

http::status status_of_error(int error) {
    switch (error) {
        case ENOENT:
        case ENOTDIR:
        case ENAMETOOLONG:
            return http::status::not_found;
        case EACCES:
        case EPERM:
        case EXDEV:  // the name leads out of the folder (openat2(2))
        case ELOOP:
            return http::status::forbidden;
        default:
            return http::status::internal_server_error;
    }
}

std::string_view text_of(beast::string_view text) {
    return {text.data(), text.size()};
}

Answer answer_to(int folder, const Request& request) {
    if (request.method() != http::verb::get && request.method() != http::verb::head) {
        Answer answer = refused(request, http::status::method_not_allowed);
        answer.head.set(http::field::allow, "GET, HEAD");
        return answer;
    }
    const std::optional<std::string> name = name_in_folder(text_of(request.target()));
    if (!name) {
        return refused(request, http::status::bad_request);
    }
    FoundFile found = open_beneath(folder, *name);
    if (!found.fd) {
        return refused(request, status_of_error(found.error));
    }
    const Slice slice = slice_of(text_of(request[http::field::range]), found.size);
    if (!slice.satisfiable) {
        Answer answer = refused(request, http::status::range_not_satisfiable);
        answer.head.set(http::field::content_range, fmt::format("bytes */{}", found.size));
        return answer;
    }
    Answer answer{
        Response{slice.partial ? http::status::partial_content : http::status::ok, request.version()},
        std::move(found.fd), slice};
    answer.head.set(http::field::content_type, "application/octet-stream");
    answer.head.set(http::field::accept_ranges, "bytes");
    answer.head.content_length(slice.count);
    if (slice.partial) {
        answer.head.set(http::field::content_range, fmt::format("bytes {}-{}/{}", slice.first,
                                                                slice.first + slice.count - 1, found.size));
    }
    if (request.method() == http::verb::head) {
        answer.file.reset();
    }
    return answer;
}

// One connection; lives as long as an operation on it is under way.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    using OnEnd = std::function<void(const std::shared_ptr<Connection>&)>;

    Connection(tcp::socket socket, int folder, const HttpServer::OnRequest& on_request, OnEnd on_end)
        : stream_{std::move(socket)}, folder_{folder}, on_request_{on_request}, on_end_{std::move(on_end)} {}

    void read() {
        parser_.emplace();
        parser_->header_limit(longest_head);
        stream_.expires_after(longest_rest);
        http::async_read(stream_, buffer_, *parser_,
                         [self = shared_from_this()](const error_code& error, std::size_t /*bytes*/) {
                             error ? self->end() : self->answer();
                         });
    }

    void close() {
        on_end_ = nullptr;
        stream_.close();
    }

  private:
    void answer() {
        const Request request = parser_->release();
        answer_.emplace(answer_to(folder_, request));
        answer_->head.set(http::field::server, "vm-launch");
        answer_->head.keep_alive(request.keep_alive());
        on_request_(fmt::format("http: {} {}: {}", text_of(request.method_string()),
                                text_of(request.target()), answer_->head.result_int()));
        stream_.expires_after(longest_rest);
        serializer_.emplace(answer_->head);
        http::async_write_header(stream_, *serializer_,
                                 [self = shared_from_this()](const error_code& error, std::size_t /*bytes*/) {
                                     error ? self->end() : self->send_more();
                                 });
    }

    void send_more() {
        Slice& left = answer_->slice;
        if (!answer_->file || left.count == 0) {
            answer_->head.keep_alive() ? read() : end();
            return;
        }
        piece_.resize(piece);
        const ssize_t count = ::pread(answer_->file.get(), piece_.data(),
                                      static_cast<std::size_t>(std::min<std::uint64_t>(piece, left.count)),
                                      static_cast<off_t>(left.first));
        if (count <= 0) {
            end();  // the file has become shorter: the client sees that bytes are missing
            return;
        }
        left.first += static_cast<std::uint64_t>(count);
        left.count -= static_cast<std::uint64_t>(count);
        stream_.expires_after(longest_rest);
        asio::async_write(stream_, asio::buffer(piece_.data(), static_cast<std::size_t>(count)),
                          [self = shared_from_this()](const error_code& error, std::size_t /*bytes*/) {
                              error ? self->end() : self->send_more();
                          });
    }

    void end() {
        error_code ignored;
        stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
        if (on_end_) {
            on_end_(shared_from_this());
        }
    }

    beast::tcp_stream stream_;
    int folder_;
    const HttpServer::OnRequest& on_request_;
    OnEnd on_end_;
    beast::flat_buffer buffer_{longest_head};
    std::optional<http::request_parser<http::empty_body>> parser_;
    std::optional<Answer> answer_;
    std::optional<http::response_serializer<http::empty_body>> serializer_;
    std::vector<char> piece_;
};

}  // namespace

Listener listen_on_loopback() {
    asio::io_context io;
    error_code error;
    tcp::acceptor acceptor{io};
    acceptor.open(tcp::v4(), error);
    if (!error) {
        acceptor.bind({asio::ip::address_v4::loopback(), 0}, error);
    }
    if (!error) {
        acceptor.listen(HttpServer::most_connections, error);
    }
    const tcp::endpoint where = error ? tcp::endpoint{} : acceptor.local_endpoint(error);
    if (error) {
        throw Error{{"cannot serve the folder by HTTP", errno_text(error.value()), "", ExitCode::host}};
    }
    return {OwnedFd{acceptor.release()}, where.port()};
}

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
        std::int64_t user = -1;
        words >> number >> here >> there;
        for (int column = 0; column < 4; ++column) {  // state, queues, timer, retransmissions
            words >> skipped;
        }
        if (here == local && there == remote && words >> user) {
            return user;
        }
    }
    return -1;
}

class HttpServer::Impl {
  public:
    Impl(asio::io_context& io, Config config, OnRequest on_request)
        : acceptor_{io, tcp::v4(), config.socket.get()},
          folder_{std::move(config.folder)},
          client_{config.client},
          on_request_{std::move(on_request)} {
        std::ignore = config.socket.release();
        accept();
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

  private:
    void accept() {
        acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
            if (error && error != asio::error::connection_aborted) {
                on_request_(fmt::format("http: {}", error.message()));
                return;
            }
            if (!error) {
                take(std::move(socket));
            }
            accept();
        });
    }

    void take(tcp::socket socket) {
        error_code error;
        const tcp::endpoint peer = socket.remote_endpoint(error);
        const tcp::endpoint ours = socket.local_endpoint(error);
        if (error || connections_.size() >= most_connections) {
            return;
        }
        const std::int64_t user =
            owner_of_connection(read_file("/proc/net/tcp").value_or(""), peer.port(), ours.port());
        if (user != static_cast<std::int64_t>(client_)) {
            on_request_(fmt::format("http: a connection of another user ({}) was closed", user));
            return;
        }
        const auto connection = std::make_shared<Connection>(
            std::move(socket), folder_.get(), on_request_,
            [this](const std::shared_ptr<Connection>& ended) { connections_.erase(ended); });
        connections_.insert(connection);
        connection->read();
    }

    tcp::acceptor acceptor_;
    OwnedFd folder_;
    uid_t client_;
    OnRequest on_request_;
    std::set<std::shared_ptr<Connection>> connections_;
};

HttpServer::HttpServer(asio::io_context& io, Config config, OnRequest on_request)
    : impl_{std::make_unique<Impl>(io, std::move(config), std::move(on_request))} {}
HttpServer::HttpServer(HttpServer&&) noexcept = default;
HttpServer& HttpServer::operator=(HttpServer&&) noexcept = default;
HttpServer::~HttpServer() = default;

}  // namespace vml::serve
