#include "launcher/watch/wire_watch.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netsetup/capture.h"

namespace vml {

namespace {

// So much is read in one go; then it is the turn of everything else that waits in the loop.
constexpr int reads_at_once = 256;
// What came before a console line is read before it, however far the watch is behind a fast fetch; a flood
// is not waited for.
constexpr int reads_to_catch_up = 16384;

// An idle one costs the guest a look at each packet.
void switch_inlet(const WireTap& wire, const WireWatch::Handlers& handlers, bool on) {
    if (wire.inlet) {
        handlers.on_switch(wire.inlet_name, on);
    }
}

}  // namespace

WireWatch::Tap::Tap(boost::asio::io_context& io, WireTap from, std::function<void()> on_ready)
    : wire{std::move(from)}, wait{io, wire.fd.get(), std::move(on_ready)}, rest{io} {
    ::fcntl(wire.fd.get(), F_SETFL, O_NONBLOCK);
    wait.begin();
}

WireWatch::WireWatch(boost::asio::io_context& io, std::vector<WireTap> taps, Handlers handlers)
    : handlers_{std::move(handlers)} {
    for (std::size_t index = 0; index < taps.size(); ++index) {
        taps_.push_back(std::make_unique<Tap>(io, std::move(taps[index]), [this, index] {
            if (take(index, reads_at_once)) {
                BatchedWait& wait = taps_[index]->wait;
                handlers_.is_urgent&& handlers_.is_urgent(index) ? wait.begin() : wait.begin_after_rest();
            }
        }));
    }
}

void WireWatch::catch_up() {
    for (std::size_t index = 0; running_ && index < taps_.size(); ++index) {
        take(index, reads_to_catch_up);
    }
}

// False when nothing will come any more.
bool WireWatch::take(std::size_t index, int most) {
    Tap& tap = *taps_[index];
    const int fd = tap.wire.fd.get();
    const auto seen = [&](ssize_t count) {
        return bytes_of({buffer_.data(), static_cast<std::size_t>(count)});
    };
    for (int turn = 0; turn < most && !tap.ended; ++turn) {
        ssize_t count = -1;
        if (tap.wire.filter.empty()) {
            const net::CapturedFrame frame = net::read_frame(fd, {buffer_.data(), net::capture_length});
            if ((count = frame.count) >= 0) {
                handlers_.on_frame(index, {seen(count), frame.length, tap.wire.alone && frame.outgoing});
            }
        } else if ((count = ::read(fd, buffer_.data(), buffer_.size())) >= 0) {
            tap.ended =
                count == 0 || !tap.dump.feed(seen(count).chars(), [&](Bytes frame, std::size_t length) {
                    handlers_.on_frame(index, {frame, length, false});
                });
        }
        if (count < 0) {
            tap.ended = errno != EAGAIN && errno != EINTR;
            break;
        }
    }
    return !tap.ended;
}

void WireWatch::switch_tap(Tap& tap, bool on) const {
    if (!tap.wire.filter.empty()) {
        handlers_.on_switch(tap.wire.filter, on);
    } else if (on) {
        net::resume_capture(tap.wire.fd.get(), tap.wire.link_index);
    } else {
        net::pause_capture(tap.wire.fd.get(), tap.wire.link_index);
    }
}

void WireWatch::pause() {
    if (std::exchange(running_, false)) {
        for (const auto& tap : taps_) {
            switch_tap(*tap, false);
            switch_inlet(tap->wire, handlers_, false);
        }
    }
}

void WireWatch::resume() {
    if (!std::exchange(running_, true)) {
        for (const auto& tap : taps_) {
            switch_tap(*tap, true);
            switch_inlet(tap->wire, handlers_, true);
        }
    }
}

void WireWatch::rest(std::size_t nic, std::chrono::duration<double> time) {
    Tap& tap = *taps_[nic];
    if (tap.wire.filter.empty() || !running_ || std::exchange(tap.rests, true)) {
        return;
    }
    switch_tap(tap, false);
    tap.rests_until = Clock::now() + std::chrono::duration_cast<Clock::duration>(time);
    tap.rest.expires_at(tap.rests_until);
    tap.rest.async_wait([this, nic](const boost::system::error_code& error) {
        if (!error) {
            end_rest(nic);
        }
    });
}

// What still lies in the pipe is older than the rest, and no reason for the next one.
void WireWatch::end_rest(std::size_t index) {
    Tap& tap = *taps_[index];
    take(index, reads_at_once);
    tap.rests = false;
    if (running_) {
        switch_tap(tap, true);
    }
    handlers_.on_late_rest(std::chrono::duration<double>(Clock::now() - tap.rests_until).count());
}

// The stream's length is four bytes, the highest first (QEMU net/net.c, net_fill_rstate). It is never full:
// QEMU reads it at once, and what is sent is less than a socket's least buffer.
bool WireWatch::send(std::size_t nic, std::string_view frame) {
    const WireTap& wire = taps_[nic]->wire;
    std::string whole;
    if (wire.inlet) {
        whole = {'\0', '\0', static_cast<char>(frame.size() >> 8U & 0xFFU),
                 static_cast<char>(frame.size() & 0xFFU)};
    }
    whole += frame;
    const int fd = wire.inlet ? wire.inlet.get() : wire.fd.get();
    return ::send(fd, whole.data(), whole.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
           static_cast<ssize_t>(whole.size());
}

unsigned WireWatch::lost() const {
    unsigned lost = 0;
    for (const auto& tap : taps_) {
        lost += tap->wire.filter.empty() ? net::lost_frames(tap->wire.fd.get()) : 0;
    }
    return lost;
}

}  // namespace vml
