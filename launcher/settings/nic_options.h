// A NIC's keys, in one table: the keys of --nic, NETWORK2_… and the flags of the first NIC. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "launcher/settings/option_row.h"

namespace vml {

struct NicKey {
    std::string_view key;  // of --nic
    OptionRow first;       // the first NIC's setting
    void (*assign)(NicSettings& nic, std::string_view text);

    // The variable of the second, third, … NIC: "NETWORK2_MODE" for "NETWORK_MODE".
    [[nodiscard]] std::string variable(int number) const;
};
[[nodiscard]] const std::vector<NicKey>& nic_keys();

// The flag by which the first NIC has this key's setting; "" where there is no such key.
[[nodiscard]] std::string_view flag_of_nic_key(std::string_view key);
// "bridge" → "NETWORK2_BRIDGE=NAME" or "bridge=NAME": what a further NIC lacks, as its user writes it.
[[nodiscard]] std::string shown_nic_key(std::string_view key, std::string_view value, int number,
                                        bool by_variable);

// Sets one of a NIC's keys; throws ValueError.
void set_nic_key(NicSettings& nic, std::string_view key, std::string_view value);
// "mode=bridge,bridge=br0,model=e1000": a further NIC; throws ValueError.
[[nodiscard]] NicSettings parse_nic(std::string_view text);

// A name of rom::nic_models().
// "10.0.2.99" or "192.168.7.9/24": the guest's own, where QEMU's server and name server have other ones.
// Throws ValueError.
[[nodiscard]] GuestAddress parse_guest_ip(std::string_view text);
// The network's own address, and that of QEMU's server in it (net/slirp.c: the second).
[[nodiscard]] std::uint32_t network_of(const GuestAddress& guest);
[[nodiscard]] std::uint32_t server_of(const GuestAddress& guest);
// Where the guest finds the host's loopback: QEMU's server, 10.0.2.2 where it has its own network
// (net/slirp.c, net_init_slirp).
[[nodiscard]] std::uint32_t host_of(const std::optional<GuestAddress>& guest);
[[nodiscard]] std::string ipv4_text(std::uint32_t address);
[[nodiscard]] std::string parse_nic_model(std::string_view text);
// "52:54:00:12:34:56" or with dashes → lower case with colons; a multicast or all-zero address is refused.
[[nodiscard]] std::string parse_mac(std::string_view text);
// A network link's name on the host: 1 to 15 bytes without '/', ':' and blanks (net/core/dev.c,
// dev_valid_name).
[[nodiscard]] std::string parse_link_name(std::string_view text);
[[nodiscard]] std::string parse_segment_name(std::string_view text);

[[nodiscard]] std::vector<OptionRow> nic_options();

}  // namespace vml
