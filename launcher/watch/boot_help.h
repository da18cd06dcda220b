// Spares the guest's boot the waits that nobody needs (shortcuts.h, link_pause.h) while the VM runs, and
// tells its iPXE what vm-launch serves (own_offer.h). Runs in the event loop.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/log.h"
#include "launcher/watch/link_pause.h"
#include "launcher/watch/offer_repeat.h"
#include "launcher/watch/own_offer.h"
#include "launcher/watch/shortcuts.h"

namespace vml {

class BootHelp {
  public:
    struct Hands {
        std::function<void(const LinkSwitch& link)> switch_link;
        std::function<void()> press_key;
        // Hands a frame to this guest alone, after all that has come for it by now; false when it cannot.
        std::function<void()> catch_up;
        std::function<bool(std::size_t nic, std::string_view frame)> send;
        // One went out that is not told of otherwise.
        std::function<void(std::size_t nic, std::string_view frame)> sent;
        std::function<double()> now;  // seconds since the guest began to run
        std::function<const boot::Boot&()> boot;
        std::function<const boot::Boot&()> boot_without_fetches;  // at no cost
    };

    struct Helps {
        Shortcuts shortcuts;
        LinkPause link_pause;
        OfferRepeat offer_repeat;
        OwnOffer own_offer;
    };

    BootHelp(boost::asio::io_context& io, Helps helps, Log& log, Hands hands);

    void console_line(const std::string& line);
    // `quiet_s`: see Shortcuts::may_press.
    void console_partial(const std::string& line, double quiet_s);
    // On the link of a watched NIC: what is offered to the guest, which waits for it while another server may
    // be as fast. The frames that went out, for the record.
    [[nodiscard]] std::vector<std::string> offer_own(std::size_t nic, const boot::Packet& packet);
    // All else that follows from it.
    void packet(std::size_t nic, const boot::Packet& packet);
    void was_reset();

    [[nodiscard]] const Shortcuts& shortcuts() const { return helps_.shortcuts; }
    [[nodiscard]] const OwnOffer& own_offer() const { return helps_.own_offer; }

  private:
    void answer_search(std::size_t nic);
    void advertise(std::size_t nic);
    [[nodiscard]] bool spare_a_wait(std::size_t nic, std::string_view frame) const;
    void repeat_offer(std::size_t nic, const boot::Packet& packet);
    void switch_links(const std::vector<LinkSwitch>& switches);

    boost::asio::io_context& io_;
    Log& log_;
    Hands hands_;
    Helps helps_;
    boost::asio::steady_timer longest_pause_;
    std::map<std::size_t, boost::asio::steady_timer>
        patience_;  // until a NIC's search for a router is answered
};

}  // namespace vml
