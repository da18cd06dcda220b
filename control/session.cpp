#include "control/session.h"

#include <optional>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>

namespace vml::control {

namespace {

using boost::system::error_code;

Fault too_long() {
    return {"this is no request", "the line is longer than any request",
            R"(for example {"command":"status"})", ExitCode::failed};
}

// How much of it goes without waiting; nothing where the other end has gone.
std::optional<std::size_t> write_now(Session::Socket& socket, std::string_view bytes) {
    if (bytes.empty()) {
        return 0;
    }
    error_code error;
    const std::size_t count = socket.write_some(boost::asio::buffer(bytes.data(), bytes.size()), error);
    const bool full = error == boost::asio::error::would_block || error == boost::asio::error::try_again;
    return error && !full ? std::nullopt : std::optional{count};
}

}  // namespace

Session::Session(Socket socket, const Limits& limits, Server::Handler handler, std::function<void()> on_gone)
    : socket_{std::move(socket)},
      limits_{limits},
      handler_{std::move(handler)},
      on_gone_{std::move(on_gone)},
      request_timer_{socket_.get_executor()} {}

void Session::start() {
    error_code ignored;
    socket_.non_blocking(true, ignored);
    wait_for_request();
    read();
}

void Session::close() {
    if (state_ == State::closed) {
        return;
    }
    state_ = State::closed;
    request_timer_.cancel();
    error_code ignored;
    socket_.close(ignored);
    boost::asio::post(socket_.get_executor(), [self = shared_from_this()] {
        if (const auto closed = std::exchange(self->stream_, {}).on_closed) {
            closed();
        }
        if (const auto gone = std::exchange(self->on_gone_, {})) {
            gone();
        }
    });
}

void Session::abandon() {
    on_gone_ = {};
    stream_ = {};
    handler_ = {};
    close();
}

void Session::read() {
    // Who sends without waiting for answers is not read further than one request ahead.
    if (reading_ || state_ == State::closed || received_.size() > longest_request) {
        return;
    }
    reading_ = true;
    socket_.async_read_some(boost::asio::buffer(chunk_),
                            [self = shared_from_this()](const error_code& error, std::size_t count) {
                                self->reading_ = false;
                                if (error) {
                                    self->close();
                                } else if (self->state_ != State::closed) {
                                    self->took({self->chunk_.data(), count});
                                    self->read();
                                }
                            });
}

void Session::took(std::string_view bytes) {
    if (state_ == State::streaming) {
        if (stream_.on_bytes) {
            stream_.on_bytes(bytes);
        }
        return;
    }
    received_ += bytes;
    next_requests();
}

void Session::next_requests() {
    if (std::exchange(in_requests_, true)) {
        return;
    }
    // Who takes no answers asks no more: there is never more than one answer in memory.
    while (state_ == State::waiting && outbox_.empty() && take_request()) {
    }
    in_requests_ = false;
    read();
}

// Is there another one to look at?
bool Session::take_request() {
    const std::size_t end = received_.find('\n');
    if (end == std::string::npos ? received_.size() > longest_request : end > longest_request) {
        send_answer(format_refusal(too_long()), {});
        close_when_sent({});
        return false;
    }
    if (end == std::string::npos) {
        return false;
    }
    const std::string line = received_.substr(0, end);
    received_.erase(0, end + 1);
    handle(line);
    return true;
}

void Session::handle(std::string_view line) {
    auto request = parse_request(line);
    if (const auto* fault = std::get_if<Fault>(&request)) {
        send_answer(format_refusal(*fault), {});
        return;
    }
    state_ = State::answering;
    request_timer_.cancel();
    try {
        handler_(std::get<Request>(request), Exchange{weak_from_this()});
    } catch (const Error& error) {
        send_answer(format_refusal(error.faults().front()), {});
    } catch (const std::exception& error) {  // arguments of the wrong type, above all
        send_answer(format_refusal({"the request cannot be carried out", error.what(), "", ExitCode::failed}),
                    {});
    }
}

void Session::wait_for_request() {
    request_timer_.expires_after(limits_.request_time);
    request_timer_.async_wait([self = weak_from_this()](const error_code& error) {
        const auto session = self.lock();
        if (!error && session && session->state_ == State::waiting) {
            session->close();
        }
    });
}

void Session::send_answer(std::string_view line, std::string_view bytes) {
    if (state_ == State::answering) {
        state_ = State::waiting;
        wait_for_request();
    }
    for (std::string_view part : {line, bytes}) {
        part.remove_prefix(send_at_once(part));
        outbox_.add(part);
    }
    if (outbox_.size() > limits_.unsent) {
        close();
    }
    send_waiting();
    next_requests();
}

void Session::become_stream(std::string_view line, Exchange::Stream handlers) {
    if (state_ != State::answering) {
        return;
    }
    state_ = State::streaming;
    stream_ = std::move(handlers);
    outbox_.notice_losses_by(stream_.lost_notice);
    line.remove_prefix(send_at_once(line));
    outbox_.add(line);
    send_waiting();
    if (!received_.empty() && stream_.on_bytes) {
        stream_.on_bytes(std::exchange(received_, {}));
    }
    read();
}

void Session::write(std::string_view bytes) {
    if (state_ == State::streaming) {
        bytes.remove_prefix(send_at_once(bytes));
        outbox_.add_to_stream(bytes, limits_.unsent_stream);
        send_waiting();
    }
}

void Session::close_when_sent(std::string_view last) {
    if (state_ == State::streaming && !last.empty()) {
        last.remove_prefix(send_at_once(last));
        outbox_.add_last(last);
        send_waiting();
    }
    if (outbox_.empty()) {
        close();
    } else {
        close_when_sent_ = true;
    }
}

// What the socket takes goes out at once, so that also the last words of a run arrive. How much of it?
std::size_t Session::send_at_once(std::string_view bytes) {
    if (!outbox_.empty() || state_ == State::closed) {
        return 0;
    }
    const auto count = write_now(socket_, bytes);
    if (!count) {
        close();
    }
    return count.value_or(0);
}

void Session::send_waiting() {
    if (sending_ || outbox_.empty() || state_ == State::closed) {
        return;
    }
    sending_ = true;
    socket_.async_wait(Socket::wait_write, [self = shared_from_this()](const error_code& error) {
        self->sending_ = false;
        if (self->state_ == State::closed) {
            return;
        }
        const auto count = error ? std::nullopt : write_now(self->socket_, self->outbox_.waiting());
        if (!count) {
            self->close();
            return;
        }
        self->outbox_.sent(*count);
        if (self->outbox_.empty() && self->close_when_sent_) {
            self->close();
        }
        self->send_waiting();
        self->next_requests();
    });
}

}  // namespace vml::control
