#include "qmp/client.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/error_code.hpp>

#include "base/error.h"
#include "base/read_buffer.h"

namespace vml::qmp {

namespace asio = boost::asio;
using boost::system::error_code;

// Outlives its Client by the operations that are under way, and so survives a Client that is destroyed in a
// handler.
//
// At any time either one read is under way, or pump() runs or is scheduled, or the connection has ended: so
// deliveries never overlap.
class Client::Connection : public std::enable_shared_from_this<Client::Connection> {
  public:
    Connection(asio::io_context& io, OwnedFd fd, Handlers handlers);

    void start();
    void send(const Command& command, Callback callback);
    void close(std::string_view reason);
    void detach() noexcept;
    [[nodiscard]] State state() const noexcept { return session_.state(); }

  private:
    using Protocol = asio::local::stream_protocol;

    void read();
    void on_read(const error_code& error, std::size_t bytes);
    void write(std::string_view line);
    void write_more();
    void on_written(const error_code& error);

    void schedule_pump();
    void pump();
    [[nodiscard]] bool deliver_one();
    void deliver(const Ready& ready) const;
    void deliver(const Event& event) const;
    void deliver(Reply& reply);
    void deliver(Failure& failure);
    void deliver(const ProtocolFault& fault);
    void finish(std::uint64_t id, const Result& result);
    void fail_later(Callback callback);
    void say_closed();

    asio::io_context& io_;
    Protocol::socket socket_;
    Handlers handlers_;
    Session session_;
    std::map<std::uint64_t, Callback> callbacks_;  // of every command that has not been finished
    std::deque<Failure> unanswered_;               // what the end of the session left to fail
    ReadBuffer<std::size_t{64} * 1024> input_;
    std::string in_flight_;  // what the write under way holds on to
    std::string outgoing_;   // what comes behind it
    bool pumping_ = false;
    bool closed_ = false;
    bool said_closed_ = false;
    bool detached_ = false;
};

Client::Connection::Connection(asio::io_context& io, OwnedFd fd, Handlers handlers)
    : io_{io}, socket_{io}, handlers_{std::move(handlers)} {
    error_code error;
    socket_.assign(Protocol{}, fd.get(), error);
    if (error) {
        throw Error{Fault{"cannot watch the QMP socket", error.message(), "", ExitCode::failed}};
    }
    static_cast<void>(fd.release());  // the socket's from here on
}

void Client::Connection::start() {
    write(Session::opening());
    read();
}

void Client::Connection::read() {
    socket_.async_read_some(asio::buffer(input_.data(), input_.size()),
                            [self = shared_from_this()](const error_code& error, std::size_t bytes) {
                                self->on_read(error, bytes);
                            });
}

void Client::Connection::on_read(const error_code& error, std::size_t bytes) {
    if (closed_) {
        return;
    }
    if (error) {
        close(error == asio::error::eof ? "QEMU closed the QMP connection" : error.message());
        return;
    }
    session_.feed(std::string_view{input_.data(), bytes});
    pump();
}

void Client::Connection::write(std::string_view line) {
    outgoing_ += line;
    if (in_flight_.empty()) {
        write_more();
    }
}

void Client::Connection::write_more() {
    in_flight_.swap(outgoing_);
    asio::async_write(socket_, asio::buffer(in_flight_),
                      [self = shared_from_this()](const error_code& error, std::size_t /*bytes*/) {
                          self->on_written(error);
                      });
}

// A write fails when QEMU has gone, but its last words may still wait to be read. With both directions shut
// down the read side gets what is there and then the end, which is where the connection is closed.
void Client::Connection::on_written(const error_code& error) {
    in_flight_.clear();
    if (closed_) {
        return;
    }
    if (error) {
        outgoing_.clear();
        error_code ignored;
        socket_.shutdown(Protocol::socket::shutdown_both, ignored);
        return;
    }
    if (!outgoing_.empty()) {
        write_more();
    }
}

void Client::Connection::send(const Command& command, Callback callback) {
    const auto outgoing = session_.command(command);
    if (!outgoing) {
        fail_later(std::move(callback));
        return;
    }
    callbacks_.emplace(outgoing->id, std::move(callback));
    write(outgoing->line);
}

// Posted, not queued for pump(): a callback that sends again on failure must not keep pump() from ending.
void Client::Connection::fail_later(Callback callback) {
    asio::post(io_, [self = shared_from_this(), callback = std::move(callback)] {
        if (callback && !self->detached_) {
            callback(Failure{std::nullopt, std::string{disconnected}, "the QMP connection has ended"});
        }
    });
}

void Client::Connection::close(std::string_view reason) {
    if (closed_) {
        return;
    }
    closed_ = true;
    error_code ignored;
    socket_.close(ignored);
    const auto failures = session_.close(reason);
    unanswered_.assign(failures.begin(), failures.end());
    if (!pumping_) {
        schedule_pump();
    }
}

void Client::Connection::detach() noexcept {
    detached_ = true;
    closed_ = true;
    error_code ignored;
    socket_.close(ignored);
}

void Client::Connection::schedule_pump() {
    asio::post(io_, [self = shared_from_this()] { self->pump(); });
}

// Delivers all there is, then reads on. When a handler throws, the rest is delivered by the next run of the
// io_context.
void Client::Connection::pump() {
    if (pumping_) {
        return;
    }
    pumping_ = true;
    try {
        while (deliver_one()) {
        }
    } catch (...) {
        pumping_ = false;
        schedule_pump();
        throw;
    }
    pumping_ = false;
    if (!closed_) {
        read();
    }
}

bool Client::Connection::deliver_one() {
    if (detached_) {
        return false;
    }
    if (auto delivery = session_.next()) {
        std::visit([this](auto& thing) { deliver(thing); }, *delivery);
        return true;
    }
    if (!unanswered_.empty()) {
        Failure failure = std::move(unanswered_.front());
        unanswered_.pop_front();
        deliver(failure);
        return true;
    }
    if (closed_ && !said_closed_) {
        say_closed();
    }
    return false;
}

void Client::Connection::deliver(const Ready& ready) const {
    if (handlers_.on_ready) {
        handlers_.on_ready(ready.greeting);
    }
}

void Client::Connection::deliver(const Event& event) const {
    if (handlers_.on_event) {
        handlers_.on_event(event);
    }
}

void Client::Connection::deliver(Reply& reply) {
    finish(reply.id, Result{std::in_place_type<nlohmann::json>, std::move(reply.value)});
}

void Client::Connection::deliver(Failure& failure) {
    const std::uint64_t id = failure.id.value();
    finish(id, Result{std::in_place_type<Failure>, std::move(failure)});
}

// A fatal fault closes first, so that the connection is in order whatever the handler does.
void Client::Connection::deliver(const ProtocolFault& fault) {
    if (is_fatal(fault.kind)) {
        close("the QMP connection was dropped: " + fault.why);
    }
    if (handlers_.on_protocol_fault) {
        handlers_.on_protocol_fault(fault);
    }
}

void Client::Connection::finish(std::uint64_t id, const Result& result) {
    auto entry = callbacks_.extract(id);
    if (!entry.empty() && entry.mapped()) {
        entry.mapped()(result);
    }
}

// The handlers go with the last call: they often hold what owns the client.
void Client::Connection::say_closed() {
    said_closed_ = true;
    const Handlers last = std::exchange(handlers_, {});
    if (last.on_closed) {
        last.on_closed();
    }
}

Client::Client(boost::asio::io_context& io, OwnedFd socket, Handlers handlers)
    : connection_{std::make_shared<Connection>(io, std::move(socket), std::move(handlers))} {
    connection_->start();
}

Client::~Client() {
    connection_->detach();
}

void Client::send(const Command& command, Callback callback) {
    connection_->send(command, std::move(callback));
}

void Client::close() {
    connection_->close("the QMP connection was closed on this side");
}

State Client::state() const noexcept {
    return connection_->state();
}

}  // namespace vml::qmp
