#include "netsetup/links.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <unistd.h>

#include "netsetup/failure.h"

namespace vml::net {

namespace {

// The attributes of a message or of a nest, by number. Missing ones read as the default. Every length is
// checked before a value is taken: libnl's getters do not.
template <int Max>
class Attributes {
  public:
    explicit Attributes(nlmsghdr* message) {
        (void)nlmsg_parse(message, sizeof(ifinfomsg), table_.data(), Max, nullptr);
    }
    explicit Attributes(nlattr* nest) {
        if (nest != nullptr) {
            (void)nla_parse_nested(table_.data(), Max, nest, nullptr);
        }
    }

    [[nodiscard]] bool has(int type) const { return at(type) != nullptr; }
    [[nodiscard]] nlattr* at(int type) const { return table_.at(static_cast<std::size_t>(type)); }

    template <typename T>
    [[nodiscard]] T number(int type, T fallback = {}) const {
        if (!has(type) || nla_len(at(type)) < static_cast<int>(sizeof(T))) {
            return fallback;
        }
        T value{};
        std::memcpy(&value, nla_data(at(type)), sizeof value);
        return value;
    }

    [[nodiscard]] std::string text(int type) const {
        if (!has(type)) {
            return {};
        }
        const auto* bytes = static_cast<const char*>(nla_data(at(type)));
        return {bytes, strnlen(bytes, static_cast<std::size_t>(nla_len(at(type))))};
    }

  private:
    std::array<nlattr*, static_cast<std::size_t>(Max) + 1> table_{};
};

BridgeFacts parse_bridge(const Attributes<IFLA_BR_MAX>& data) {
    BridgeFacts facts;
    facts.stp = data.number<std::uint32_t>(IFLA_BR_STP_STATE) != 0;
    facts.forward_delay_cs = data.number<std::uint32_t>(IFLA_BR_FORWARD_DELAY);
    facts.vlan_filtering = data.number<std::uint8_t>(IFLA_BR_VLAN_FILTERING) != 0;
    facts.default_pvid = data.number<std::uint16_t>(IFLA_BR_VLAN_DEFAULT_PVID, 1);
    return facts;
}

std::optional<PortState> parse_port(const Attributes<IFLA_BRPORT_MAX>& port) {
    if (!port.has(IFLA_BRPORT_STATE)) {
        return std::nullopt;
    }
    return static_cast<PortState>(port.number<std::uint8_t>(IFLA_BRPORT_STATE));
}

// IFLA_LINKINFO: what the link is, and what it is to its master.
void parse_info(Link& link, const Attributes<IFLA_INFO_MAX>& info) {
    link.kind = info.text(IFLA_INFO_KIND);
    link.port_of_kind = info.text(IFLA_INFO_SLAVE_KIND);
    if (link.kind == "bridge") {
        link.bridge = parse_bridge(Attributes<IFLA_BR_MAX>{info.at(IFLA_INFO_DATA)});
    }
    if (link.kind == "macvlan" || link.kind == "macvtap") {
        const Attributes<IFLA_MACVLAN_MAX> data{info.at(IFLA_INFO_DATA)};
        link.macvlan_mode = static_cast<MacvlanMode>(data.number<std::uint32_t>(IFLA_MACVLAN_MODE));
    }
    if (link.port_of_kind == "bridge") {
        link.port_state = parse_port(Attributes<IFLA_BRPORT_MAX>{info.at(IFLA_INFO_SLAVE_DATA)});
    }
}

Link parse_attributes(const Attributes<IFLA_MAX>& attributes) {
    Link link;
    link.name = attributes.text(IFLA_IFNAME);
    link.alias = attributes.text(IFLA_IFALIAS);
    link.carrier = attributes.number<std::uint8_t>(IFLA_CARRIER) != 0;
    link.mtu = attributes.number<std::uint32_t>(IFLA_MTU);
    link.mac = attributes.number<Mac>(IFLA_ADDRESS);
    link.master = attributes.number<int>(IFLA_MASTER);
    link.lower = attributes.number<int>(IFLA_LINK);
    link.lower_elsewhere = attributes.has(IFLA_LINK_NETNSID);
    link.promiscuity = attributes.number<std::uint32_t>(IFLA_PROMISCUITY);
    parse_info(link, Attributes<IFLA_INFO_MAX>{attributes.at(IFLA_LINKINFO)});
    return link;
}

// include/uapi/linux/wireless.h's and cfg80211's marks. Asked for hardware only: no virtual kind is a radio.
bool is_wireless(const Link& link) {
    if (!link.kind.empty() || link.loopback) {
        return false;
    }
    const std::string directory = "/sys/class/net/" + link.name;
    return access((directory + "/phy80211").c_str(), F_OK) == 0 ||
           access((directory + "/wireless").c_str(), F_OK) == 0;
}

NlMessage get_request(int flags, int index) {
    ifinfomsg header{};
    header.ifi_index = index;
    NlMessage message{nlmsg_alloc_simple(RTM_GETLINK, flags)};
    (void)nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO);
    // without it every link brings a kilobyte of IPv6 counters
    (void)nla_put_u32(message.get(), IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    return message;
}

std::vector<Link> read_links(NetlinkSocket& socket, nl_msg& request) {
    std::vector<Link> links;
    const Answer answer = socket.query(
        request, [&] { links.clear(); },
        [&](const nlmsghdr& message) {
            if (message.nlmsg_type == RTM_NEWLINK) {
                links.push_back(parse_link(message));
                links.back().wireless = is_wireless(links.back());
            }
        });
    if (!answer.ok() && answer.error_number != ENODEV) {
        throw Error{
            failure(Step::read_links, "cannot read the network links", answer.error_number, answer.text)};
    }
    return links;
}

std::optional<Link> only(std::vector<Link> links) {
    return links.empty() ? std::nullopt : std::optional{std::move(links.front())};
}

// IFA_LOCAL is this host's; IFA_ADDRESS, on a link from point to point, its peer's (linux/if_addr.h).
std::optional<LinkAddress> parse_address(const nlmsghdr& message) {
    auto* header = for_libnl(message);
    if (message.nlmsg_type != RTM_NEWADDR || nlmsg_valid_hdr(header, sizeof(ifaddrmsg)) == 0) {
        return std::nullopt;
    }
    const auto* info = static_cast<const ifaddrmsg*>(nlmsg_data(header));
    const nlattr* local = nlmsg_find_attr(header, sizeof(ifaddrmsg), IFA_LOCAL);
    LinkAddress own{static_cast<int>(info->ifa_index), {}};
    if (info->ifa_family != AF_INET || info->ifa_scope >= RT_SCOPE_LINK || local == nullptr ||
        nla_len(local) != static_cast<int>(own.address.size())) {
        return std::nullopt;
    }
    std::memcpy(own.address.data(), nla_data(local), own.address.size());
    return own;
}

template <typename Wanted>
const Link* first(const std::vector<Link>& links, Wanted wanted) {
    const auto found = std::find_if(links.begin(), links.end(), wanted);
    return found == links.end() ? nullptr : &*found;
}

template <typename Wanted>
std::vector<const Link*> all(const std::vector<Link>& links, Wanted wanted) {
    std::vector<const Link*> found;
    for (const Link& link : links) {
        if (wanted(link)) {
            found.push_back(&link);
        }
    }
    return found;
}

}  // namespace

std::string to_text(const Ipv4Address& address) {
    return fmt::format("{}", fmt::join(address, "."));
}

std::string_view to_text(PortState state) {
    constexpr std::array<std::string_view, 5> names = {"disabled", "listening", "learning", "forwarding",
                                                       "blocking"};
    const auto number = static_cast<std::size_t>(state);
    return number < names.size() ? names.at(number) : "unknown";
}

Link parse_link(const nlmsghdr& message) {
    auto* header = for_libnl(message);
    if (nlmsg_valid_hdr(header, sizeof(ifinfomsg)) == 0) {
        return {};
    }
    const auto* info = static_cast<const ifinfomsg*>(nlmsg_data(header));
    const Attributes<IFLA_MAX> attributes{header};
    Link link = parse_attributes(attributes);
    link.index = info->ifi_index;
    link.up = (info->ifi_flags & IFF_UP) != 0;
    link.loopback = (info->ifi_flags & IFF_LOOPBACK) != 0;
    link.ethernet = info->ifi_type == ARPHRD_ETHER;
    if (info->ifi_family == AF_BRIDGE) {
        link.port_state = parse_port(Attributes<IFLA_BRPORT_MAX>{attributes.at(IFLA_PROTINFO)});
    }
    return link;
}

bool is_bridge_message(const nlmsghdr& message) {
    const auto* body = static_cast<const rtgenmsg*>(nlmsg_data(&message));
    return nlmsg_valid_hdr(&message, sizeof *body) != 0 && body->rtgen_family == AF_BRIDGE;
}

std::vector<Link> list_links(NetlinkSocket& socket) {
    const NlMessage request = get_request(NLM_F_DUMP, 0);
    return read_links(socket, *request);
}

std::vector<LinkAddress> list_addresses(NetlinkSocket& socket) {
    ifaddrmsg header{};
    header.ifa_family = AF_INET;
    const NlMessage request{nlmsg_alloc_simple(RTM_GETADDR, NLM_F_DUMP)};
    (void)nlmsg_append(request.get(), &header, sizeof header, NLMSG_ALIGNTO);
    std::vector<LinkAddress> addresses;
    const Answer answer = socket.query(
        *request, [&] { addresses.clear(); },
        [&](const nlmsghdr& message) {
            if (const auto address = parse_address(message)) {
                addresses.push_back(*address);
            }
        });
    if (!answer.ok()) {
        throw Error{
            failure(Step::read_links, "cannot read the host's addresses", answer.error_number, answer.text)};
    }
    return addresses;
}

std::optional<Link> find_link(NetlinkSocket& socket, const std::string& name) {
    if (name.empty() || name.size() >= IFNAMSIZ) {
        return std::nullopt;  // the kernel would answer ERANGE: it cannot exist
    }
    const NlMessage request = get_request(0, 0);
    (void)nla_put_string(request.get(), IFLA_IFNAME, name.c_str());
    return only(read_links(socket, *request));
}

std::optional<Link> find_link(NetlinkSocket& socket, int index) {
    const NlMessage request = get_request(0, index);
    return only(read_links(socket, *request));
}

const Link* link_named(const std::vector<Link>& links, std::string_view name) {
    return first(links, [&](const Link& link) { return link.name == name; });
}

const Link* link_numbered(const std::vector<Link>& links, int index) {
    return first(links, [&](const Link& link) { return link.index == index; });
}

std::vector<const Link*> ports_of(const std::vector<Link>& links, const Link& bridge) {
    return all(links, [&](const Link& link) { return link.master == bridge.index; });
}

std::vector<const Link*> macvlans_on(const std::vector<Link>& links, const Link& lower) {
    return all(links, [&](const Link& link) {
        return link.macvlan_mode && link.lower == lower.index && !link.lower_elsewhere;
    });
}

std::chrono::milliseconds time_to_forward(const BridgeFacts& bridge) {
    return std::chrono::milliseconds{bridge.stp ? 2 * 10 * bridge.forward_delay_cs : 0};
}

}  // namespace vml::net
