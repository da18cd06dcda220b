#include "launcher/settings/nic_options.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/mac.h"

namespace vml {

namespace {

constexpr std::string_view variables_prefix = "NETWORK";

template <auto member, auto parse = nullptr>
NicKey nic_key(std::string_view key, OptionWords words, std::optional<ValueKind> kind = std::nullopt,
               std::vector<std::string> choices_of_row = {}) {
    OptionRow row =
        option_detail::row<member>(std::move(words), [](Settings& settings, std::string_view text) {
            option_detail::assign<member, parse>(settings.nics.front(), text);
        });
    row.kind = kind.value_or(row.kind);
    if (!choices_of_row.empty()) {
        row.choices = std::move(choices_of_row);
    }
    return {key, std::move(row), option_detail::assign<member, parse, NicSettings>};
}

std::vector<std::string> nic_model_names() {
    std::vector<std::string> names;
    for (const rom::NicModel& model : rom::nic_models()) {
        names.push_back(model.name);
    }
    return names;
}

std::vector<std::string> key_names() {
    std::vector<std::string> names;
    for (const NicKey& known : nic_keys()) {
        names.emplace_back(known.key);
    }
    return names;
}

// Docker-VM-Runner has one mode more.
NetworkMode parse_network_mode(std::string_view text) {
    if (lower(trimmed(text)) == "container") {
        throw invalid_value(
            text, listed(choice_names<NetworkMode>()),
            "vm-launch does not take over the container's own interface: use bridge or direct with "
            "`--network host`, or nat");
    }
    return parse_choice<NetworkMode>(text);
}

std::vector<NicKey> make_nic_keys() {
    constexpr unsigned least_mtu = 68;  // RFC 791
    constexpr unsigned most_mtu = 65535;
    constexpr unsigned most_queues = 256;  // drivers/net/tun.c, MAX_TAP_QUEUES
    return {
        nic_key<&NicSettings::network, parse_network_mode>("mode",
                                                           {"network", "NETWORK_MODE", "MODE", "nat", "{}"}),
        nic_key<&NicSettings::bridge, parse_link_name>(
            "bridge",
            {"bridge", "NETWORK_BRIDGE", "NAME", "none; required for bridge", "the host's bridge to join"},
            ValueKind::bridge),
        nic_key<&NicSettings::direct_dev, parse_link_name>(
            "direct-dev",
            {"direct-dev", "NETWORK_DIRECT_DEV", "NAME", "none; required for direct",
             "the host's device that the macvtap sits on"},
            ValueKind::link),
        nic_key<&NicSettings::segment, parse_segment_name>(
            "segment", {"segment", "NETWORK_SEGMENT", "NAME", "none: a segment of the NIC's own",
                        "isolated: the segment to join; the first VM of this user's that names it makes it"}),
        nic_key<&NicSettings::mac, parse_mac>(
            "mac", {"mac", "NETWORK_MAC", "MAC", "derived from the VM's name and the host's machine-id",
                    "the guest's MAC address"}),
        nic_key<&NicSettings::model, parse_nic_model>(
            "model", {"nic-model", "NETWORK_MODEL", "MODEL", "virtio", listed(nic_model_names())},
            ValueKind::choice, nic_model_names()),
        nic_key<&NicSettings::mtu, number<unsigned, least_mtu, most_mtu>>(
            "mtu", {"mtu", "NETWORK_MTU", "BYTES", "the bridge's or lower device's; isolated: 1500",
                    "the guest's MTU; told to a virtio guest"}),
        nic_key<&NicSettings::boot>("boot", {"nic-boot", "NETWORK_BOOT", "", "on for the first NIC",
                                             "this NIC takes part in network boot"}),
        nic_key<&NicSettings::queues, number<unsigned, 1, most_queues>>(
            "queues",
            {"nic-queues", "NETWORK_QUEUES", "N", "1", "bridge, direct: queue pairs of a virtio NIC"}),
        nic_key<&NicSettings::guest_ip, parse_guest_ip>(
            "guest-ip",
            {"guest-ip", "NETWORK_GUEST_IP", "ADDRESS", "10.0.2.15",
             "nat: the IPv4 address that the guest gets by DHCP; the network is the /24 that it is "
             "in, or ADDRESS/PREFIX says another one"}),
    };
}

}  // namespace

std::string NicKey::variable(int number) const {
    return fmt::format("{}{}{}", variables_prefix, number, first.environment.substr(variables_prefix.size()));
}

const std::vector<NicKey>& nic_keys() {
    static const std::vector<NicKey> keys = make_nic_keys();
    return keys;
}

namespace {

const NicKey* find_nic_key(std::string_view key) {
    const auto found = std::find_if(nic_keys().begin(), nic_keys().end(),
                                    [&](const NicKey& known) { return known.key == key; });
    return found == nic_keys().end() ? nullptr : &*found;
}

}  // namespace

std::string_view flag_of_nic_key(std::string_view key) {
    const NicKey* found = find_nic_key(key);
    return found == nullptr ? std::string_view{} : found->first.flag;
}

std::string shown_nic_key(std::string_view key, std::string_view value, int number, bool by_variable) {
    const NicKey* found = find_nic_key(key);
    return fmt::format("{}={}", found != nullptr && by_variable ? found->variable(number) : std::string{key},
                       value);
}

void set_nic_key(NicSettings& nic, std::string_view key, std::string_view value) {
    const NicKey* found = find_nic_key(key);
    if (found == nullptr) {
        throw unknown_key("NIC key", key, key_names());
    }
    found->assign(nic, value);
}

NicSettings parse_nic(std::string_view text) {
    NicSettings nic;
    for (const std::string& part : split_list(text)) {
        const auto [key, value] = parse_pair(part, "KEY=VALUE", "mode=bridge,bridge=br0");
        set_nic_key(nic, key, value);
    }
    return nic;
}

std::string parse_nic_model(std::string_view text) {
    std::string word = lower(trimmed(text));
    if (rom::find_nic_model(word) == nullptr) {
        throw not_one_of(text, nic_model_names());
    }
    return word;
}

std::uint32_t network_of(const GuestAddress& guest) {
    constexpr unsigned bits = 32;
    return guest.address & (~std::uint32_t{0} << (bits - guest.prefix));
}

std::uint32_t server_of(const GuestAddress& guest) {
    return network_of(guest) + 2;
}

std::uint32_t host_of(const std::optional<GuestAddress>& guest) {
    constexpr std::uint32_t usual = 0x0a000202;
    return guest ? server_of(*guest) : usual;
}

std::string ipv4_text(std::uint32_t address) {
    constexpr std::uint32_t octet = 0xff;
    return fmt::format("{}.{}.{}.{}", address >> 24 & octet, address >> 16 & octet, address >> 8 & octet,
                       address & octet);
}

namespace {

std::optional<std::uint32_t> ipv4_in(std::string_view text) {
    constexpr unsigned parts = 4;
    std::uint32_t address = 0;
    for (unsigned part = 1; part <= parts; ++part) {
        const std::size_t dot = std::min(text.find('.'), text.size());
        const auto octet = whole_number<std::uint8_t>(text.substr(0, dot));
        if (!octet || (part < parts) == (dot == text.size())) {
            return std::nullopt;
        }
        address = address << 8 | *octet;
        text.remove_prefix(std::min(dot + 1, text.size()));
    }
    return address;
}

}  // namespace

GuestAddress parse_guest_ip(std::string_view text) {
    constexpr std::uint64_t widest = 8;
    constexpr std::uint64_t narrowest = 29;
    constexpr std::uint32_t first_free =
        4;  // behind the network's own, an unused one, QEMU's server, its DNS
    const std::string_view word = trimmed(text);
    if (word.find(',') != std::string_view::npos) {
        throw invalid_value(text, "one IPv4 address", "QEMU's DHCP server has one address for its guest");
    }
    const std::size_t slash = std::min(word.find('/'), word.size());
    const auto address = ipv4_in(word.substr(0, slash));
    if (!address) {
        throw invalid_value(text, "an IPv4 address", "for example 10.0.2.99, or 192.168.7.9/24");
    }
    GuestAddress guest{*address};
    if (slash < word.size()) {
        guest.prefix = static_cast<unsigned>(parse_number(word.substr(slash + 1), widest, narrowest));
    }
    const std::uint32_t network = network_of(guest);
    const std::uint32_t last = network | ~network_of({~std::uint32_t{0}, guest.prefix});  // the broadcast one
    if (guest.address < network + first_free || guest.address >= last) {
        throw invalid_value(text,
                            fmt::format("{} to {}", ipv4_text(network + first_free), ipv4_text(last - 1)),
                            fmt::format("{} is QEMU's own server, {} its name server", ipv4_text(network + 2),
                                        ipv4_text(network + 3)));
    }
    return guest;
}

std::string parse_mac(std::string_view text) {
    std::string mac = lower(trimmed(text));
    std::replace(mac.begin(), mac.end(), '-', ':');
    const std::optional<Mac> octets = mac_from_text(mac);
    if (!octets) {
        throw ValueError{fmt::format("invalid MAC address '{}'", text),
                         "six octets in hex, for example 52:54:00:12:34:56"};
    }
    constexpr unsigned group_address = 1;  // IEEE 802, in the first octet
    if ((octets->front() & group_address) != 0 || *octets == Mac{}) {
        throw ValueError{fmt::format("invalid MAC address '{}': all zeros or multicast", text),
                         "the first octet must be even, for example 52:54:00:12:34:56"};
    }
    return mac;
}

std::string parse_link_name(std::string_view text) {
    constexpr std::size_t longest = 15;  // IFNAMSIZ with its NUL is 16
    std::string name{trimmed(text)};
    const bool shaped = !name.empty() && name.size() <= longest && name != "." && name != ".." &&
                        name.find_first_of("/: \t\n") == std::string::npos;
    if (!shaped) {
        throw ValueError{fmt::format("invalid interface name '{}'", text),
                         "1 to 15 characters without '/', ':' and blanks; `ip link` lists those there are"};
    }
    return name;
}

std::string parse_segment_name(std::string_view text) {
    constexpr std::size_t longest = 64;  // of an abstract socket's name, in which it is
    std::string name{trimmed(text)};
    constexpr std::string_view characters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (name.empty() || name.size() > longest || name.find_first_not_of(characters) != std::string::npos) {
        throw ValueError{fmt::format("invalid segment name '{}'", text), "1 to 64 letters, digits and . _ -"};
    }
    return name;
}

std::vector<OptionRow> nic_options() {
    std::vector<OptionRow> rows;
    for (const NicKey& key : nic_keys()) {
        rows.push_back(key.first);
    }
    rows.push_back(repeated_option<&Settings::nics, parse_nic>(
        {"nic", "", "KEY=VALUE,…", "none",
         fmt::format("a further NIC, may be repeated; keys: {} (in the environment: {}, {}, …, {}, …)",
                     fmt::join(key_names(), ", "), nic_keys()[0].variable(2), nic_keys()[1].variable(2),
                     nic_keys()[0].variable(3))}));
    return rows;
}

}  // namespace vml
