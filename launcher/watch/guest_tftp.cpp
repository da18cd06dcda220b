#include "launcher/watch/guest_tftp.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include <boost/system/error_code.hpp>
#include <sys/socket.h>

#include "netserve/tftp_file.h"
#include "netserve/udp_frame.h"
#include "netsetup/capture.h"

namespace vml {

namespace {

using Clock = std::chrono::steady_clock;

// A request's names fit into a frame of any Ethernet; an acknowledgement is tiny.
constexpr std::size_t longest_frame = 2048;
// So much is read in one go; then it is the turn of everything else that waits in the loop.
constexpr int datagrams_at_once = 64;

}  // namespace

GuestTftp::GuestTftp(boost::asio::io_context& io, Config config, OnRequest on_request)
    : view_{std::move(config.view)},
      guest_{config.guest},
      address_{config.address},
      server_{
          {[open = std::move(config.open)](const std::string& name) { return serve::tftp_file(open(name)); },
           config.most_block, std::move(on_request)}},
      readable_{io, view_.get()},
      repeat_{io} {
    wait();
}

GuestTftp::~GuestTftp() {
    readable_.release();
}

void GuestTftp::wait() {
    readable_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [this](const boost::system::error_code& error) {
                             if (!error) {
                                 read();
                             }
                         });
}

// A link that has gone says so at every read: then nothing is waited for.
void GuestTftp::read() {
    std::array<char, longest_frame> room{};
    ssize_t count = 0;
    for (int turn = 0; turn < datagrams_at_once && count >= 0; ++turn) {
        count = net::read_frame(view_.get(), room).count;
        const auto datagram =
            count > 0 ? serve::datagram_in(bytes_of({room.data(), static_cast<std::size_t>(count)}))
                      : std::nullopt;
        if (datagram && datagram->sender == guest_ &&
            datagram->to == serve::UdpEnd{address_, serve::tftp_port}) {
            send(datagram->from, server_.take(datagram->from, datagram->payload, Clock::now()));
        }
    }
    const bool goes_on = count >= 0 || errno == EAGAIN || errno == EINTR;
    wait_to_repeat();
    if (goes_on) {
        wait();
    }
}

void GuestTftp::send(const serve::UdpEnd& to, const std::vector<std::string>& payloads) {
    for (const std::string& payload : payloads) {
        const std::string frame = serve::udp_frame(guest_, {address_, serve::tftp_port}, to, payload);
        ::send(view_.get(), frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT);  // else it comes again
    }
}

void GuestTftp::wait_to_repeat() {
    const auto next = server_.next_repeat();
    if (!next) {
        repeat_.cancel();
        return;
    }
    repeat_.expires_at(*next);
    repeat_.async_wait([this](const boost::system::error_code& error) {
        if (!error) {
            for (const auto& sending : server_.repeat(Clock::now())) {
                send(sending.client, sending.payloads);
            }
            wait_to_repeat();
        }
    });
}

}  // namespace vml
