// A datagram of netlink messages, of any type → links, forwarding entries, verdicts and what they come to;
// and the same bytes as a device event, a link's alias and the old iptables' table.
//
// Holds that no message is read beyond its end, that no text is longer than the message it came in, and that
// what is told of the links is bounded by the messages.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <linux/rtnetlink.h>
#include <netlink/msg.h>

#include "netsetup/forward_rules.h"
#include "netsetup/forwarding.h"
#include "netsetup/host_facts.h"
#include "netsetup/links.h"
#include "netsetup/mac_use.h"
#include "netsetup/netlink.h"
#include "netsetup/tag.h"
#include "netsetup/uevent.h"
#include "netsetup/watched_links.h"
#include "tests/fuzz/require.h"

namespace {

using namespace vml::net;

constexpr vml::Mac guest{0x52, 0x54, 0, 0, 0, 1};
constexpr int most_watched = 4;  // the indexes from 1 on

// A message in memory of its own, that ends where it ends.
class Message {
  public:
    explicit Message(std::string_view bytes) : bytes_(bytes.begin(), bytes.end()) {}
    [[nodiscard]] const nlmsghdr& header() const {
        const void* const bytes = bytes_.data();
        return *static_cast<const nlmsghdr*>(bytes);
    }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }

  private:
    std::vector<char> bytes_;
};

std::vector<Message> messages_in(std::string_view datagram) {
    std::vector<char> copy(datagram.begin(), datagram.end());
    void* const bytes = copy.data();
    std::vector<Message> messages;
    auto left = static_cast<int>(copy.size());
    for (auto* header = static_cast<nlmsghdr*>(bytes); nlmsg_ok(header, left) != 0;
         header = nlmsg_next(header, &left)) {
        const void* const start = header;
        messages.emplace_back(std::string_view{static_cast<const char*>(start), header->nlmsg_len});
    }
    return messages;
}

void check_text(const std::string& text, std::size_t most) {
    require(text.size() <= most && text.find('\0') == std::string::npos);
}

void check_aliases(std::string_view alias) {
    if (const auto tag = parse_tag(alias)) {
        require(to_alias(*tag) == alias);
    }
    if (const auto tap = parse_tap_alias(alias)) {
        require(tap->owner.size() < alias.size());
    }
}

Link check_link(const Message& message) {
    const Link link = parse_link(message.header());
    for (const std::string* text : {&link.name, &link.kind, &link.alias, &link.port_of_kind}) {
        check_text(*text, message.size());
    }
    require(link.bridge.has_value() == (link.kind == "bridge"));
    check_aliases(link.alias);
    if (link.port_state) {
        require(!to_text(*link.port_state).empty());
    }
    if (link.bridge) {
        require(time_to_forward(*link.bridge).count() >= 0);
    }
    return link;
}

HostNetworkFacts facts_in(const std::vector<Message>& messages) {
    HostNetworkFacts facts;
    facts.forwarding.emplace();
    for (const Message& message : messages) {
        const Link link = check_link(message);
        if (message.header().nlmsg_type == RTM_NEWLINK && !is_bridge_message(message.header())) {
            facts.links.push_back(link);
        }
        if (const auto entry = parse_forwarding(message.header())) {
            facts.forwarding->push_back(*entry);
        }
        if (message.header().nlmsg_type == NLMSG_ERROR) {
            check_text(parse_answer(message.header()).text, message.size());
        }
        static_cast<void>(chain_drops_forwarded(message.header()));
    }
    return facts;
}

void check_addresses(const HostNetworkFacts& facts) {
    for (const Link& link : facts.links) {
        if (link.bridge) {
            const auto uses = uses_on_bridge(guest, link, facts);
            require(uses.size() <= facts.links.size() + facts.forwarding->size());
        }
        require(uses_on_device(guest, link, facts.links).size() <= facts.links.size() + 1);
    }
}

void check_watched(const std::vector<Message>& messages, const std::vector<Link>& links) {
    WatchedLinks watched;
    for (const Link& link : links) {
        if (link.index > 0 && link.index <= most_watched) {
            watched.add(link);
        }
    }
    const std::size_t before = watched.all().size();
    for (const Message& message : messages) {
        std::vector<LinkEvent> events;
        watched.take(message.header(), events);
        require(events.size() <= 2 && watched.all().size() <= before);
        for (const LinkEvent& event : events) {
            const Link* now = watched.find(event.link.index);
            require(event.kind == LinkEvent::Kind::deleted ? now == nullptr : now != nullptr);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<char> bytes(data, data + size);
    const std::string_view input{bytes.data(), size};
    const std::vector<Message> messages = messages_in(input);
    const HostNetworkFacts facts = facts_in(messages);
    check_addresses(facts);
    check_watched(messages, facts.links);
    static_cast<void>(parse_uevent(input, "tap7"));
    check_aliases(input);
    static_cast<void>(rule_drops(bytes, size > 0 ? data[0] : 0));
    return 0;
}
