#include "launcher/probe/guest_end.h"

#include <array>
#include <cerrno>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "base/error.h"
#include "base/overloaded.h"
#include "netsetup/capture.h"
#include "netsetup/operation.h"
#include "netsetup/tag.h"
#include "netsetup/watch.h"

namespace vml {

namespace {

using Clock = std::chrono::steady_clock;

// With one queue, of plain frames. What else of the guest's own is kept from this host (KeepDatagrams) is
// none of DHCP's.
std::vector<net::Operation> for_a_moment(const std::vector<net::Operation>& of_guest) {
    constexpr net::QueueOptions plain{1, false};
    std::vector<net::Operation> operations;
    for (net::Operation operation : of_guest) {
        const bool wanted = std::visit(
            Overloaded{[&](net::CreateTap& tap) {
                           tap.queues = plain;
                           tap.alias = net::doctor_alias;
                           return true;
                       },
                       [&](net::OpenMacvtap& macvtap) {
                           macvtap.queues = plain;
                           return true;
                       },
                       [](const net::KeepDatagrams&) { return false; }, [](const auto&) { return true; }},
            operation);
        if (wanted) {
            operations.push_back(std::move(operation));
        }
    }
    return operations;
}

}  // namespace

GuestEnd::GuestEnd(const MadeLink& made) : nic_{net::nic_of(made.operations.at(0))} {
    links_.apply(for_a_moment(made.operations));
    queue_ = std::move(executor_.take_queues(nic_).at(0));
}

bool GuestEnd::forwards_within(std::chrono::milliseconds limit) const {
    const Clock::time_point end = Clock::now() + limit;
    net::LinkWatcher watcher = executor_.watch(nic_);
    for (;;) {
        const net::Link* link = watcher.link(executor_.link_index(nic_));
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
        if (link == nullptr || left.count() <= 0 || link->port_state == net::PortState::forwarding) {
            return link != nullptr && link->port_state == net::PortState::forwarding;
        }
        pollfd ready{watcher.fd(), POLLIN, 0};
        ::poll(&ready, 1, static_cast<int>(left.count()));
        (void)watcher.read();
    }
}

void GuestEnd::send(std::string_view frame) const {
    if (::write(queue_.get(), frame.data(), frame.size()) != static_cast<ssize_t>(frame.size())) {
        throw Error{{fmt::format("cannot send over {}", executor_.link_name(nic_)), errno_text(errno), "",
                     ExitCode::host}};
    }
}

std::string GuestEnd::receive() const {
    std::array<char, net::capture_length> room{};
    const ssize_t count = ::read(queue_.get(), room.data(), room.size());
    return count > 0 ? std::string(room.data(), static_cast<std::size_t>(count)) : "";
}

}  // namespace vml
