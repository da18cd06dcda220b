// What a VM is called by: UUID and MAC addresses that stay the same for the same source: the name, with what
// tells the host from others in front of it (decide_identity.cpp). Pure.
#pragma once

#include <string>
#include <string_view>

namespace vml {

// A name-based UUID (RFC 4122, version 5) in a namespace of vm-launch's own.
[[nodiscard]] std::string uuid_of(std::string_view vm_name);

// A locally administered unicast address: 52, then 40 bits of a SHA-1 over name and NIC number, so that two
// VMs of different names have the same one with a chance of 2^-40. The first octet is even and above any
// tap's need to hide (a bridge takes the lowest address among its ports, and taps get one of their own).
[[nodiscard]] std::string mac_of(std::string_view vm_name, int nic);

}  // namespace vml
