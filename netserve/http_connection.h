// One connection of a client that reads a folder by HTTP/1.1. In the event loop. Makes system calls.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "base/fd.h"
#include "netserve/folder.h"
#include "netserve/request.h"

namespace vml::serve {

// Lives as long as an operation on it is under way.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
  public:
    using OnRequest = std::function<void(const std::string& line)>;
    using OnEnd = std::function<void(const std::shared_ptr<HttpConnection>&)>;

    // `open` and `on_request` must outlive it.
    HttpConnection(boost::asio::ip::tcp::socket socket, const OpenFile& open, const OnRequest& on_request,
                   OnEnd on_end);

    void read();   // a request, and what follows from it
    void close();  // `on_end` is not called any more
    void reset();  // likewise, and the other side is told at once, by a RST

    // Since when it waits for a request's head; nothing while it has one, or bytes have come that are unread.
    [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> idle_since() const;

    // What is sent for a request: the head, and the slice of the file that follows it.
    struct Answer {
        boost::beast::http::response<boost::beast::http::empty_body> head;
        OwnedFd file;
        Slice slice;
    };

  private:
    void answer();
    void send_more();
    void drop_rest();  // of a request whose body nobody wants
    void end();

    static constexpr std::uint32_t longest_head = 8192;

    boost::beast::tcp_stream stream_;
    const OpenFile& open_;
    const OnRequest& on_request_;
    OnEnd on_end_;
    boost::beast::flat_buffer buffer_{longest_head};
    std::optional<boost::beast::http::request_parser<boost::beast::http::empty_body>> parser_;
    std::optional<Answer> answer_;
    std::optional<boost::beast::http::response_serializer<boost::beast::http::empty_body>> serializer_;
    std::vector<char> piece_;
    std::optional<std::chrono::steady_clock::time_point> idle_since_;
    bool has_body_ = false;  // of the request that is answered, and unread
};

}  // namespace vml::serve
