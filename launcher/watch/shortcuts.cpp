#include "launcher/watch/shortcuts.h"

#include <algorithm>
#include <variant>

#include <fmt/format.h>

#include "bootwatch/console_mark.h"
#include "bootwatch/own_offer.h"

namespace vml {

namespace {

bool is_sign(const std::optional<boot::ConsoleMark>& mark, boot::ConsoleSign sign) {
    return mark && mark->sign == sign;
}

std::size_t talks_of_ipxe(const boot::Boot& boot) {
    return static_cast<std::size_t>(
        std::count_if(boot.dhcp.begin(), boot.dhcp.end(),
                      [](const boot::DhcpTalk& talk) { return talk.client == boot::Client::ipxe; }));
}

}  // namespace

Shortcuts::Shortcuts(const ShortcutsConfig& config, const std::vector<boot::WatchedNic>& watched)
    : press_key_{config.press_key}, firmware_loads_ipxe_{config.firmware_loads_ipxe} {
    for (const boot::WatchedNic& nic : watched) {
        const bool advertise = std::find(config.advertise_to.begin(), config.advertise_to.end(), nic.id) !=
                               config.advertise_to.end();
        nics_.push_back({nic.id, nic.mac, advertise});
    }
}

bool Shortcuts::is_prompt(std::string_view partial) const {
    return press_key_ && !pressed_ && is_sign(boot::mark_in_partial(partial), boot::ConsoleSign::ipxe_prompt);
}

bool Shortcuts::may_press(const boot::Boot& boot, double quiet_s) const {
    const std::size_t asked = talks_of_ipxe(boot);
    const bool fetched = !boot.fetches.empty() || boot.reached(boot::Stage::fetch);
    return quiet_s < young_s && asked == asked_before_ && (!fetched || (firmware_loads_ipxe_ && asked == 0));
}

void Shortcuts::line(std::string_view line, const boot::Boot& boot) {
    // The next NIC's iPXE has a prompt of its own.
    if (press_key_ && is_sign(boot::mark_in_line(line), boot::ConsoleSign::ipxe_runs)) {
        pressed_ = false;
        asked_before_ = talks_of_ipxe(boot);
    }
}

void Shortcuts::reset() {
    pressed_ = false;
    asked_before_ = 0;
    spared_router_ = false;
    done_in_boot_.clear();
    for (Nic& nic : nics_) {
        nic.first_searched_at.reset();
        nic.searched_at.reset();
    }
}

void Shortcuts::packet(std::size_t nic, const boot::Packet& packet, double at) {
    Nic& seen = nics_.at(nic);
    if (!packet.sent_by(seen.mac)) {
        seen.ipv6_seen = seen.ipv6_seen || packet.ipv6_routing;
    } else if (std::holds_alternative<boot::RouterSolicitation>(packet.body)) {
        seen.first_searched_at = seen.first_searched_at.value_or(at);
        seen.searched_at = at;
    }
}

// An address, and what to boot: a file's name, or a root path (iSCSI, HTTP), of the DHCP server or a
// ProxyDHCP server. Without, only a router could help this guest.
bool Shortcuts::has_what_it_needs(const std::string& nic, const boot::Boot& boot) {
    const auto names_something = [](const boot::Offer& offer) {
        return !offer.message.bootfile.empty() || !offer.message.root_path.empty();
    };
    return std::any_of(boot.dhcp.begin(), boot.dhcp.end(), [&](const boot::DhcpTalk& talk) {
        return talk.client == boot::Client::ipxe && talk.nic == nic && talk.ack &&
               (names_something(*talk.ack) || boot::is_own_offer_taken(talk) ||
                std::any_of(talk.offers.begin(), talk.offers.end(), [&](const boot::Offer& offer) {
                    return offer.proxy() && names_something(offer);
                }));
    });
}

std::optional<double> Shortcuts::answer_in(std::size_t nic, const boot::Boot& boot, double now) const {
    const Nic& at = nics_.at(nic);
    if (!at.advertise || at.ipv6_seen || !at.searched_at || boot.reached_or_passed(boot::Stage::kernel) ||
        !has_what_it_needs(at.id, boot)) {
        return std::nullopt;
    }
    return std::max(0.0, *at.first_searched_at + patience_s - now);
}

std::string Shortcuts::key_pressed(double at) {
    pressed_ = true;
    return tell(
        fmt::format("at {:.2f} s a key was pressed at iPXE's prompt, which waits 2 s for Ctrl-B "
                    "(--ipxe-prompt leaves it)",
                    at));
}

std::string Shortcuts::advertised(std::size_t nic, double at) {
    spared_router_ = true;
    nics_.at(nic).searched_at.reset();
    return tell(
        fmt::format("at {:.2f} s the search of {} for an IPv6 router was answered, on the guest's link "
                    "alone: nobody else had, and DHCP had named what to boot (--fast-boot=off leaves it)",
                    at, nics_.at(nic).id));
}

std::string Shortcuts::link_taken_down(const std::string& nic, double at) {
    return tell(
        fmt::format("at {:.2f} s the link of {} was taken down, after PXE had failed, so that UEFI does not "
                    "try HTTP too (--fast-boot=off leaves it)",
                    at, nic));
}

std::vector<std::string> Shortcuts::done() const {
    std::vector<std::string> all = done_;
    if (left_out_ > 0) {
        all.push_back(fmt::format("and {} more were left out", left_out_));
    }
    return all;
}

std::string Shortcuts::tell(std::string text) {
    std::uint64_t of_this_boot = 0;
    boot::add_bounded(done_, text, most_done, left_out_);
    boot::add_bounded(done_in_boot_, text, most_done, of_this_boot);
    return text;
}

}  // namespace vml
