// What the tests of qmp/ share: a witness that writes down all that a client tells, a fake peer, waits with
// deadlines.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "qmp/client.h"
#include "tests/unit/catch.h"

namespace vml::qmp::test {

inline const std::string greeting_line =
    R"({"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "Debian"}, "capabilities": ["oob"]}})"
    "\r\n";
inline const std::string ready_line = "{\"return\": {}, \"id\": 0}\r\n";

inline std::string event_line(const std::string& name) {
    return R"({"timestamp": {"seconds": 1, "microseconds": 2}, "event": ")" + name + "\"}\r\n";
}

inline std::string reply_line(std::uint64_t id, const std::string& value = "{}") {
    return R"({"return": )" + value + R"(, "id": )" + std::to_string(id) + "}\r\n";
}

inline std::string kind_name(ProtocolFault::Kind kind) {
    constexpr std::array names{"garbled_line", "unknown_id", "failure_without_id",
                               "out_of_turn",  "refused",    "line_too_long"};
    return names.at(static_cast<std::size_t>(kind));
}

inline std::pair<OwnedFd, OwnedFd> socket_pair() {
    std::array<int, 2> fds{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) == 0);
    return {OwnedFd{fds[0]}, OwnedFd{fds[1]}};
}

// Runs the loop until `done`; false when that does not come about in time, or can no longer.
template <typename Done>
bool run_until(boost::asio::io_context& io, Done done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    io.restart();
    while (!done()) {
        if (io.run_one_until(end) == 0) {
            return done();
        }
    }
    return true;
}

// Runs what is ready to run, without waiting.
inline void run_ready(boost::asio::io_context& io) {
    io.restart();
    io.poll();
}

using Log = std::vector<std::string>;

// Writes down, in order, whatever a client tells.
struct Witness {
    Log log;

    Handlers handlers() {
        return {[this](const Greeting& g) {
                    log.push_back("ready " + std::to_string(g.major) + "." + std::to_string(g.minor) + "." +
                                  std::to_string(g.micro));
                },
                [this](const Event& event) { log.push_back("event " + event.name); },
                [this](const ProtocolFault& fault) { log.push_back("fault " + kind_name(fault.kind)); },
                [this] { log.push_back("closed"); }};
    }

    Callback callback(const std::string& name) {
        return [this, name](const Result& result) {
            const auto* failure = std::get_if<Failure>(&result);
            log.push_back(name + (failure != nullptr ? " " + failure->error_class
                                                     : " = " + std::get<nlohmann::json>(result).dump()));
        };
    }

    [[nodiscard]] bool saw(const std::string& line) const {
        return std::find(log.begin(), log.end(), line) != log.end();
    }
    [[nodiscard]] bool closed() const { return saw("closed"); }
};

// The other end of a client's socket, on the same loop. What it says beyond the socket's buffer goes out as
// the client reads.
class FakePeer {
  public:
    FakePeer(boost::asio::io_context& io, OwnedFd fd)
        : socket_{io, boost::asio::local::stream_protocol{}, fd.release()} {
        listen();
    }

    // Only once at a time; `said` counts the bytes that went out.
    void say(std::string bytes) {
        text_ = std::move(bytes);
        said = 0;
        go_on();
    }
    // For small things: in the socket's buffer when it returns.
    void say_now(std::string_view bytes) { boost::asio::write(socket_, boost::asio::buffer(bytes)); }
    void hang_up() { socket_.close(); }

    std::string heard;
    std::size_t said = 0;
    bool client_gone = false;

  private:
    void go_on() {
        socket_.async_write_some(boost::asio::buffer(text_) + said, [this](auto error, std::size_t bytes) {
            said += bytes;
            if (!error && said < text_.size()) {
                go_on();
            }
        });
    }
    void listen() {
        socket_.async_read_some(boost::asio::buffer(input_), [this](auto error, std::size_t bytes) {
            heard.append(input_.data(), bytes);
            client_gone = static_cast<bool>(error);
            if (!error) {
                listen();
            }
        });
    }

    boost::asio::local::stream_protocol::socket socket_;
    std::string text_;
    std::array<char, 4096> input_{};
};

}  // namespace vml::qmp::test
