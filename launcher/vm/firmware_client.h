// The firmware's own network client: who can serve it, and what is told where nobody can.
#pragma once

#include <string_view>

#include "launcher/vm/decide_parts.h"

namespace vml {

// UEFI's HTTP boot, where PXE asks by TFTP.
[[nodiscard]] bool fetches_by_http(const Settings& settings);

// The network of the NIC that netboot_nic names.
[[nodiscard]] NetworkMode client_network(const DecideInput& in);

// That the network cannot be booted from. Where something else boots, it is passed over, and told of.
void tell_of_no_boot(const DecideInput& in, Fault fault, Findings& findings);

// Does somebody serve what `source`, a flag, names to the client that --pxe chooses?
[[nodiscard]] bool has_a_server(const DecideInput& in, std::string_view source, Findings& findings);

}  // namespace vml
