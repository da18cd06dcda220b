#include "bootwatch/record.h"

#include <algorithm>
#include <iterator>

namespace vml::boot {

std::string_view name_of(Proof proof) {
    switch (proof) {
        case Proof::wire:
            return "wire";
        case Proof::console:
            return "console";
        case Proof::qemu:
            return "qemu";
        case Proof::firmware_log:
            return "firmware-log";
        case Proof::agent:
            return "agent";
    }
    return "";
}

std::string_view name_of(Client client) {
    switch (client) {
        case Client::ipxe:
            return "iPXE";
        case Client::firmware:
            return "firmware";
        case Client::other:
            return "other";
    }
    return "";
}

std::string_view name_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::none:
            return "none";
        case Outcome::gave_up:
            return "gave-up";
        case Outcome::silent:
            return "silent";
        case Outcome::dead_end:
            return "dead-end";
        case Outcome::disk:
            return "disk";
        case Outcome::shell:
            return "ipxe-shell";
        case Outcome::uefi_shell:
            return "uefi-shell";
        case Outcome::panic:
            return "panic";
    }
    return "";
}

std::optional<Stage> Boot::stage() const {
    std::optional<Stage> furthest;
    for (const Mark& mark : marks) {
        if (mark.proves) {
            furthest = std::max(furthest.value_or(mark.stage), mark.stage);
        }
    }
    return furthest;
}

bool Boot::reached(Stage wanted) const {
    return time_of(wanted).has_value();
}

bool Boot::reached_or_passed(Stage wanted) const {
    const auto furthest = stage();
    return furthest && *furthest >= wanted;
}

std::optional<double> Boot::time_of(Stage wanted) const {
    const auto mark = std::find_if(marks.begin(), marks.end(), [&](const Mark& candidate) {
        return candidate.proves && candidate.stage == wanted;
    });
    return mark == marks.end() ? std::nullopt : std::optional{mark->at};
}

bool may_be_program(const Fetch& fetch) {
    switch (fetch.content) {
        case Content::unknown:
        case Content::efi_x86_64:
        case Content::efi_i386:
        case Content::efi_aarch64:
        case Content::efi_other:
        case Content::elf:
            return !is_probe(fetch) && fetch.ranges == 0 && !fetch.by_console;
        default:
            return false;
    }
}

bool is_ipxes_turn(const Boot& boot, const std::string& nic) {
    return !boot.dhcp.empty() && boot.dhcp.back().client == Client::ipxe && boot.dhcp.back().nic == nic;
}

bool is_asked_by_a_program(const std::vector<Fetch>& fetches, const Fetch& fetch, double since) {
    return std::any_of(fetches.begin(), fetches.end(), [&](const Fetch& earlier) {
        return earlier.began >= since && earlier.began < fetch.began && earlier.state == FetchState::done &&
               may_be_program(earlier);
    });
}

std::optional<double> took_over_at(const Boot& boot) {
    const auto begin = std::adjacent_find(
        boot.dhcp.begin(), boot.dhcp.end(), [](const DhcpTalk& first, const DhcpTalk& second) {
            return first.client == Client::firmware && first.ack && second.client == Client::ipxe;
        });
    if (begin == boot.dhcp.end()) {
        return std::nullopt;
    }
    const double from = begin->began;
    const double to = std::next(begin)->began;
    const bool fetched = std::any_of(boot.fetches.begin(), boot.fetches.end(), [&](const Fetch& fetch) {
        return fetch.state == FetchState::done && fetch.began >= from && fetch.began < to &&
               may_be_program(fetch);
    });
    return fetched ? std::optional{to} : std::nullopt;
}

std::optional<double> firmware_asked_after_ipxe(const Boot& boot) {
    const auto is_firmwares = [](const DhcpTalk& talk) { return talk.client == Client::firmware; };
    const auto by_ipxe = std::find_if(boot.dhcp.rbegin(), boot.dhcp.rend(),
                                      [](const DhcpTalk& talk) { return talk.client == Client::ipxe; });
    const auto after = std::find_if(by_ipxe.base(), boot.dhcp.end(), is_firmwares);
    return by_ipxe == boot.dhcp.rend() || after == boot.dhcp.end() ? std::nullopt
                                                                   : std::optional{after->began};
}

bool is_fruitless(const Boot& boot) {
    const auto os_at = boot.time_of(Stage::os);
    const bool lasted = os_at && boot.ended.value_or(*os_at) - *os_at >= lasting_s;
    return boot.ended && !lasted && (!boot.dhcp.empty() || boot.ipxe || boot.firmware_client);
}

}  // namespace vml::boot
