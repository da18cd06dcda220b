#include "launcher/remote/nic_addresses.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"

namespace vml {

namespace {

using nlohmann::json;

constexpr std::string_view by_agent = "agent";

bool parses(int family, const std::string& text) {
    std::array<unsigned char, sizeof(in6_addr)> address{};
    return ::inet_pton(family, text.c_str(), address.data()) == 1;
}

// Of its own link alone (RFC 3927, RFC 4291), or of the guest itself.
bool leads_nowhere(const std::string& address) {
    return address.starts_with("127.") || address.starts_with("169.254.") || address == "::1" ||
           lower(address).starts_with("fe80:");
}

// The first of this family among an interface's.
std::string first_address(const json& interface, int family) {
    const auto list = interface.find("ip-addresses");
    if (list == interface.end() || !list->is_array()) {
        return {};
    }
    for (const json& each : *list) {
        std::string address = each.is_object() ? text_at(each, "ip-address") : "";
        if (parses(family, address) && !leads_nowhere(address)) {
            return address;
        }
    }
    return {};
}

// A bridge or a bond in the guest has the MAC address of its port, and the IP address that the port has not.
std::string first_address_with(const json& interfaces, const std::string& mac, int family) {
    for (const json& each : interfaces) {
        if (!each.is_object() || lower(text_at(each, "hardware-address")) != mac) {
            continue;
        }
        if (std::string address = first_address(each, family); !address.empty()) {
            return address;
        }
    }
    return {};
}

void set_address(json& nic, const std::string& address, std::string_view by) {
    nic["address"] = address;
    nic["address_by"] = by;
}

}  // namespace

bool is_ip_address(const std::string& text) {
    return parses(AF_INET, text) || parses(AF_INET6, text);
}

void add_leases(json& nics, const std::vector<NicAddress>& leases) {
    for (json& nic : nics) {
        for (const NicAddress& lease : leases) {
            if (lease.nic == text_at(nic, "id")) {
                set_address(nic, lease.address, lease.by);
            }
        }
    }
}

void add_told_by_agent(json& nics, const json& interfaces) {
    if (!interfaces.is_array()) {
        return;
    }
    for (json& nic : nics) {
        const std::string mac = lower(text_at(nic, "mac"));
        const std::string v4 = first_address_with(interfaces, mac, AF_INET);
        const std::string address = v4.empty() ? first_address_with(interfaces, mac, AF_INET6) : v4;
        if (!address.empty()) {
            set_address(nic, address, by_agent);
        }
    }
}

std::string address_words(const json& nic) {
    const std::string address = text_at(nic, "address");
    const std::string by = text_at(nic, "address_by");
    if (address.empty()) {
        return {};
    }
    if (by == by_agent) {
        return address + ", as its agent says";
    }
    return fmt::format("{}, by DHCP{}", address,
                       by == "ipxe"       ? " to iPXE"
                       : by == "firmware" ? " to the firmware"
                                          : "");
}

}  // namespace vml
