#include "netsetup/operation.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vml::net {

namespace {

std::string name_text(const std::string& name) {
    const bool pattern = name.find("%d") != std::string::npos;
    return name + (pattern ? " (the kernel takes the first free number)" : "");
}

std::string queues_text(const QueueOptions& options) {
    return fmt::format("{} queue{}{}", options.queues, options.queues == 1 ? "" : "s",
                       options.vnet_hdr ? " with virtio-net headers" : "");
}

std::string_view mode_text(MacvlanMode mode) {
    switch (mode) {
        case MacvlanMode::private_mode:
            return "private";
        case MacvlanMode::vepa:
            return "vepa";
        case MacvlanMode::bridge:
            return "bridge";
        case MacvlanMode::passthru:
            return "passthru";
        case MacvlanMode::source:
            return "source";
    }
    return "unknown";
}

std::string_view lifetime_text(Lifetime lifetime) {
    return lifetime == Lifetime::with_its_queues
               ? "in a private network namespace, so that it goes with its descriptors"
               : "tagged, so that the next start deletes it if this one is killed";
}

struct Describe {
    std::string operator()(const CreateTap& op) const {
        return fmt::format("make the tap {}: {}, MTU {}, MAC {}", name_text(op.name), queues_text(op.queues),
                           op.mtu, mac_text(op.mac));
    }
    std::string operator()(const SetMaster& op) const {
        return fmt::format("make the link a port of {}", op.bridge);
    }
    std::string operator()(const SetUp&) const {
        return "bring the link up, without an IPv6 address of the host";
    }
    std::string operator()(const KeepDatagrams& op) const {
        return fmt::format(
            "keep from everybody what the guest sends to UDP port {} of {}, or{} to {} of whomever: "
            "vm-launch answers it",
            fmt::join(op.target.ports, " or "), fmt::join(op.target.address, "."),
            op.target.everywhere_from ? fmt::format(" from {}", *op.target.everywhere_from) : "",
            fmt::join(op.target.everywhere, " or "));
    }
    std::string operator()(const CreateMacvtap& op) const {
        return fmt::format("make the macvtap {} on {}: mode {}, MTU {}, MAC {}, {}", name_text(op.name),
                           op.lower, mode_text(op.mode), op.mtu, mac_text(op.mac),
                           lifetime_text(op.lifetime));
    }
    std::string operator()(const OpenMacvtap& op) const {
        return fmt::format("open the macvtap's character device: {}", queues_text(op.queues));
    }
    std::string operator()(const CloseQueues&) const { return "close the link's descriptors"; }
    std::string operator()(const DeleteLink&) const { return "delete the link that was made"; }
};

struct Inverse {
    std::optional<Operation> operator()(const CreateTap& op) const { return DeleteLink{op.nic}; }
    std::optional<Operation> operator()(const CreateMacvtap& op) const { return DeleteLink{op.nic}; }
    std::optional<Operation> operator()(const OpenMacvtap& op) const { return CloseQueues{op.nic}; }
    template <typename Other>
    std::optional<Operation> operator()(const Other&) const {
        return std::nullopt;
    }
};

}  // namespace

unsigned nic_of(const Operation& operation) {
    return std::visit([](const auto& op) { return op.nic; }, operation);
}

std::optional<Operation> inverse(const Operation& operation) {
    return std::visit(Inverse{}, operation);
}

std::vector<Operation> inverses(const std::vector<Operation>& operations) {
    std::vector<Operation> result;
    for (const Operation& operation : operations) {
        if (std::optional<Operation> undo = inverse(operation)) {
            result.push_back(std::move(*undo));
        }
    }
    std::reverse(result.begin(), result.end());
    return result;
}

bool outlives_descriptors(const std::vector<Operation>& operations) {
    return std::any_of(operations.begin(), operations.end(), [](const Operation& operation) {
        const auto* macvtap = std::get_if<CreateMacvtap>(&operation);
        return macvtap != nullptr && macvtap->lifetime == Lifetime::until_reconcile;
    });
}

std::string describe(const Operation& operation) {
    return fmt::format("NIC {}: {}", nic_of(operation), std::visit(Describe{}, operation));
}

}  // namespace vml::net
