#include "launcher/settings/network_options.h"

#include <set>

#include <fmt/format.h>

#include "launcher/settings/nic_options.h"

namespace vml {

std::uint16_t parse_port(std::string_view text) {
    constexpr std::uint64_t last_port = 65535;
    return static_cast<std::uint16_t>(parse_number(text, 1, last_port));
}

std::vector<PortForward> parse_port_forwards(std::string_view text) {
    std::vector<PortForward> forwards;
    std::set<std::uint16_t> used;
    for (const std::string& part : split_list(text)) {
        const std::size_t colon = part.find(':');
        if (colon == std::string::npos) {
            throw invalid_value(part, "HOST:GUEST", "for example 8080:80,2222:22");
        }
        const PortForward forward{parse_port(part.substr(0, colon)), parse_port(part.substr(colon + 1))};
        if (!used.insert(forward.host_port).second) {
            throw repeated(fmt::format("host port {}", forward.host_port));
        }
        forwards.push_back(forward);
    }
    return forwards;
}

std::vector<OptionRow> network_options() {
    std::vector<OptionRow> rows = nic_options();
    for (
        OptionRow row : {
            option<&Settings::netboot_dir>(
                {"netboot-dir", "NETBOOT_DIR", "DIR", "none",
                 "nat: serve this folder to the guest by the built-in TFTP, and to iPXE by HTTP; a boot.ipxe "
                 "in it is the bootfile"}),
            option<&Settings::bootfile>(
                {"bootfile", "NETBOOT_FILE", "NAME", "boot.ipxe, where --netboot-dir holds one",
                 "nat: the file that DHCP names: an iPXE script or boot program in --netboot-dir, or a URL"}),
            option<&Settings::port_forwards, parse_port_forwards>(
                {"port-forward", "PORT_FWD", "LIST", "none", "nat: TCP ports to the guest, HOST:GUEST,…"}),
            option<&Settings::ssh_port, parse_port>(
                {"ssh-port", "SSH_PORT", "PORT", "none",
                 "nat: this port of the host leads to the guest's port 22"}),
        }) {
        rows.push_back(std::move(row));
    }
    return rows;
}

}  // namespace vml
