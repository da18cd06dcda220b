#include "launcher/probe/ask_network.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <optional>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/error.h"
#include "bootwatch/packet.h"
#include "bootwatch/probe.h"
#include "bootwatch/report.h"
#include "launcher/vm/link_kind.h"
#include "launcher/watch/link_state.h"
#include "netserve/discover.h"
#include "netsetup/capture.h"
#include "netsetup/host_facts.h"

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

// What has come by now.
void take_answers(int fd, double at, boot::Probe& probe) {
    std::array<char, net::capture_length> room{};
    for (;;) {
        const net::CapturedFrame frame = net::read_frame(fd, room);
        if (frame.count <= 0) {
            return;
        }
        if (const auto packet =
                boot::decode_frame(bytes_of({room.data(), static_cast<std::size_t>(frame.count)}))) {
            boot::add_answer(probe, at, *packet);
        }
    }
}

// When there is nothing more to wait for, as it looks now.
double end_of(const boot::Probe& probe) {
    return probe.offers.empty() ? ask_limit_s : std::min(ask_limit_s, probe.offers.front().at + ask_others_s);
}

boot::Probe asked(const NicSpec& nic, int link_index) {
    const OwnedFd fd = net::open_capture(link_index);
    const std::string frame = question_for(nic);
    boot::Probe probe{nic.id};
    if (const auto packet = boot::decode_frame(bytes_of(frame))) {
        probe.question = std::get<boot::DhcpMessage>(packet->body);
    }
    const Clock::time_point begin = Clock::now();
    while (since(begin) < end_of(probe)) {
        const double now = since(begin);
        const bool asks = probe.sent == 0 || (probe.sent == 1 && probe.offers.empty() && now >= ask_again_s);
        if (asks) {
            if (::send(fd.get(), frame.data(), frame.size(), 0) != static_cast<ssize_t>(frame.size())) {
                throw Error{{fmt::format("cannot ask the network of {}", nic.id), errno_text(errno), "",
                             ExitCode::host}};
            }
            ++probe.sent;
        }
        const double until = probe.sent == 1 && probe.offers.empty() ? ask_again_s : end_of(probe);
        pollfd ready{fd.get(), POLLIN, 0};
        ::poll(&ready, 1, static_cast<int>(std::max(until - now, 0.0) * 1000) + 1);
        take_answers(fd.get(), since(begin), probe);
    }
    return probe;
}

std::vector<std::string> state_of(const NicSpec& nic, const net::HostNetworkFacts& facts) {
    const std::string link{host_link_of(nic.net)};
    return std::holds_alternative<BridgePort>(nic.net) ? state_of_bridge(link, "", facts)
                                                       : state_of_device(link, facts);
}

}  // namespace

NetworkAnswer ask_network(const NicSpec& nic, int capture_error) {
    const std::string place = fmt::format("{}: {}", nic.id, host_link_of(nic.net));
    if (capture_error != 0) {
        return {false,
                {fmt::format("{}: nobody was asked what the network offers, which needs CAP_NET_RAW: {}",
                             place, errno_text(capture_error))},
                nullptr};
    }
    const net::HostNetworkFacts facts = net::host_network_facts();
    const net::Link* link = net::link_named(facts.links, host_link_of(nic.net));
    if (link == nullptr || !link->up || !link->carrier) {
        return {false,
                {fmt::format("{}: nobody can answer DHCP now: {}{}", place,
                             link != nullptr && link->up ? "it has no carrier; " : "",
                             fmt::join(state_of(nic, facts), "; "))},
                nullptr};
    }
    const boot::Probe probe = asked(nic, link->index);
    NetworkAnswer answer{boot::has_address(probe), boot::answer_lines(probe), boot::probe_as_json(probe)};
    for (std::string& line : answer.lines) {
        line = fmt::format("{}: DHCP: {}", place, line);
    }
    if (answer.lines.empty()) {
        answer.lines.push_back(
            fmt::format("{}: DHCP: nobody answered {} DISCOVERs from {} within {:.0f} s: {}", place,
                        probe.sent, nic.mac, ask_limit_s, fmt::join(state_of(nic, facts), "; ")));
    }
    return answer;
}

}  // namespace vml
