#include "launcher/settings/network_options.h"

#include <algorithm>

#include <fmt/format.h>

#include "launcher/settings/dhcp_option.h"
#include "launcher/settings/nic_options.h"
#include "launcher/settings/tidy.h"

namespace vml {

std::uint16_t parse_port(std::string_view text) {
    constexpr std::uint64_t last_port = 65535;
    return static_cast<std::uint16_t>(parse_number(text, 1, last_port));
}

bool is_ipv4(std::string_view text) {
    unsigned parts = 0;
    while (true) {
        const std::size_t dot = std::min(text.find('.'), text.size());
        if (const auto part = whole_number<std::uint8_t>(text.substr(0, dot)); !part) {
            return false;
        }
        ++parts;
        if (dot == text.size()) {
            return parts == 4;
        }
        text.remove_prefix(dot + 1);
    }
}

namespace {

constexpr std::string_view forward_shape = "[udp:][ADDRESS:]HOST:GUEST";
constexpr std::string_view forward_example = "for example 8080:80, udp:69:69, 127.0.0.1:8000-8010:8000-8010";
constexpr unsigned most_forwards = 1024;  // QEMU holds a socket for each

struct PortRange {
    std::uint16_t first = 0;
    std::uint16_t last = 0;
};

PortRange parse_range(std::string_view text) {
    const std::size_t dash = text.find('-');
    if (dash == std::string_view::npos) {
        const std::uint16_t port = parse_port(text);
        return {port, port};
    }
    const PortRange range{parse_port(text.substr(0, dash)), parse_port(text.substr(dash + 1))};
    if (range.last < range.first) {
        throw invalid_value(text, "a range from the lower port to the higher one");
    }
    return range;
}

// "tcp:" or "udp:" in front, or "/tcp" or "/udp" behind as Docker has it; the rest is left in the text.
PortProtocol take_protocol(std::string_view& text) {
    for (const Choice<PortProtocol>& choice : choices<PortProtocol>) {
        const std::string name{choice.name};
        if (lower(text).starts_with(name + ":")) {
            text.remove_prefix(name.size() + 1);
            return choice.value;
        }
        if (lower(text).ends_with("/" + name)) {
            text.remove_suffix(name.size() + 1);
            return choice.value;
        }
    }
    return PortProtocol::tcp;
}

std::string parse_address(std::string_view text, std::string_view whole) {
    if (text.starts_with('[')) {
        throw invalid_value(whole, "an IPv4 address", "QEMU's user-mode network forwards IPv4 alone");
    }
    const std::string_view address = text == "localhost" ? "127.0.0.1" : text;
    if (!is_ipv4(address)) {
        throw invalid_value(whole, forward_shape,
                            fmt::format("'{}' is no IPv4 address; {}", visible(text), forward_example));
    }
    return std::string{address};
}

// One port, or each of a range.
std::vector<PortForward> parse_forward(std::string_view whole) {
    std::string_view text = whole;
    PortForward forward;
    forward.protocol = take_protocol(text);
    const std::size_t guest_colon = text.rfind(':');
    if (guest_colon == std::string_view::npos || text.ends_with(']')) {
        throw invalid_value(whole, forward_shape, std::string{forward_example});
    }
    const std::string_view host = text.substr(0, guest_colon);
    const std::size_t host_colon = host.rfind(':');
    if (host_colon != std::string_view::npos) {
        forward.address = parse_address(host.substr(0, host_colon), whole);
    }
    const PortRange from =
        parse_range(host_colon == std::string_view::npos ? host : host.substr(host_colon + 1));
    const PortRange to = parse_range(text.substr(guest_colon + 1));
    if (from.last - from.first != to.last - to.first) {
        throw invalid_value(whole, "as many ports of the host as of the guest");
    }
    std::vector<PortForward> forwards;
    for (unsigned step = 0; step <= static_cast<unsigned>(from.last - from.first); ++step) {
        forward.host_port = static_cast<std::uint16_t>(from.first + step);
        forward.guest_port = static_cast<std::uint16_t>(to.first + step);
        forwards.push_back(forward);
    }
    return forwards;
}

}  // namespace

namespace {

// As Docker writes a port that is published, "127.0.0.1:2222" or "2222:22".
std::uint16_t parse_ssh_port(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return parse_port(text);
    }
    const bool address = text.substr(0, colon).find_first_of(".l") != std::string_view::npos;
    throw invalid_value(text, "1 to 65535",
                        address && text.find(':') == colon
                            ? fmt::format("to listen on one address: --port-forward {}:22", text)
                            : "the port of the host alone, which leads to the guest's port 22: anything else "
                              "is --port-forward=[ADDRESS:]HOST:GUEST");
}

std::string parse_script(std::string_view text) {
    if (!is_script_text(text)) {
        return parse_text(text);
    }
    std::string script{text.substr(text.find('#'))};
    if (script.find('\n') == std::string::npos) {
        throw ValueError{"the script is a single line, #!ipxe",
                         "with line ends in it, such as \"$(cat boot.ipxe)\" has, or the file's name"};
    }
    return script + (script.ends_with('\n') ? "" : "\n");
}

// None are words too: the kernel gets nothing then, not the default.
std::string parse_append(std::string_view text) {
    return trimmed(text).empty() ? "" : parse_text(text);
}

std::vector<std::string> parse_initrds(std::string_view text) {
    std::vector<std::string> initrds = split_list(text);
    if (initrds.empty()) {
        throw ValueError{"empty value", "give a value or leave the setting out"};
    }
    return initrds;
}

}  // namespace

bool same_host_port(const PortForward& left, const PortForward& right) {
    constexpr std::string_view every_address = "0.0.0.0";
    return left.protocol == right.protocol && left.host_port == right.host_port &&
           (left.address == right.address || left.address == every_address || right.address == every_address);
}

std::vector<PortForward> parse_port_forwards(std::string_view text) {
    std::vector<PortForward> forwards;
    for (const std::string& part : split_list(text)) {
        for (PortForward& forward : parse_forward(part)) {
            if (std::any_of(forwards.begin(), forwards.end(),
                            [&](const PortForward& other) { return same_host_port(forward, other); })) {
                throw repeated(fmt::format("host port {}", forward.host_port));
            }
            forwards.push_back(std::move(forward));
        }
        if (forwards.size() > most_forwards) {
            throw ValueError{fmt::format("more than {} ports", most_forwards),
                             "a guest with so many belongs on a bridge"};
        }
    }
    return forwards;
}

namespace {

std::vector<OptionRow> served_options() {
    return {
        of_kind(ValueKind::folder, option<&Settings::netboot_dir>(
                                       {"netboot-dir", "NETBOOT_DIR", "DIR", "none",
                                        "nat, isolated and bridge: serve this folder to the guest by "
                                        "HTTP and TFTP, to iPXE on a bridge by HTTP alone; a boot.ipxe "
                                        "in it is the bootfile"})),
        of_kind(ValueKind::file,
                option<&Settings::script, parse_script>(
                    {"script", "NETBOOT_SCRIPT", "FILE", "none",
                     "nat, isolated and bridge: boot this iPXE script, which vm-launch serves to the guest "
                     "with the files beside it that it names; a URL, - (standard input) or the script's own "
                     "text (#!ipxe…) is taken too"})),
        of_kind(ValueKind::file,
                option<&Settings::kernel>(
                    {"kernel", "NETBOOT_KERNEL", "FILE", "none",
                     "nat, isolated and bridge: boot this kernel (a file or a URL) "
                     "over the network, by an iPXE script that vm-launch writes and serves"})),
        adding_up(of_kind(
            ValueKind::file,
            option<&Settings::initrds, parse_initrds>(
                {"initrd", "NETBOOT_INITRD", "FILE,…", "none",
                 "with --kernel: the initial RAM disk, a file or a URL; several are unpacked in their "
                 "order"}))),
        option<&Settings::append, parse_append>({"append", "NETBOOT_APPEND", "WORDS",
                                                 "console=ttyS0 on x86_64",
                                                 "with --kernel: its command line"}),
        of_kind(ValueKind::file,
                option<&Settings::bootfile>(
                    {"bootfile", "NETBOOT_FILE", "NAME", "boot.ipxe, where --netboot-dir holds one",
                     "nat, isolated and bridge: the file that DHCP names to the "
                     "guest: an iPXE script or boot program in --netboot-dir, or a URL"})),
        option<&Settings::undionly>(
            {"undionly", "NETBOOT_UNDIONLY", "", "off",
             "nat, isolated and bridge, on BIOS: the ROM's iPXE first loads undionly.kpxe (of "
             "--netboot-dir, or beside the script, or else of the package ipxe), which then boots by the "
             "ROM's PXE calls"}),
        repeated_option<&Settings::dhcp_options, parse_dhcp_option>(
            {"dhcp-option", "DHCP_OPTION", "N=VALUE", "none",
             "nat, isolated and bridge: a DHCP option that iPXE and UEFI's own client get with what "
             "vm-launch offers them, by its number, by name (path-prefix, config-file, …) or inside of "
             "iPXE's own (175.N); VALUE is a text, or hex:…, ip:…, u8:…, u16:…, u32:…; may be repeated (in "
             "the environment: DHCP_OPTION, DHCP_OPTION2, …)"}),
        option<&Settings::proxydhcp>(
            {"proxydhcp", "NETBOOT_PROXYDHCP", "", "off",
             "isolated: the answer that gives the guest its address names nothing to boot, and a ProxyDHCP "
             "server beside it does, as where PXE is not the DHCP server's affair"}),
    };
}

std::vector<OptionRow> port_options() {
    return {
        adding_up(option<&Settings::port_forwards, parse_port_forwards>(
            {"port-forward", "PORT_FWD", "LIST", "none",
             "nat: ports of the host that lead to the guest, [udp:][ADDRESS:]HOST:GUEST,…; HOST and "
             "GUEST may be ranges (8000-8010), and Docker's 127.0.0.1:8080:80/tcp is taken too; without "
             "ADDRESS on the loopback, in a container on all addresses"})),
        option<&Settings::ssh_port, parse_ssh_port>(
            {"ssh-port", "SSH_PORT", "PORT", "none",
             "nat: this port of the host leads to the guest's port 22"}),
    };
}

}  // namespace

std::vector<OptionRow> network_options() {
    std::vector<OptionRow> rows = nic_options();
    for (const auto& part : {served_options(), port_options()}) {
        rows.insert(rows.end(), part.begin(), part.end());
    }
    return rows;
}

}  // namespace vml
