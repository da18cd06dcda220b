// What the kinds of network have of their own, one row each: whoever adds a kind gives it a row, and the
// compiler names the places that must handle it (std::visit without a default). Pure.
#pragma once

#include <string_view>
#include <variant>

#include "bootwatch/verdict.h"
#include "launcher/settings/settings.h"
#include "launcher/vm/spec.h"

namespace vml {

struct LinkKind {
    std::string_view name;    // the value of --network
    std::string_view option;  // the flag, and key of --nic, that names the host's link; empty: there is none
    std::string_view noun;    // for that link
    boot::Network network = boot::Network::nat;
    bool on_host = false;               // a link of the host's is made, which packets can be seen on
    bool link_is_guests_alone = false;  // so vm-launch may speak to the guest there as a router
    bool made_ahead = false;            // its namespace is made while the host is looked at
    bool on_segment = false;  // a tap in a namespace of vm-launch's own is made, where packets can be seen
};

[[nodiscard]] constexpr LinkKind row_of(const Nat& /*net*/) {
    return {.name = "nat", .option = "", .noun = "", .network = boot::Network::nat};
}
[[nodiscard]] constexpr LinkKind row_of(const BridgePort& /*net*/) {
    return {.name = "bridge",
            .option = "bridge",
            .noun = "the bridge",
            .network = boot::Network::bridge,
            .on_host = true,
            .link_is_guests_alone = true};
}
[[nodiscard]] constexpr LinkKind row_of(const Macvtap& /*net*/) {
    return {.name = "direct",
            .option = "direct-dev",
            .noun = "the lower device",
            .network = boot::Network::direct,
            .on_host = true,
            .made_ahead = true};
}

[[nodiscard]] constexpr LinkKind row_of(const Isolated& /*net*/) {
    return {.name = "isolated",
            .option = "segment",
            .noun = "the segment",
            .network = boot::Network::isolated,
            .on_segment = true};
}

[[nodiscard]] LinkKind kind_of(const NicNet& net);
// The bridge, the lower device or the segment's name; empty: there is none.
[[nodiscard]] std::string_view host_link_of(const NicNet& net);

// The user's word, with the link that is named; nothing has been decided yet.
[[nodiscard]] NicNet net_of(const NicSettings& nic);

}  // namespace vml
