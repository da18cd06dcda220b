// The QMP client: a Session on a connected socket, driven by an io_context.
#pragma once

#include <functional>
#include <memory>
#include <variant>

#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include "base/fd.h"
#include "qmp/message.h"
#include "qmp/session.h"

namespace vml::qmp {

// What became of a command: its value, or why there is none. Class `disconnected` says that no answer will
// come: the command may have been carried out or not.
using Result = std::variant<nlohmann::json, Failure>;
using Callback = std::function<void(const Result&)>;

// Any of them may be left empty. When they run, see Client.
struct Handlers {
    std::function<void(const Greeting&)> on_ready;  // qmp_capabilities was answered
    std::function<void(const Event&)> on_event;     // before the reply that follows it on the wire
    // The client closes by itself after a fatal one.
    std::function<void(const ProtocolFault&)> on_protocol_fault;
    std::function<void()> on_closed;  // once; every pending command has failed by then
};

// Single-threaded: all calls come from the thread that runs the io_context, which must outlive the client.
//
// Handlers and callbacks run only inside io_context::run (or poll), never inside a call to the client, one at
// a time and in wire order. They may send, close, and destroy the client. An exception of theirs passes out
// of run untouched; the next run goes on with the delivery after that one. They must not wait for an answer
// by running the io_context themselves: nothing is delivered inside a handler.
//
// The client has no timers: how long an answer may take is the caller's to decide. Idle, it never wakes.
class Client {
  public:
    // Takes the socket (a connected Unix stream socket, QEMU at the other end), makes it non-blocking and
    // starts to negotiate. Throws vml::Error when the socket cannot be watched.
    Client(boost::asio::io_context& io, OwnedFd socket, Handlers handlers);

    // Closes the socket. No handler or callback runs any more, also not those of pending commands; to have
    // these fail, call close() and run the io_context first.
    ~Client();

    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    Client(Client&&) = delete;
    Client& operator=(Client&&) = delete;

    // Sends a command, which may be done before on_ready: the order is kept. The callback runs exactly once,
    // unless the client is destroyed first; it may be empty. After the end of the connection it gets a
    // Failure of class `disconnected`.
    void send(const Command& command, Callback callback);

    // Ends the connection: what has not been sent or delivered is dropped, pending commands fail, then
    // on_closed runs. The same happens by itself when QEMU goes, but then all complete lines are delivered
    // first. Calling it again does nothing.
    void close();

    [[nodiscard]] State state() const noexcept;

  private:
    class Connection;
    std::shared_ptr<Connection> connection_;  // shared with the operations that are under way
};

}  // namespace vml::qmp
