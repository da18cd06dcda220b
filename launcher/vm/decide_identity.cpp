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

namespace {

// As vm-launch writes it: a machine-id, a UUID or a host's name.
bool is_source(std::string_view text) {
    constexpr std::size_t longest = 255;
    constexpr std::string_view characters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return !text.empty() && text.size() <= longest &&
           text.find_first_not_of(characters) == std::string_view::npos;
}

// Garbage would give addresses too, and other ones once it is mended.
void check_kept_identity(const DecideInput& in, Findings& findings) {
    if (in.facts.data && in.facts.data->identity && !is_source(*in.facts.data->identity)) {
        findings.host_fault(
            fmt::format("{}: cannot use {}", in.origin("data-dir"),
                        (in.facts.data->folder / identity_file).string()),
            in.facts.data->identity->empty() ? "it is empty" : "it is nothing that vm-launch wrote there",
            "it keeps what UUIDs and MAC addresses are derived from: put it back as it was, or remove it, "
            "which gives the VMs of this folder other ones");
    }
}

void note_name_alone(const DecideInput& in, const VmSpec& spec, Findings& findings) {
    findings.note(fmt::format(
        "a VM named {} has this UUID and MAC address {} on other hosts too, as nothing here tells this one "
        "from them: {}, or give it a --mac",
        spec.name, spec.nics.front().mac,
        in.facts.in_container
            ? "mount the host's machine-id (`docker run -v /etc/machine-id:/etc/machine-id:ro`)"
            : "give this host a machine-id (`systemd-machine-id-setup`)"));
}

bool on_shared_segment(const VmSpec& spec) {
    return std::any_of(spec.nics.begin(), spec.nics.end(), [](const NicSpec& nic) {
        return kind_of(nic.net).on_segment && !host_link_of(nic.net).empty();
    });
}

}  // namespace

void check_identity(const DecideInput& in, const VmSpec& spec, Findings& findings) {
    check_kept_identity(in, findings);
    const auto& others = in.facts.running_vms;
    const bool derived = std::any_of(in.settings.nics.begin(), in.settings.nics.end(),
                                     [](const NicSettings& nic) { return !nic.mac; });
    const bool on_link = std::any_of(spec.nics.begin(), spec.nics.end(),
                                     [](const NicSpec& nic) { return kind_of(nic.net).on_host; });
    if (!derived || (!on_link && !on_shared_segment(spec))) {
        return;
    }
    if (!has_lasting_name(in) && std::find(others.begin(), others.end(), spec.name) != others.end()) {
        findings.note(fmt::format(
            "a VM named {} runs on this host already, with the same UUID and MAC address {}: on one "
            "network they disturb each other; --name NAME gives this one its own",
            spec.name, spec.nics.front().mac));
    }
    if (!on_link) {
        return;  // no other host is on a segment
    }
    if (source_of_host(in).empty() && !is_named_at_random(in)) {
        note_name_alone(in, spec, findings);
    }
    if (is_named_at_random(in) && !in.facts.data) {
        findings.note(
            "the MAC address is another one with each new container, as the container's name is: give --name "
            "NAME, name the container (`docker run --hostname`), or mount a data folder");
    }
}

}  // namespace vml
