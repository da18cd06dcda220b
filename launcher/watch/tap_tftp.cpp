#include "launcher/watch/tap_tftp.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include <boost/system/error_code.hpp>
#include <sys/socket.h>

#include "netserve/frame_bytes.h"
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

TapTftp::TapTftp(boost::asio::io_context& io, Config config, OnRequest on_request)
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

TapTftp::~TapTftp() {
    readable_.release();
}

void TapTftp::wait() {
    readable_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [this](const boost::system::error_code& error) {
                             if (!error) {
                                 read();
                             }
                         });
}

// A link that has gone says so at every read: then nothing is waited for.
void TapTftp::read() {
    std::array<char, longest_frame> room{};
    ssize_t count = 0;
    for (int turn = 0; turn < datagrams_at_once && count >= 0; ++turn) {
        count = net::read_frame(view_.get(), room).count;
        const auto read =
            count > 0 ? serve::read_udp4({room.data(), static_cast<std::size_t>(count)}) : std::nullopt;
        if (read && read->ends.from_mac == guest_ && read->ends.to == address_ &&
            read->ends.to_port == serve::tftp_port) {
            const serve::UdpEnd client{read->ends.from, read->ends.from_port};
            send(client, server_.take(client, read->payload, Clock::now()));
        }
    }
    const bool goes_on = count >= 0 || errno == EAGAIN || errno == EINTR;
    wait_to_repeat();
    if (goes_on) {
        wait();
    }
}

void TapTftp::send(const serve::UdpEnd& to, const std::vector<std::string>& payloads) {
    for (const std::string& payload : payloads) {
        const std::string frame = serve::udp_frame(
            {guest_, address_, to.address, serve::tftp_port, to.port, serve::our_mac}, payload);
        ::send(view_.get(), frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT);  // else it comes again
    }
}

void TapTftp::wait_to_repeat() {
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
