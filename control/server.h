// The server's end of a control socket, in an event loop that must never wait for a client: what a hostile or
// a slow client can do is to lose its own connection.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include "control/claim.h"
#include "control/outbox.h"
#include "control/protocol.h"

namespace vml::control {

struct Limits {
    std::size_t clients = 16;  // at a time; another one is told so and closed
    std::chrono::milliseconds request_time{
        10'000};                                 // for a whole request, so that idlers take no place for long
    std::size_t unsent = std::size_t{64} << 20;  // bytes of answers that a client does not take
    std::size_t unsent_stream = std::size_t{64} << 10;  // of a stream: more is lost to the client
};

class Session;

// One request's way back to its client. Copies are the same exchange; it may be kept, and used after the
// client has gone: then nothing happens. Exactly one of answer, refuse and stream ends it.
class Exchange {
  public:
    struct Stream {
        std::function<void(std::string_view bytes)> on_bytes;
        std::function<void()> on_closed;  // once, from the event loop
        LostNotice lost_notice{};
    };

    explicit Exchange(std::weak_ptr<Session> session) : session_{std::move(session)} {}

    void answer(const nlohmann::json& value) const;
    void answer(nlohmann::json value, std::string_view bytes) const;  // adds "bytes" to the object
    void refuse(const Fault& fault) const;
    // The connection is a stream from here on.
    void stream(const nlohmann::json& value, Stream handlers) const;
    // Sends over a stream. A client that does not keep up loses whole writes, and is told so where they are
    // missing.
    void write(std::string_view bytes) const;
    // Once all is sent; `last`, the last words of a stream, are never lost.
    void close(std::string_view last = {}) const;

  private:
    std::weak_ptr<Session> session_;
};

class Server {
  public:
    using Handler = std::function<void(const Request&, Exchange)>;

    // Listens from here on, in the first of these folders that can be had. Throws Error (claim.h). `handler`
    // is called inside io_context::run; the context outlives the server.
    Server(boost::asio::io_context& io, const std::vector<Folder>& folders, const std::string& name,
           Handler handler, const Limits& limits = {});
    // Closes every connection. No handler runs any more.
    ~Server();

    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    Server(Server&&) = delete;
    Server& operator=(Server&&) = delete;

    [[nodiscard]] std::size_t clients() const { return sessions_.size(); }
    [[nodiscard]] const Address& address() const { return claim_.address(); }

  private:
    void accept();
    void accepted(boost::asio::local::stream_protocol::socket socket);
    [[nodiscard]] bool may_talk(boost::asio::local::stream_protocol::socket& socket) const;

    Claim claim_;
    Handler handler_;
    Limits limits_;
    boost::asio::local::stream_protocol::acceptor acceptor_;
    boost::asio::steady_timer pause_;
    std::list<std::shared_ptr<Session>> sessions_;
};

}  // namespace vml::control
