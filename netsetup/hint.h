// The next step for the user, for each thing that can fail here.
#pragma once

#include <string>

namespace vml::net {

// What was being done when the system refused.
enum class Step {
    open_netlink,
    read_links,
    open_tun,
    attach_tap,
    set_mtu_and_mac,
    set_master,
    set_up,
    keep_datagrams,
    make_private_netns,
    create_macvtap,
    open_macvtap,
    attach_macvtap,
    delete_link,
    take_owner_lock,
    make_segment,
    join_segment,
};

// One sentence, or nothing when there is no better advice than the system's own words. Pure.
[[nodiscard]] std::string hint_for(Step step, int error_number);

}  // namespace vml::net
