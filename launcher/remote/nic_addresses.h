// The guest's addresses, as the boot's DHCP and the guest's agent tell them, in what `status` answers. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace vml {

// An address that a NIC of the guest was seen to get.
struct NicAddress {
    std::string nic;      // "net0"
    std::string address;  // IPv4 or IPv6, as text
    std::string by;       // whose DHCP it was: "ipxe", "firmware" or "other"

    bool operator==(const NicAddress&) const = default;
};

// As nobody could mistake it for anything else.
[[nodiscard]] bool is_ip_address(const std::string& text);

// Adds "address" and "address_by" to each of the NICs (a list of objects with "id") that has one.
void add_leases(nlohmann::json& nics, const std::vector<NicAddress>& leases);

// The same by what qemu-ga answers to guest-network-get-interfaces (QEMU qga/qapi-schema.json): a NIC's, by
// its MAC address, the first one of IPv4, else of IPv6, that others than its own link reach. What an agent
// says stands over what was seen before it ran.
void add_told_by_agent(nlohmann::json& nics, const nlohmann::json& interfaces);

// "10.0.2.15, as its agent says".
[[nodiscard]] std::string address_words(const nlohmann::json& nic);

}  // namespace vml
