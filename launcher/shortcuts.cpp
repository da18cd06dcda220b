#include "launcher/shortcuts.h"

#include <algorithm>
#include <variant>

#include <fmt/format.h>

#include "bootwatch/console_mark.h"
#include "bootwatch/hints.h"

namespace vml {

namespace {

bool is_sign(const std::optional<boot::ConsoleMark>& mark, boot::ConsoleSign sign) {
    return mark && mark->sign == sign;
}

}  // namespace

Shortcuts::Shortcuts(const ShortcutsConfig& config, const std::vector<boot::WatchedNic>& watched)
    : press_key_{config.press_key} {
    for (const boot::WatchedNic& nic : watched) {
        const bool advertise = std::find(config.advertise_to.begin(), config.advertise_to.end(), nic.id) !=
                               config.advertise_to.end();
        nics_.push_back({nic.id, nic.mac, advertise, false});
    }
}

bool Shortcuts::is_prompt(std::string_view partial) const {
    return press_key_ && !pressed_ && is_sign(boot::mark_in_partial(partial), boot::ConsoleSign::ipxe_prompt);
}

bool Shortcuts::may_press(const boot::Boot& boot) {
    return boot.fetches.empty() && !boot.reached(boot::Stage::fetch);
}

void Shortcuts::line(std::string_view line) {
    // The next NIC's iPXE has a prompt of its own.
    if (pressed_ && is_sign(boot::mark_in_line(line), boot::ConsoleSign::ipxe_runs)) {
        pressed_ = false;
    }
}

void Shortcuts::reset() {
    pressed_ = false;
    spared_router_ = false;
}

bool Shortcuts::is_search(std::size_t nic, const boot::Packet& packet) {
    Nic& at = nics_.at(nic);
    const bool from_guest = packet.source == at.mac;
    if (!from_guest && std::holds_alternative<boot::RouterAdvertisement>(packet.body)) {
        at.router_seen = true;
    }
    return at.advertise && from_guest && std::holds_alternative<boot::RouterSolicitation>(packet.body);
}

bool Shortcuts::may_advertise(std::size_t nic, const boot::Boot& boot) const {
    const Nic& at = nics_.at(nic);
    return at.advertise && !at.router_seen && boot::ipxe_talks(boot) &&
           !boot.reached_or_passed(boot::Stage::kernel);
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
    return tell(
        fmt::format("at {:.2f} s the search of {} for an IPv6 router was answered, on the guest's link "
                    "alone: nobody else "
                    "had (--fast-boot=off leaves it)",
                    at, nics_.at(nic).id));
}

std::string Shortcuts::tell(std::string text) {
    done_.push_back(text);
    return text;
}

}  // namespace vml
