#include "launcher/settings/numbered_variables.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "launcher/settings/nic_options.h"

namespace vml {

namespace {

// DISK2 and NETWORK2_MODE: a number between a beginning and one of these ends.
struct NumberedKind {
    std::string_view noun;
    std::string_view beginning;
    std::vector<std::string_view> ends;
};

NumberedKind numbered_disk_names() {
    return {"disk", "DISK", {""}};
}

NumberedKind numbered_option_names() {
    return {"DHCP option", "DHCP_OPTION", {""}};
}

NumberedKind numbered_device_names() {
    return {"block device", "DEVICE", {""}};
}

NumberedKind numbered_size_names() {
    return {"blank disk", "DISK", {"_SIZE"}};
}

NumberedKind numbered_nic_names() {
    NumberedKind kind{"NIC", "NETWORK", {}};
    for (const NicKey& key : nic_keys()) {
        kind.ends.push_back(key.first.environment.substr(kind.beginning.size()));
    }
    return kind;
}

// What stands behind a kind's beginning; none: the name is not of this kind.
struct NumberedName {
    std::string_view digits;
    std::string_view end;
};
std::optional<NumberedName> numbered_name(const NumberedKind& kind, std::string_view name) {
    const std::string_view rest = name.substr(kind.beginning.size());
    const std::size_t end = std::min(rest.find_first_not_of("0123456789"), rest.size());
    const bool known = std::find(kind.ends.begin(), kind.ends.end(), rest.substr(end)) != kind.ends.end();
    return end > 0 && known ? std::optional{NumberedName{rest.substr(0, end), rest.substr(end)}}
                            : std::nullopt;
}

// "DISK1" and "DISK02" are written "DISK" and "DISK2".
Fault another_name(const NumberedKind& kind, std::string_view name, const NumberedName& parts) {
    const auto number = whole_number<unsigned>(parts.digits);
    const bool first = number && *number < 2;
    return {fmt::format("${}: {}", name,
                        first ? fmt::format("the first {} has no number", kind.noun)
                              : "this number is written otherwise"),
            "",
            fmt::format("write {}{}{}=…", kind.beginning, first || !number ? "" : std::to_string(*number),
                        parts.end),
            ExitCode::settings};
}

Fault gap_before(const NumberedKind& kind, const std::vector<std::string>& names, unsigned missing) {
    const std::string last =
        fmt::format("{}{}{}", kind.beginning, missing, kind.ends.size() > 1 ? "_…" : kind.ends.front());
    return {fmt::format("{}: there is no {}", fmt::join(names, ", "), last),
            fmt::format("the numbers of {}s begin with 2 and have no gap", kind.noun),
            fmt::format("give {} too, or number those that there are anew", last), ExitCode::settings};
}

// What the numbers are wrong in.
std::vector<Fault> number_faults(const Environment& environment, const NumberedKind& kind) {
    std::vector<Fault> faults;
    std::map<unsigned, std::vector<std::string>> given;
    for (auto found = environment.lower_bound(kind.beginning);
         found != environment.end() && found->first.starts_with(kind.beginning); ++found) {
        const std::string& name = found->first;
        const auto parts = numbered_name(kind, name);
        if (!parts || !variable(environment, name)) {
            continue;
        }
        const auto number = whole_number<unsigned>(parts->digits);
        if (number && *number > 1 && !parts->digits.starts_with('0')) {
            given[*number].push_back("$" + name);
        } else {
            faults.push_back(another_name(kind, name, *parts));
        }
    }
    unsigned next = 2;
    for (const auto& [number, names] : given) {
        if (number != next) {
            faults.push_back(gap_before(kind, names, next));
        }
        next = number + 1;
    }
    return faults;
}

// Up to the first number without any.
std::vector<RawNic> numbered_nics(const Environment& environment) {
    std::vector<RawNic> nics;
    for (int number = 2;; ++number) {
        RawNic nic;
        for (const NicKey& key : nic_keys()) {
            if (auto value = variable(environment, key.variable(number))) {
                nic.keys.emplace_back(key.key, *std::move(value));
            }
        }
        if (nic.keys.empty()) {
            return nics;
        }
        nics.push_back(std::move(nic));
    }
}

// Those with a number, up to the first that is not there.
std::vector<Raw> numbered_values(const Environment& environment, const NumberedKind& kind) {
    std::vector<Raw> values;
    for (int number = 2;; ++number) {
        auto value = variable(environment, fmt::format("{}{}{}", kind.beginning, number, kind.ends.front()));
        if (!value) {
            return values;
        }
        values.push_back(*std::move(value));
    }
}

// The first one has no number.
void take_list(const Environment& environment, const NumberedKind& kind, std::vector<Raw>& values,
               std::vector<Fault>& faults) {
    if (auto value = variable(environment, kind.beginning)) {
        values.push_back(*std::move(value));
    }
    for (Raw& value : numbered_values(environment, kind)) {
        values.push_back(std::move(value));
    }
    for (Fault& fault : number_faults(environment, kind)) {
        faults.push_back(std::move(fault));
    }
}

}  // namespace

void take_numbered(const Environment& environment, Layer& layer) {
    layer.nics = numbered_nics(environment);
    layer.nic_faults = number_faults(environment, numbered_nic_names());
    take_list(environment, numbered_disk_names(), layer.disks, layer.disk_faults);
    take_list(environment, numbered_device_names(), layer.devices, layer.device_faults);
    layer.extra_disks = numbered_values(environment, numbered_size_names());
    layer.extra_disk_faults = number_faults(environment, numbered_size_names());
    take_list(environment, numbered_option_names(), layer.dhcp_options, layer.dhcp_option_faults);
}

}  // namespace vml
