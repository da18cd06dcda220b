#include "netserve/http_connection.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <unistd.h>

namespace vml::serve {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Request = http::request<http::empty_body>;
using Response = http::response<http::empty_body>;
using Answer = HttpConnection::Answer;

constexpr std::size_t piece = 256UL << 10U;  // of a file, read and sent in one go
// Of no progress; iPXE itself may rest at a prompt between two requests.
constexpr std::chrono::seconds longest_idle{300};
// What a refused client may still have to send. With a part of it unread the kernel would reset the
// connection (RFC 9112, 9.6), and the client would lose the answer.
constexpr std::chrono::seconds longest_rest{5};
constexpr std::size_t rest_piece = 4096;

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

// A body of GET or HEAD means nothing (RFC 9110, 9.3.1). Were it left unread while a file is sent, its sender
// might never come to read that.
Answer answer_to(const OpenFile& open, const Request& request, bool has_body) {
    if (request.method() != http::verb::get && request.method() != http::verb::head) {
        Answer answer = refused(request, http::status::method_not_allowed);
        answer.head.set(http::field::allow, "GET, HEAD");
        return answer;
    }
    const std::optional<std::string> name = name_in_folder(text_of(request.target()));
    if (!name || has_body) {
        return refused(request, http::status::bad_request);
    }
    FoundFile found = open(*name);
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

}  // namespace

HttpConnection::HttpConnection(tcp::socket socket, const OpenFile& open, const OnRequest& on_request,
                               OnEnd on_end)
    : stream_{std::move(socket)}, open_{open}, on_request_{on_request}, on_end_{std::move(on_end)} {}

void HttpConnection::read() {
    parser_.emplace();
    parser_->header_limit(longest_head);
    parser_->body_limit(std::numeric_limits<std::uint64_t>::max());  // nobody reads it
    stream_.expires_after(longest_idle);
    idle_since_ = std::chrono::steady_clock::now();
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](const error_code& error, std::size_t /*bytes*/) {
                                error ? self->end() : self->answer();
                            });
}

std::optional<std::chrono::steady_clock::time_point> HttpConnection::idle_since() const {
    error_code error;
    return stream_.socket().available(error) == 0 ? idle_since_ : std::nullopt;
}

void HttpConnection::close() {
    on_end_ = nullptr;
    stream_.close();
}

void HttpConnection::reset() {
    error_code ignored;
    stream_.socket().set_option(asio::socket_base::linger{true, 0}, ignored);
    close();
}

void HttpConnection::answer() {
    idle_since_.reset();
    has_body_ = !parser_->is_done();
    const Request request = parser_->release();
    answer_.emplace(answer_to(open_, request, has_body_));
    answer_->head.set(http::field::server, "vm-launch");
    // shim, by HTTP boot, waits for ever behind a file that is not there, unless the connection ends with it.
    answer_->head.keep_alive(request.keep_alive() && !has_body_ &&
                             http::to_status_class(answer_->head.result()) == http::status_class::successful);
    on_request_(fmt::format("http: {} {}: {}", text_of(request.method_string()), text_of(request.target()),
                            answer_->head.result_int()));
    stream_.expires_after(longest_idle);
    serializer_.emplace(answer_->head);
    http::async_write_header(stream_, *serializer_,
                             [self = shared_from_this()](const error_code& error, std::size_t /*bytes*/) {
                                 error ? self->end() : self->send_more();
                             });
}

void HttpConnection::send_more() {
    Slice& left = answer_->slice;
    if (!answer_->file || left.count == 0) {
        answer_->head.keep_alive() ? read() : end();
        return;
    }
    piece_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(piece, left.count)));
    const ssize_t count =
        ::pread(answer_->file.get(), piece_.data(), piece_.size(), static_cast<off_t>(left.first));
    if (count <= 0) {
        end();  // the file has become shorter: the client sees that bytes are missing
        return;
    }
    left.first += static_cast<std::uint64_t>(count);
    left.count -= static_cast<std::uint64_t>(count);
    stream_.expires_after(longest_idle);
    asio::async_write(stream_, asio::buffer(piece_.data(), static_cast<std::size_t>(count)),
                      [self = shared_from_this()](const error_code& error, std::size_t /*bytes*/) {
                          error ? self->end() : self->send_more();
                      });
}

void HttpConnection::drop_rest() {
    stream_.async_read_some(asio::buffer(piece_),
                            [self = shared_from_this()](const error_code& error, std::size_t /*bytes*/) {
                                error ? self->end() : self->drop_rest();
                            });
}

void HttpConnection::end() {
    error_code ignored;
    if (std::exchange(has_body_, false)) {
        stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
        stream_.expires_after(longest_rest);
        piece_.resize(rest_piece);
        drop_rest();
        return;
    }
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    if (on_end_) {
        on_end_(shared_from_this());
    }
}

}  // namespace vml::serve
