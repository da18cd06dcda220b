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

BootHelp::BootHelp(boost::asio::io_context& io, Helps helps, Log& log, Hands hands)
    : io_{io}, log_{log}, hands_{std::move(hands)}, helps_{std::move(helps)}, longest_pause_{io} {}

void BootHelp::console_line(const std::string& line) {
    helps_.shortcuts.line(line, hands_.boot_without_fetches());
    switch_links(helps_.link_pause.line(line));
}

void BootHelp::console_partial(const std::string& line, double quiet_s) {
    if (!helps_.shortcuts.is_prompt(line)) {
        return;
    }
    hands_.catch_up();  // iPXE may be further than its console shows
    if (helps_.shortcuts.may_press(hands_.boot(), quiet_s)) {
        hands_.press_key();
        log_.debug(helps_.shortcuts.key_pressed(hands_.now()));
    } else {
        helps_.shortcuts.leave_prompt();
    }
}

void BootHelp::packet(std::size_t nic, const boot::Packet& packet) {
    helps_.shortcuts.packet(nic, packet, hands_.now());
    answer_search(nic);
    repeat_offer(nic, packet);
}

bool BootHelp::spare_a_wait(std::size_t nic, std::string_view frame) const {
    const bool went = hands_.send(nic, frame);
    if (went) {
        hands_.sent(nic, frame);
    }
    return went;
}

void BootHelp::repeat_offer(std::size_t nic, const boot::Packet& packet) {
    const auto offer = helps_.offer_repeat.repeated(nic, packet, hands_.boot_without_fetches());
    if (offer && spare_a_wait(nic, serve::proxy_offer(*offer))) {
        log_.debug(helps_.shortcuts.tell(helps_.offer_repeat.text(nic, hands_.now())));
    }
}

std::vector<std::string> BootHelp::offer_own(std::size_t nic, const boot::Packet& packet) {
    std::vector<std::string> sent;
    for (const auto& offer : helps_.own_offer.due(nic, packet, hands_.boot_without_fetches())) {
        std::string frame = serve::proxy_offer(offer);
        const bool went = hands_.send(nic, frame);
        helps_.own_offer.was_sent(went);
        if (went) {
            sent.push_back(std::move(frame));
        }
    }
    return sent;
}

void BootHelp::was_reset() {
    helps_.shortcuts.reset();
    switch_links(helps_.link_pause.reset());
}

// A router goes first, and so does DHCP: see Shortcuts.
void BootHelp::answer_search(std::size_t nic) {
    const std::optional<double> wait =
        helps_.shortcuts.answer_in(nic, hands_.boot_without_fetches(), hands_.now());
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
    if (helps_.shortcuts.answer_in(nic, hands_.boot_without_fetches(), hands_.now()) &&
        spare_a_wait(nic, serve::router_advertisement())) {
        log_.debug(helps_.shortcuts.advertised(nic, hands_.now()));
    }
}

void BootHelp::switch_links(const std::vector<LinkSwitch>& switches) {
    for (const LinkSwitch& link : switches) {
        hands_.switch_link(link);
        log_.debug(link.up ? fmt::format("the link of {} is up again", link.nic)
                           : helps_.shortcuts.link_taken_down(link.nic, hands_.now()));
    }
    if (!switches.empty()) {
        longest_pause_.expires_after(from_seconds(LinkPause::longest_s));
        longest_pause_.async_wait([this](const error_code& error) {
            if (!error) {
                switch_links(helps_.link_pause.reset());
            }
        });
    }
}

}  // namespace vml
