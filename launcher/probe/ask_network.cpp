#include "launcher/probe/ask_network.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>

#include "base/error.h"
#include "bootwatch/packet.h"
#include "bootwatch/probe.h"
#include "bootwatch/report.h"
#include "launcher/probe/guest_end.h"
#include "launcher/vm/link_kind.h"
#include "launcher/watch/link_state.h"
#include "netserve/discover.h"
#include "netsetup/host_facts.h"
#include "netsetup/netlink.h"
#include "netsetup/reconcile.h"

namespace vml {

namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::string question_for(const NicSpec& nic) {
    const auto any = static_cast<std::uint64_t>(Clock::now().time_since_epoch().count());
    return serve::discover({serve::probe_xid(any), mac_from_text(nic.mac).value_or(Mac{}), nic.probe->arch,
                            nic.probe->vendor_class, nic.probe->user_class, nic.probe->uuid});
}

// What has come by now; of a flood no more than this at once.
void take_answers(const GuestEnd& end, double at, boot::Probe& probe) {
    constexpr int most_at_once = 256;
    for (int turn = 0; turn < most_at_once; ++turn) {
        const std::string frame = end.receive();
        if (frame.empty()) {
            return;
        }
        if (const auto packet = boot::decode_frame(bytes_of(frame))) {
            boot::add_answer(probe, at, *packet);
        }
    }
}

// When there is nothing more to wait for, as it looks now.
double end_of(const boot::Probe& probe) {
    return probe.offers.empty() ? ask_limit_s : std::min(ask_limit_s, probe.offers.front().at + ask_others_s);
}

boot::Probe asked(const NicSpec& nic, const GuestEnd& end) {
    const std::string frame = question_for(nic);
    boot::Probe probe{nic.id};
    if (const auto packet = boot::decode_frame(bytes_of(frame))) {
        probe.question = std::get<boot::DhcpMessage>(packet->body);
    }
    const Clock::time_point begin = Clock::now();
    while (since(begin) < end_of(probe)) {
        const double now = since(begin);
        if (probe.sent == 0 || (probe.sent == 1 && probe.offers.empty() && now >= ask_again_s)) {
            end.send(frame);
            ++probe.sent;
        }
        const double until = probe.sent == 1 && probe.offers.empty() ? ask_again_s : end_of(probe);
        pollfd ready{end.fd(), POLLIN, 0};
        ::poll(&ready, 1, static_cast<int>(std::max(until - now, 0.0) * 1000) + 1);
        if ((ready.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
            return probe;  // the link has gone; what came until then counts
        }
        take_answers(end, since(begin), probe);
    }
    return probe;
}

std::vector<std::string> state_of(const NicSpec& nic, const net::HostNetworkFacts& facts) {
    const std::string link{host_link_of(nic.net)};
    return std::holds_alternative<BridgePort>(nic.net) ? state_of_bridge(link, "", facts)
                                                       : state_of_device(link, facts);
}

std::string state_now(const NicSpec& nic) {
    return fmt::format("{}", fmt::join(state_of(nic, net::host_network_facts()), "; "));
}

NetworkAnswer unanswered(std::string line) {
    return {false, {std::move(line)}, nullptr};
}

// Or what of the link forbids an answer now.
std::variant<boot::Probe, std::string> asked_over_link(const NicSpec& nic) {
    if (const auto* port = std::get_if<BridgePort>(&nic.net)) {
        constexpr std::chrono::seconds margin{2};  // the kernel's timers, on a busy host
        const GuestEnd end{port->made};
        if (!end.forwards_within(port->forwards_after + margin)) {
            return fmt::format("a new port of {} does not forward", port->bridge);
        }
        return asked(nic, end);
    }
    const auto& macvtap = std::get<Macvtap>(nic.net);
    const net::HostNetworkFacts facts = net::host_network_facts();
    const net::Link* lower = net::link_named(facts.links, macvtap.lower);
    if (lower == nullptr || !lower->up || !lower->carrier) {
        return std::string{};
    }
    if (net::outlives_descriptors(macvtap.made.operations)) {  // what was left behind may have this address
        net::NetlinkSocket socket;
        (void)net::reconcile(socket);
    }
    return asked(nic, GuestEnd{macvtap.made});
}

NetworkAnswer answer_of(const NicSpec& nic, const std::string& place) {
    auto result = asked_over_link(nic);
    if (const auto* obstacle = std::get_if<std::string>(&result)) {
        return unanswered(fmt::format("{}: nobody can answer DHCP now: {}{}{}", place, *obstacle,
                                      obstacle->empty() ? "" : "; ", state_now(nic)));
    }
    const auto& probe = std::get<boot::Probe>(result);
    NetworkAnswer answer{boot::has_address(probe), boot::answer_lines(probe), boot::probe_as_json(probe)};
    for (std::string& line : answer.lines) {
        line = fmt::format("{}: DHCP: {}", place, line);
    }
    if (answer.lines.empty()) {
        answer.lines.push_back(
            fmt::format("{}: DHCP: nobody answered {} DISCOVERs from {} within {:.0f} s: {}", place,
                        probe.sent, nic.mac, ask_limit_s, state_now(nic)));
    }
    return answer;
}

}  // namespace

NetworkAnswer ask_network(const NicSpec& nic) {
    const std::string place = fmt::format("{}: {}", nic.id, host_link_of(nic.net));
    const auto unasked = [&](const std::string& why) {
        return unanswered(fmt::format("{}: nobody was asked what the network offers: {}", place, why));
    };
    if (!nic.unprobed.empty()) {
        return unasked(nic.unprobed);
    }
    try {
        return answer_of(nic, place);
    } catch (const Error& error) {  // which costs what else doctor found nothing
        return unasked(one_line(error.faults().at(0)));
    }
}

}  // namespace vml
