// The step "look": what the host has of what these settings need. Reads only; the one place that does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "launcher/firmware_files.h"
#include "launcher/kvm_probe.h"
#include "launcher/run_user.h"
#include "launcher/settings.h"
#include "launcher/settings_reader.h"
#include "netsetup/host_facts.h"
#include "rom/option_rom.h"

namespace vml {

// An option ROM that could serve: read, or the reason why it could not be.
struct RomCandidate {
    std::filesystem::path path;
    std::optional<rom::OptionRom> rom;
    std::optional<Fault> fault;
};

// A file or folder that the settings name.
struct PathFacts {
    enum class Kind { missing, file, folder, other };
    Kind kind = Kind::missing;
    int open_error = 0;  // errno of opening it for what it is needed for; 0: it can be opened
    std::string head;    // its first bytes, for telling disk formats
    int user_error = 0;  // likewise as the user that QEMU runs as, where QEMU opens it by itself
    bool operator==(const PathFacts&) const = default;
};

struct NetbootFacts {
    PathFacts folder;
    bool has_boot_ipxe = false;
    std::optional<PathFacts> bootfile;  // of the name that was given
};

struct HostFacts {
    Arch arch = Arch::x86_64;
    std::string qemu_program;                   // the name that was looked for
    std::optional<std::filesystem::path> qemu;  // where it is
    KvmFacts kvm;
    std::uint64_t cpus = 1;
    std::uint64_t memory_mib = 0;                 // what there is, a container's limit respected
    std::string default_name = "vm";              // the container's host name, if in one
    std::vector<std::vector<RomCandidate>> roms;  // for each NIC, in order of preference
    std::vector<UefiFirmware> uefi;
    std::optional<NetbootFacts> netboot;
    std::optional<PathFacts> disk;
    std::optional<PathFacts> iso;
    std::optional<net::HostNetworkFacts> network;  // where a NIC is on bridge or direct
    int vhost_error = 0;                           // errno of opening /dev/vhost-net; 0: it can be opened
    RunUserFacts run_user;
};

// The choices that need nothing but the host's architecture.
[[nodiscard]] Arch arch_of(const Settings& settings, Arch host);
[[nodiscard]] FirmwareMode firmware_of(const Settings& settings, Arch arch);

// Does this NIC boot, when `network` is in the order at all?
[[nodiscard]] bool takes_part_in_boot(const NicSettings& nic, std::size_t index);

// `environment` gives PATH and XDG_CONFIG_HOME.
[[nodiscard]] HostFacts look(const Settings& settings, const Environment& environment);

}  // namespace vml
