#include "launcher/settings/machine_options.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace vml {

namespace {

const std::vector<std::string>& smbios_fields() {
    static const std::vector<std::string> fields{"serial",  "asset", "manufacturer", "product",
                                                 "version", "sku",   "family"};
    return fields;
}

// libvirt's words for the same are taken too.
std::string parse_cpu_model(std::string_view text) {
    return text == "host-passthrough" || text == "host-model" ? "host" : parse_text(text);
}

std::optional<Share> share_in(std::string_view text) {
    return choice_named<Share>(lower(trimmed(text)));
}

}  // namespace

Amount parse_cpus(std::string_view text) {
    if (const auto share = share_in(text)) {
        return {{}, share};
    }
    constexpr std::uint64_t most_cpus =
        4096;  // QEMU's largest max_cpus of any machine (hw/i386/pc_q35.c, 9.1)
    return {parse_number(text, 1, most_cpus, "a count, half or max"), {}};
}

Amount parse_memory(std::string_view text) {
    if (const auto share = share_in(text)) {
        return {{}, share};
    }
    constexpr SizeRange range{20, std::uint64_t{16} << 20, std::uint64_t{1} << 44,
                              "MiB, a size with M, G or T, half or max", "16M to 16T"};
    return {parse_size(text, range) >> 20, {}};
}

std::vector<std::pair<std::string, std::string>> parse_smbios(std::string_view text) {
    std::vector<std::pair<std::string, std::string>> fields;
    for (const std::string& part : split_list(text)) {
        auto field = parse_pair(part, "FIELD=VALUE", "serial=S1,asset=A1");
        const auto& known = smbios_fields();
        if (std::find(known.begin(), known.end(), field.first) == known.end()) {
            throw unknown_key("SMBIOS field", field.first, known);
        }
        if (std::any_of(fields.begin(), fields.end(),
                        [&](const auto& other) { return other.first == field.first; })) {
            throw repeated(field.first);
        }
        fields.push_back(std::move(field));
    }
    return fields;
}

namespace {

std::string checked_name(std::string_view text, std::string_view noun) {
    constexpr std::size_t longest_label = 63;
    const auto allowed = [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
    };
    std::string name{trimmed(text)};
    if (name.empty() || name.size() > longest_label || !std::all_of(name.begin(), name.end(), allowed) ||
        std::isalnum(static_cast<unsigned char>(name.front())) == 0) {
        throw ValueError{fmt::format("invalid {} '{}'", noun, text),
                         "letters, digits, '.', '_' and '-', up to 63 characters, a letter or digit first"};
    }
    return name;
}

}  // namespace

std::string parse_name(std::string_view text) {
    return checked_name(text, "VM name");
}

std::string parse_host_name(std::string_view text) {
    return checked_name(text, "host name");
}

std::vector<OptionRow> machine_options() {
    return {
        option<&Settings::arch>({"arch", "ARCH", "ARCH", "the host's", "{}"}),
        option<&Settings::machine>(
            {"machine", "MACHINE", "TYPE", "q35 on x86_64, virt on aarch64",
             "QEMU's machine type: q35, pc or virt, or a versioned name of one of them"}),
        option<&Settings::accel>(
            {"accel", "ACCEL", "NAME", "auto", "{}; auto takes KVM where it can run firmware"}),
        option<&Settings::require_kvm>({"require-kvm", "REQUIRE_KVM", "", "off", "fail rather than emulate"}),
        option<&Settings::cpu, parse_cpu_model>(
            {"cpu", "CPU_MODEL", "MODEL", "host with KVM, else max", "QEMU's CPU model"}),
        suggesting(choice_names<Share>,
                   option<&Settings::cpus, parse_cpus>(
                       {"cpus", "CPUS", "N", "2", "virtual CPUs: a count, half or max"})),
        suggesting(choice_names<Share>, option<&Settings::memory_mib, parse_memory>(
                                            {"memory", "MEMORY", "SIZE", "4096",
                                             "MiB, or a size with M, G or T, or half or max"})),
        option<&Settings::tpm>({"tpm", "TPM", "", "on with --firmware secure, else off",
                                "a TPM 2.0: swtpm, which vm-launch starts and ends; kept with --persist"}),
        option<&Settings::rng>(
            {"rng", "RNG", "", "on with UEFI, else off", "a source of entropy for the guest (virtio-rng)"}),
        option<&Settings::balloon>({"balloon", "BALLOON", "", "off",
                                    "a virtio-balloon: what the guest frees goes back to the host"}),
        option<&Settings::usb>({"usb", "USB", "", "on with --disk-bus usb, else off",
                                "a USB controller (xHCI), with --graphics vnc a tablet too, which points "
                                "where the viewer does"}),
        option<&Settings::hyperv>(
            {"hyperv", "HYPERV", "", "off",
             "with KVM on x86_64: the interfaces of Hyper-V, by which Windows runs faster"}),
        adding_up(option<&Settings::smbios, parse_smbios>(
            {"smbios", "SMBIOS", "FIELD=VALUE,…", "none",
             fmt::format("{}, as the guest and iPXE see them", listed(smbios_fields(), "and"))})),
        option<&Settings::name, parse_name>(
            {"name", "GUEST_NAME", "NAME", "the container's host name, else vm",
             "the VM's name; by default vm too where a container has a random one and a data folder"}),
    };
}

}  // namespace vml
