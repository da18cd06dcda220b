#include "netsetup/watched_links.h"

#include <optional>
#include <utility>

#include <linux/rtnetlink.h>

namespace vml::net {

std::string_view to_text(LinkEvent::Kind kind) {
    switch (kind) {
        case LinkEvent::Kind::deleted:
            return "deleted";
        case LinkEvent::Kind::carrier:
            return "carrier";
        case LinkEvent::Kind::port_state:
            return "port state";
    }
    return "unknown";
}

std::vector<LinkEvent> events_between(const Link& before, const Link& now) {
    std::vector<LinkEvent> events;
    if (before.carrier != now.carrier) {
        events.push_back({LinkEvent::Kind::carrier, now});
    }
    if (before.port_state != now.port_state) {
        events.push_back({LinkEvent::Kind::port_state, now});
    }
    return events;
}

void WatchedLinks::add(Link link) {
    const int index = link.index;
    links_.emplace(index, std::move(link));
}

const Link* WatchedLinks::find(int index) const {
    const auto found = links_.find(index);
    return found == links_.end() ? nullptr : &found->second;
}

// A bridge tells of its ports in messages of its own (AF_BRIDGE) which hold little more than the port's
// state. Among them, an RTM_DELLINK says that the port left the bridge, not that the link is gone.
void WatchedLinks::take(const nlmsghdr& message, std::vector<LinkEvent>& events) {
    if (message.nlmsg_type != RTM_NEWLINK && message.nlmsg_type != RTM_DELLINK) {
        return;
    }
    Link told = parse_link(message);
    const auto known = links_.find(told.index);
    if (known == links_.end()) {
        return;
    }
    told.wireless = known->second.wireless;
    if (!is_bridge_message(message)) {
        if (message.nlmsg_type == RTM_DELLINK) {
            gone(told.index, events);
        } else if (told.mtu !=
                   0) {  // a radio's own events (IFLA_WIRELESS) are of this type too, and hold nothing else
            now_is(told, events);
        }
        return;
    }
    Link changed = known->second;
    changed.port_state = message.nlmsg_type == RTM_DELLINK ? std::nullopt : told.port_state;
    now_is(changed, events);
}

void WatchedLinks::now_is(const Link& link, std::vector<LinkEvent>& events) {
    Link& before = links_.at(link.index);
    const std::vector<LinkEvent> happened = events_between(before, link);
    events.insert(events.end(), happened.begin(), happened.end());
    before = link;
}

void WatchedLinks::gone(int index, std::vector<LinkEvent>& events) {
    events.push_back({LinkEvent::Kind::deleted, links_.at(index)});
    links_.erase(index);
}

}  // namespace vml::net
