#include "netserve/segment_server.h"

#include <array>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <sys/socket.h>

#include "netserve/dhcp4_answer.h"
#include "netserve/dns_answer.h"
#include "netserve/segment_answer.h"
#include "netserve/socket_tftp.h"
#include "netserve/udp_socket.h"

namespace vml::serve {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

}  // namespace

// Datagrams of one socket, each of which has an answer or none.
class Answering {
  public:
    using Answer = std::function<std::optional<std::string>(std::string_view)>;

    Answering(asio::io_context& io, OwnedFd fd, Answer answer)
        : socket_{udp_socket(io, std::move(fd))}, answer_{std::move(answer)} {
        receive();
    }

  private:
    void receive() {
        socket_.async_receive_from(
            asio::buffer(room_), peer_, [this](const error_code& error, std::size_t count) {
                if (error == asio::error::operation_aborted) {
                    return;
                }
                if (const auto answer = error ? std::nullopt : answer_({room_.data(), count})) {
                    error_code ignored;
                    socket_.send_to(asio::buffer(*answer), peer_, 0, ignored);
                }
                receive();
            });
    }

    asio::ip::udp::socket socket_;
    Answer answer_;
    asio::ip::udp::endpoint peer_;
    std::array<char, 1024> room_{};
};

class SegmentServer::Impl {
  public:
    Impl(asio::io_context& io, SegmentSockets sockets, SegmentGuest guest, OpenFile open,
         const OnRequest& on_request)
        : guest_{std::move(guest)},
          open_{std::move(open)},
          link_{io, sockets.link.get()},
          dns4_{io, std::move(sockets.dns4), name_server()},
          tftp4_{io, std::move(sockets.tftp4), open_, on_request} {
        if (sockets.dns6 && sockets.tftp6) {
            dns6_.emplace(io, std::move(sockets.dns6), name_server());
            tftp6_.emplace(io, std::move(sockets.tftp6), open_, on_request);
        }
        std::ignore = sockets.link.release();
        link_.non_blocking(true);
        wait_for_frames();
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    Impl(Impl&&) = delete;
    Impl& operator=(Impl&&) = delete;
    ~Impl() = default;

  private:
    Answering::Answer name_server() {
        return [this](std::string_view asked) { return dns_answer(guest_, asked); };
    }

    void wait_for_frames() {
        link_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const error_code& error) {
            if (!error) {
                answer_frames();
                wait_for_frames();
            }
        });
    }

    // A flood takes its turns with everything else.
    void answer_frames() {
        constexpr int most_in_a_turn = 32;
        std::array<char, 2048> room{};
        for (int turn = 0; turn < most_in_a_turn; ++turn) {
            const ssize_t count = ::recv(link_.native_handle(), room.data(), room.size(), 0);
            if (count < 0) {
                return;
            }
            const std::string_view asked{room.data(), static_cast<std::size_t>(count)};
            if (const auto answer = segment_answer(guest_, asked)) {
                send(*answer);
            }
            for (const std::string& answer : proxy4_answers(guest_, asked)) {
                send(answer);
            }
        }
    }

    void send(std::string_view frame) { ::send(link_.native_handle(), frame.data(), frame.size(), 0); }

    SegmentGuest guest_;
    OpenFile open_;
    asio::posix::stream_descriptor link_;
    Answering dns4_;
    SocketTftp tftp4_;
    std::optional<Answering> dns6_;
    std::optional<SocketTftp> tftp6_;
};

SegmentServer::SegmentServer(asio::io_context& io, SegmentSockets sockets, SegmentGuest guest, OpenFile open,
                             const OnRequest& on_request)
    : impl_{std::make_unique<Impl>(io, std::move(sockets), std::move(guest), std::move(open), on_request)} {}
SegmentServer::SegmentServer(SegmentServer&&) noexcept = default;
SegmentServer& SegmentServer::operator=(SegmentServer&&) noexcept = default;
SegmentServer::~SegmentServer() = default;

}  // namespace vml::serve
