#include "launcher/vm/spec.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/url.h"

namespace vml {

bool Netboot::is_elsewhere() const {
    return bootfile && is_url(*bootfile);
}

std::string Netboot::names_of_files() const {
    const std::string& first = bootfile && http ? *bootfile : files.front().name;
    return files.size() > 1 ? fmt::format("{} and {} more", first, files.size() - 1) : first;
}

std::optional<int> VmSpec::bootindex(std::string_view device) const {
    const std::vector<BootEntry>& order = first_boot.empty() ? boot_order : first_boot;
    const auto entry = std::find_if(order.begin(), order.end(),
                                    [&](const BootEntry& e) { return e.device == device && e.index != 0; });
    return entry == order.end() ? std::nullopt : std::optional{entry->index};
}

bool VmSpec::boots_from(const NicSpec& nic) const {
    return nic.by_program || bootindex(nic.id);
}

}  // namespace vml
