#include "launcher/vm/link_kind.h"

#include "base/overloaded.h"

namespace vml {

LinkKind kind_of(const NicNet& net) {
    return std::visit([](const auto& kind) { return row_of(kind); }, net);
}

std::string_view host_link_of(const NicNet& net) {
    return std::visit(Overloaded{[](const Nat&) { return std::string_view{}; },
                                 [](const BridgePort& port) { return std::string_view{port.bridge}; },
                                 [](const Macvtap& macvtap) { return std::string_view{macvtap.lower}; },
                                 [](const Isolated& alone) { return std::string_view{alone.segment}; }},
                      net);
}

NicNet net_of(const NicSettings& nic) {
    switch (nic.network) {
        case NetworkMode::nat:
            return Nat{};
        case NetworkMode::bridge:
            return BridgePort{nic.bridge.value_or(""), {}, {}};
        case NetworkMode::direct:
            return Macvtap{nic.direct_dev.value_or(""), {}};
        case NetworkMode::isolated:
            return Isolated{nic.segment.value_or("")};
    }
    return Nat{};
}

}  // namespace vml
