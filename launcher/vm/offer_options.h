// The options of --dhcp-option: which of them each client of the guest's gets, and whether what it is sent
// has room for them. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "launcher/vm/decide_parts.h"
#include "netserve/dhcp4_answer.h"
#include "netserve/proxy_offer.h"

namespace vml {

// As they are written into an offer.
[[nodiscard]] std::vector<serve::OfferOption> options_for_offer(const std::vector<DhcpOption>& options);

// Those that vm-launch's offer to the firmware's own client has: not iPXE's own; and by what vm-launch's own
// option 43 says, UEFI's PXE client takes the file that it is offered, and goes by no menu.
[[nodiscard]] std::vector<DhcpOption> options_for_firmware(const std::vector<DhcpOption>& options,
                                                           FirmwareFetch fetch);

// Who is sent options by vm-launch, of the guest of the NIC that netboot_nic names.
struct OptionTakers {
    bool ipxe = false;
    std::optional<serve::BootClient> firmware{};  // its own client, where that is offered something over IPv4
    bool system = false;                          // an operating system: whoever asks for an address
};
[[nodiscard]] OptionTakers option_takers(const DecideInput& in, std::size_t index, const Netboot& netboot);

// Is a message too long with them? `nic` is decided, but for its ROM.
void check_offer_size(const DecideInput& in, std::size_t index, const NicSpec& nic, Findings& findings);

}  // namespace vml
