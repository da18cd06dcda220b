#include <algorithm>

#include <fmt/format.h>

#include "launcher/vm/decide_parts.h"
#include "launcher/vm/link_kind.h"

namespace vml {

namespace {

// Its name is the container's ID, which is another one next time.
bool is_named_at_random(const DecideInput& in) {
    return !in.settings.name && in.facts.random_name;
}

// Its folder keeps its name, and what tells it from VMs of that name elsewhere.
bool has_lasting_name(const DecideInput& in) {
    return is_named_at_random(in) && in.facts.data;
}

// A data folder keeps what its VMs were derived from at its first start, wherever it is mounted next. A
// container's random name is its own; a machine-id in it may be its image's, and so that of many.
std::string source_of_host(const DecideInput& in) {
    if (in.facts.data && in.facts.data->identity) {
        return *in.facts.data->identity;
    }
    if (!in.facts.machine_id.empty() && !has_lasting_name(in)) {
        return in.facts.machine_id;
    }
    return in.facts.data && in.facts.in_container ? in.facts.default_name : "";
}

}  // namespace

std::string decide_name(const DecideInput& in) {
    return has_lasting_name(in) ? lasting_name : in.settings.name.value_or(in.facts.default_name);
}

std::string identity_source(const DecideInput& in, const std::string& vm_name) {
    const std::string host = source_of_host(in);
    return host.empty() ? vm_name : fmt::format("{}/{}", host, vm_name);
}

std::optional<IdentityToKeep> identity_to_keep(const DecideInput& in,
                                               const std::optional<std::filesystem::path>& state_folder) {
    const std::string source = source_of_host(in);
    if (!state_folder || in.facts.data->identity || source.empty()) {
        return std::nullopt;
    }
    return IdentityToKeep{state_folder->parent_path() / identity_file, source};
}

void check_identity(const DecideInput& in, const VmSpec& spec, Findings& findings) {
    const auto& others = in.facts.running_vms;
    const bool derived = std::any_of(in.settings.nics.begin(), in.settings.nics.end(),
                                     [](const NicSettings& nic) { return !nic.mac; });
    const bool on_link = std::any_of(spec.nics.begin(), spec.nics.end(),
                                     [](const NicSpec& nic) { return kind_of(nic.net).on_host; });
    if (!derived || !on_link) {
        return;
    }
    if (!has_lasting_name(in) && std::find(others.begin(), others.end(), spec.name) != others.end()) {
        findings.note(fmt::format(
            "a VM named {} runs on this host already, with the same UUID and MAC address {}: on one "
            "network they disturb each other; --name NAME gives this one its own",
            spec.name, spec.nics.front().mac));
    }
    if (is_named_at_random(in) && !in.facts.data) {
        findings.note(
            "the MAC address is another one with each new container, as the container's name is: give --name "
            "NAME, name the container (`docker run --hostname`), or mount a data folder");
    }
}

}  // namespace vml
