#include "launcher/settings/layer.h"

#include <iterator>

namespace vml {

namespace {

template <typename Item>
void add_all(std::vector<Item>& all, std::vector<Item> more) {
    std::move(more.begin(), more.end(), std::back_inserter(all));
}

// Of a list the strongest layer that names any has all.
template <typename Item>
void prefer(std::vector<Item>& strong, std::vector<Item> weak, std::vector<Fault>& faults,
            std::vector<Fault> weak_faults) {
    if (strong.empty()) {
        strong = std::move(weak);
        add_all(faults, std::move(weak_faults));
    }
}

}  // namespace

void add_weaker(Layer& strong, Layer weak) {
    strong.values.merge(std::move(weak.values));
    prefer(strong.nics, std::move(weak.nics), strong.faults, std::move(weak.nic_faults));
    prefer(strong.disks, std::move(weak.disks), strong.faults, std::move(weak.disk_faults));
    prefer(strong.devices, std::move(weak.devices), strong.faults, std::move(weak.device_faults));
    prefer(strong.dhcp_options, std::move(weak.dhcp_options), strong.faults,
           std::move(weak.dhcp_option_faults));
    prefer(strong.extra_disks, std::move(weak.extra_disks), strong.faults, std::move(weak.extra_disk_faults));
    if (!strong.config) {
        strong.config = std::move(weak.config);
    }
    add_all(strong.faults, std::move(weak.faults));
}

}  // namespace vml
