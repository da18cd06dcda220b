// What is to be done to links, as data: a plan holds a list of these, it can be compared and printed, and an
// executor carries it out. Every operation names its link by the NIC's number, because the kernel may choose
// the link's name.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "netsetup/datagram_filter.h"
#include "netsetup/links.h"
#include "netsetup/mac.h"
#include "netsetup/tap_device.h"

namespace vml::net {

// Makes a tap, down, with its queues open. It goes when the last copy of its descriptors is closed.
struct CreateTap {
    unsigned nic = 0;
    std::string name{};   // or a pattern with one %d: the kernel takes the first free number
    std::string alias{};  // shown by `ip link`; may be empty
    QueueOptions queues{};
    unsigned mtu = 1500;
    Mac mac{};  // of the host's end

    bool operator==(const CreateTap&) const = default;
};

// Makes the link a port of a bridge.
struct SetMaster {
    unsigned nic = 0;
    std::string bridge{};

    bool operator==(const SetMaster&) const = default;
};

// Brings the link up, without an IPv6 address of the host on it.
struct SetUp {
    unsigned nic = 0;

    bool operator==(const SetUp&) const = default;
};

// What the guest sends to these UDP ports never comes there: whoever reads the link (packet(7)) answers it.
// This host's kernel would say that the port is closed, or let a service of its own answer.
struct KeepDatagrams {
    unsigned nic = 0;
    DatagramTarget target{};

    bool operator==(const KeepDatagrams&) const = default;
};

// What takes a macvtap away when vm-launch is killed.
enum class Lifetime {
    with_its_queues,  // it lives in a private network namespace that its queues hold. Needs CAP_SYS_ADMIN
    until_reconcile,  // it lives beside its lower device, tagged; the next start deletes it
};

// Makes a macvtap in bridge mode, up.
struct CreateMacvtap {
    unsigned nic = 0;
    std::string name{};  // or a pattern with one %d
    std::string lower{};
    MacvlanMode mode = MacvlanMode::bridge;
    Mac mac{};  // the guest's own
    unsigned mtu = 1500;
    Lifetime lifetime = Lifetime::with_its_queues;
    std::string owner{};  // the VM's name, for the tag

    bool operator==(const CreateMacvtap&) const = default;
};

struct OpenMacvtap {
    unsigned nic = 0;
    QueueOptions queues{};

    bool operator==(const OpenMacvtap&) const = default;
};

// Closes the queues that were not handed on.
struct CloseQueues {
    unsigned nic = 0;

    bool operator==(const CloseQueues&) const = default;
};

// Deletes the link that this NIC's Create operation made, and no other.
struct DeleteLink {
    unsigned nic = 0;

    bool operator==(const DeleteLink&) const = default;
};

using Operation = std::variant<CreateTap, SetMaster, SetUp, KeepDatagrams, CreateMacvtap, OpenMacvtap,
                               CloseQueues, DeleteLink>;

// The number of the NIC that it is for.
[[nodiscard]] unsigned nic_of(const Operation& operation);

// What undoes it. Nothing for SetMaster, SetUp and KeepDatagrams: the link that they change is ours alone and
// goes with the inverse of the operation that made it; nothing for the inverses themselves.
[[nodiscard]] std::optional<Operation> inverse(const Operation& operation);

// The inverses of a whole list, in the order in which they are to be done.
[[nodiscard]] std::vector<Operation> inverses(const std::vector<Operation>& operations);

// Do these make a macvtap of Lifetime::until_reconcile, which must be deleted at the end?
[[nodiscard]] bool outlives_descriptors(const std::vector<Operation>& operations);

// "make the tap vmtap%d (the kernel takes the first free number): 1 queue, …", for a dry run and for the
// plan.
[[nodiscard]] std::string describe(const Operation& operation);

}  // namespace vml::net
