// The guest's packets as they pass, from a packet socket on its link or from QEMU's dump of a user-mode
// network, in the event loop. Makes system calls.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/bytes.h"
#include "base/read_buffer.h"
#include "bootwatch/pcap.h"
#include "launcher/console/batched_wait.h"
#include "launcher/handles/handles.h"

namespace vml {

struct WireFrame {
    Bytes bytes;             // as many as are looked at
    std::size_t length = 0;  // of the whole frame
    bool came_in = false;    // from the network; false where that is not known
};

class WireWatch {
  public:
    struct Handlers {
        std::function<void(std::size_t nic, const WireFrame& frame)> on_frame;
        // QEMU is to write its dump, or to leave it.
        std::function<void(const std::string& filter, bool on)> on_switch;
        // A rest has ended so much later than it was to, on a busy host.
        std::function<void(double late_s)> on_late_rest;
        // Is the next frame of this NIC to be handed over as soon as it comes, and not with those after it?
        std::function<bool(std::size_t nic)> is_urgent{};
    };

    WireWatch(boost::asio::io_context& io, std::vector<WireTap> taps, Handlers handlers);
    ~WireWatch() = default;
    WireWatch(const WireWatch&) = delete;
    WireWatch& operator=(const WireWatch&) = delete;
    WireWatch(WireWatch&&) = delete;
    WireWatch& operator=(WireWatch&&) = delete;

    // Hands over what has come by now, so that it is seen before what followed it elsewhere.
    void catch_up();

    // Ends all cost for the guest; it begins anew when the guest boots again.
    void pause();
    void resume();

    // QEMU's dump of this NIC is switched off for so long: every packet that it writes costs the guest.
    // Nothing where it rests already, or the frames come from a packet socket, which costs next to nothing.
    void rest(std::size_t nic, std::chrono::duration<double> time);

    // Hands a frame to this guest alone. On a user-mode network QEMU does it; else what is written to a
    // packet socket on a tap comes out of the tap's descriptor, which QEMU reads, and passes no bridge. On a
    // macvtap it would go out to the wire, so never there. False when the link has gone.
    bool send(std::size_t nic, std::string_view frame);

    // Frames that nobody saw because they came too fast.
    [[nodiscard]] unsigned lost() const;

  private:
    using Clock = std::chrono::steady_clock;

    struct Tap {
        Tap(boost::asio::io_context& io, WireTap from, std::function<void()> on_ready);

        WireTap wire;
        BatchedWait wait;
        boost::asio::steady_timer rest;  // of QEMU's dump
        boot::PcapReader dump{};
        bool rests = false;
        Clock::time_point rests_until;
        bool ended = false;  // nothing will come any more
    };

    bool take(std::size_t index, int most);
    void end_rest(std::size_t index);
    void switch_tap(Tap& tap, bool on) const;

    Handlers handlers_;
    std::vector<std::unique_ptr<Tap>> taps_;
    bool running_ = true;
    // The largest piece that is read at once; a frame of a packet socket is at most netsetup's
    // capture_length.
    ReadBuffer<65536> buffer_;
};

}  // namespace vml
