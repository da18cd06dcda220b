// One client's connection to a control socket.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include "control/outbox.h"
#include "control/protocol.h"
#include "control/server.h"

namespace vml::control {

// Reads requests one after another: the next one is looked at when the one before has its answer. Lives as
// long as an operation of its own is under way or its server keeps it; never touches the server but through
// `on_gone`.
class Session : public std::enable_shared_from_this<Session> {
  public:
    using Socket = boost::asio::local::stream_protocol::socket;

    Session(Socket socket, const Limits& limits, Server::Handler handler, std::function<void()> on_gone);

    void start();
    // At once, with what can be sent without waiting sent; nothing of the outside is called any more but a
    // stream's on_closed and, from the event loop, on_gone.
    void close();
    // Ends it without a word to anybody: its server goes.
    void abandon();

    void send_answer(std::string_view line, std::string_view bytes);
    void become_stream(std::string_view line, Exchange::Stream handlers);
    void write(std::string_view bytes);
    // After the last words of a stream, if there are any.
    void close_when_sent(std::string_view last);

  private:
    enum class State { waiting, answering, streaming, closed };

    void read();
    void took(std::string_view bytes);
    void next_requests();
    bool take_request();
    void handle(std::string_view line);
    void wait_for_request();
    [[nodiscard]] std::size_t send_at_once(std::string_view bytes);
    void send_waiting();

    Socket socket_;
    Limits limits_;
    Server::Handler handler_;
    std::function<void()> on_gone_;
    boost::asio::steady_timer request_timer_;
    State state_ = State::waiting;
    bool in_requests_ = false;  // next_requests() runs: an answer that comes at once must not start another
    bool reading_ = false;
    bool sending_ = false;
    bool close_when_sent_ = false;
    std::array<char, 4096> chunk_{};
    std::string received_;
    Outbox outbox_;
    Exchange::Stream stream_;
};

}  // namespace vml::control
