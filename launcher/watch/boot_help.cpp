#include "launcher/watch/boot_help.h"

#include <chrono>
#include <optional>
#include <utility>

#include <boost/system/error_code.hpp>
#include <fmt/format.h>

#include "netserve/router_advertisement.h"

namespace vml {

namespace {

using boost::system::error_code;

std::chrono::steady_clock::duration from_seconds(double seconds) {
    return std::chrono::duration_cast<std::chrono::steady_clock::duration>(
        std::chrono::duration<double>{seconds});
}

}  // namespace

BootHelp::BootHelp(boost::asio::io_context& io, Shortcuts shortcuts, LinkPause link_pause,
                   OfferRepeat offer_repeat, Log& log, Hands hands)
    : io_{io},
      log_{log},
      hands_{std::move(hands)},
      shortcuts_{std::move(shortcuts)},
      link_pause_{std::move(link_pause)},
      offer_repeat_{std::move(offer_repeat)},
      longest_pause_{io} {}

void BootHelp::console_line(const std::string& line) {
    shortcuts_.line(line, hands_.boot_without_fetches());
    switch_links(link_pause_.line(line));
}

void BootHelp::console_partial(const std::string& line, double quiet_s) {
    if (!shortcuts_.is_prompt(line)) {
        return;
    }
    hands_.catch_up();  // iPXE may be further than its console shows
    if (shortcuts_.may_press(hands_.boot(), quiet_s)) {
        hands_.press_key();
        log_.debug(shortcuts_.key_pressed(hands_.now()));
    } else {
        shortcuts_.leave_prompt();
    }
}

void BootHelp::packet(std::size_t nic, const boot::Packet& packet) {
    shortcuts_.packet(nic, packet, hands_.now());
    answer_search(nic);
    repeat_offer(nic, packet);
}

void BootHelp::repeat_offer(std::size_t nic, const boot::Packet& packet) {
    const auto offer = offer_repeat_.repeated(nic, packet, hands_.boot_without_fetches());
    if (offer && hands_.send(nic, serve::proxy_offer(*offer))) {
        log_.debug(shortcuts_.tell(offer_repeat_.text(nic, hands_.now())));
    }
}

void BootHelp::was_reset() {
    shortcuts_.reset();
    switch_links(link_pause_.reset());
}

// A router goes first, and so does DHCP: see Shortcuts.
void BootHelp::answer_search(std::size_t nic) {
    const std::optional<double> wait = shortcuts_.answer_in(nic, hands_.boot_without_fetches(), hands_.now());
    if (!wait || patience_.contains(nic)) {
        return;
    }
    boost::asio::steady_timer& timer = patience_.try_emplace(nic, io_).first->second;
    timer.expires_after(from_seconds(*wait));
    timer.async_wait([this, nic](const error_code& error) {
        patience_.erase(nic);
        if (!error) {
            hands_.catch_up();  // the router's answer may lie there already
            advertise(nic);
        }
    });
}

void BootHelp::advertise(std::size_t nic) {
    if (shortcuts_.answer_in(nic, hands_.boot_without_fetches(), hands_.now()) &&
        hands_.send(nic, serve::router_advertisement())) {
        log_.debug(shortcuts_.advertised(nic, hands_.now()));
    }
}

void BootHelp::switch_links(const std::vector<LinkSwitch>& switches) {
    for (const LinkSwitch& link : switches) {
        hands_.switch_link(link);
        log_.debug(link.up ? fmt::format("the link of {} is up again", link.nic)
                           : shortcuts_.link_taken_down(link.nic, hands_.now()));
    }
    if (!switches.empty()) {
        longest_pause_.expires_after(from_seconds(LinkPause::longest_s));
        longest_pause_.async_wait([this](const error_code& error) {
            if (!error) {
                switch_links(link_pause_.reset());
            }
        });
    }
}

}  // namespace vml
