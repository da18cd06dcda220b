// What the user asked for, as plain values: the result of the step "read". No host fact is in here.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "rom/catalogue.h"

namespace vml {

using Arch = rom::Arch;

enum class BootDevice { network, hd, cdrom };
enum class FirmwareMode { legacy, uefi };
enum class NetworkMode { nat, bridge, direct };
enum class AccelChoice { automatic, kvm, tcg };

// A number the user gave, or a share of what the host has.
enum class Share { half, max };
struct Amount {
    std::optional<std::uint64_t> number;  // CPUs: a count; memory: MiB
    std::optional<Share> share;
    bool operator==(const Amount&) const = default;
};

// TCP from a port of the host's loopback to a port of the guest.
struct PortForward {
    std::uint16_t host_port = 0;
    std::uint16_t guest_port = 0;
    bool operator==(const PortForward&) const = default;
};

// One NIC of the guest.
struct NicSettings {
    NetworkMode network = NetworkMode::nat;
    std::optional<std::string> bridge;      // with NetworkMode::bridge
    std::optional<std::string> direct_dev;  // with NetworkMode::direct
    std::optional<std::string> mac;         // lower case, six octets
    std::string model = "virtio";
    std::optional<unsigned> mtu;  // bytes; none: the bridge's or the lower device's
    std::optional<bool> boot;     // takes part in network boot; none: the first NIC does
    unsigned queues = 1;          // pairs of queues, virtio on bridge or direct

    bool operator==(const NicSettings&) const = default;
};

// Defaults are those of docs/SETTINGS.md; an empty optional means "decide from the host".
struct Settings {
    bool ipxe = false;
    std::optional<std::filesystem::path> ipxe_rom;
    std::optional<std::vector<BootDevice>> boot_order;
    std::optional<FirmwareMode> firmware;

    std::vector<NicSettings> nics{NicSettings{}};  // at least one
    std::optional<std::filesystem::path> netboot_dir;
    std::optional<std::string> bootfile;
    std::vector<PortForward> port_forwards;
    std::optional<std::uint16_t> ssh_port;

    std::optional<Arch> arch;
    std::optional<std::string> machine;
    AccelChoice accel = AccelChoice::automatic;
    bool require_kvm = false;
    std::optional<std::string> cpu;
    Amount cpus{2, {}};
    Amount memory_mib{4096, {}};

    std::optional<std::filesystem::path> disk;
    std::uint64_t disk_size = std::uint64_t{20} << 30;  // bytes
    bool blank_disk = false;
    std::optional<std::filesystem::path> iso;

    std::optional<std::string> name;
    std::optional<std::string> run_as;
    bool no_console = false;
    std::chrono::seconds stop_timeout{8};
    LogLevel log_level = LogLevel::info;
    LogFormat log_format = LogFormat::text;
    std::vector<std::string> extra_args;

    bool operator==(const Settings&) const = default;
};

// Where a setting came from, by flag name without dashes: "--boot-order", "$BOOT_ORDER", "boot-order in
// FILE". A setting that is not in the map has its default.
using Origins = std::map<std::string, std::string, std::less<>>;

// How to speak of a setting in an error: its origin, or "--flag (default)".
[[nodiscard]] std::string origin_of(const Origins& origins, std::string_view flag);

}  // namespace vml
