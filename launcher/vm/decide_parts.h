// The parts of the step "decide", in the order in which they run: each gives its part of the VM, and adds
// what it found to the findings. Pure.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "launcher/vm/facts.h"
#include "launcher/vm/findings.h"
#include "launcher/vm/spec.h"

namespace vml {

struct DecideInput {
    const Settings& settings;
    const Origins& origins;
    const HostFacts& facts;

    [[nodiscard]] std::string origin(std::string_view flag) const { return origin_of(origins, flag); }
    [[nodiscard]] std::filesystem::path absolute(const std::filesystem::path& path) const;
    // In a container its own network keeps others out, and what a published port leads to is no loopback.
    [[nodiscard]] std::string listen_address() const { return facts.in_container ? "0.0.0.0" : "127.0.0.1"; }
};

// A path of the settings.
struct NamedPath {
    std::string_view flag;
    const std::filesystem::path& path;
    const PathFacts& facts;
    PathFacts::Kind wanted = PathFacts::Kind::file;
};
// Is it there, of the right kind, and can it be opened?
[[nodiscard]] bool check_path(const DecideInput& in, const NamedPath& named, Findings& findings);

// decide_machine.cpp
[[nodiscard]] std::filesystem::path decide_qemu(const DecideInput& in, Findings& findings);
struct MachineChoice {
    std::string name;
    MachineFamily family = MachineFamily::q35;
};
[[nodiscard]] MachineChoice decide_machine(const DecideInput& in, Arch arch, Findings& findings);
[[nodiscard]] std::uint64_t decide_amount(const Amount& amount, std::uint64_t whole);
// decide_memory.cpp
struct MemoryChoice {
    std::uint64_t guest_mib = 0;
    std::optional<std::uint64_t> translation_mib;  // of TCG; none: QEMU's own default
};
[[nodiscard]] MemoryChoice decide_memory(const DecideInput& in, Accelerator accelerator, std::uint64_t cpus,
                                         Findings& findings);

struct AcceleratorChoice {
    Accelerator accelerator = Accelerator::tcg;
    std::string reason;
    std::string cpu;
};
[[nodiscard]] AcceleratorChoice decide_accelerator(const DecideInput& in, Arch arch, Findings& findings);

// decide_firmware.cpp
[[nodiscard]] FirmwareSpec decide_firmware(const DecideInput& in, Arch arch, const MachineChoice& machine,
                                           Findings& findings);
// A source of entropy for the guest.
[[nodiscard]] bool decide_entropy(const DecideInput& in, FirmwareMode firmware, Findings& findings);
// decide_nvram.cpp
[[nodiscard]] NvramSpec decide_nvram(const DecideInput& in, const FirmwareSpec& firmware, Arch arch,
                                     const std::optional<std::filesystem::path>& state_folder,
                                     Findings& findings);
[[nodiscard]] std::optional<TpmSpec> decide_tpm(const DecideInput& in, FirmwareMode firmware,
                                                const std::optional<std::filesystem::path>& state_folder,
                                                Findings& findings);
[[nodiscard]] std::optional<PxeClient> decide_pxe(const DecideInput& in, FirmwareMode firmware,
                                                  Findings& findings);

// decide_user.cpp
[[nodiscard]] std::optional<RunUser> decide_run_user(const DecideInput& in, Accelerator accelerator,
                                                     Findings& findings);
[[nodiscard]] std::optional<std::filesystem::path> decide_state_folder(const DecideInput& in,
                                                                       const std::string& vm_name,
                                                                       Findings& findings);

// decide_identity.cpp
[[nodiscard]] std::string decide_name(const DecideInput& in);
// What UUID and MAC addresses are derived from: the name, and what tells this host from others.
[[nodiscard]] std::string identity_source(const DecideInput& in, const std::string& vm_name);
// To be kept in the data folder, where nothing is yet.
[[nodiscard]] std::optional<IdentityToKeep> identity_to_keep(
    const DecideInput& in, const std::optional<std::filesystem::path>& state_folder);
// Another VM may have the same addresses, or this one others at its next start.
void check_identity(const DecideInput& in, const VmSpec& spec, Findings& findings);

// decide_nics.cpp
struct NicFrame {
    const std::string& vm_name;
    Arch arch = Arch::x86_64;
    FirmwareMode firmware = FirmwareMode::legacy;
    const std::string& identity;
};
struct NicChoice {
    std::vector<NicSpec> nics;
    std::optional<IpxeProgramSpec> ipxe_program;
};
[[nodiscard]] NicChoice decide_nics(const DecideInput& in, const NicFrame& frame, Findings& findings);
// How an error speaks of one NIC's setting: by its flag or variable, or "NIC 2" where --nic has said it.
[[nodiscard]] std::string nic_words(const DecideInput& in, std::size_t index, std::string_view flag);

// decide_rom.cpp. Where a program does what no ROM can do here, `program` says so: one for all NICs.
[[nodiscard]] std::optional<RomSpec> decide_rom(const DecideInput& in, const NicFrame& frame,
                                                std::size_t index, std::optional<IpxeProgramSpec>& program,
                                                Findings& findings);

// netboot_sources.cpp: what names the boot is given once, and what belongs to it stands beside it.
void check_netboot_sources(const DecideInput& in, Findings& findings);

// decide_netboot.cpp: of the NIC that netboot_nic names.
[[nodiscard]] Netboot decide_netboot(const DecideInput& in, const NicFrame& frame, std::size_t index,
                                     Findings& findings);

// Can a file be served that is so by itself? `flag` names it.
[[nodiscard]] bool check_offered(const DecideInput& in, std::string_view flag,
                                 const std::filesystem::path& path, const OfferedFile& file,
                                 Findings& findings);

// decide_undionly.cpp: what names the boot is chained by undionly.kpxe, where that is asked for.
void load_undionly_first(const DecideInput& in, const NicFrame& frame, Netboot& netboot, Findings& findings);
// undionly.kpxe was found nowhere.
[[nodiscard]] Fault no_undionly(const DecideInput& in);

// firmware_file.cpp: of a NIC that the firmware's own client boots.
void serve_folder_to_firmware(const DecideInput& in, const NicFrame& frame, Netboot& netboot,
                              Findings& findings);
// False: nothing boots from the network, and the findings say why.
[[nodiscard]] bool give_program_to_firmware(const DecideInput& in, const NicFrame& frame, Netboot& netboot,
                                            Findings& findings);

// Those of the above that say what is served holds nothing which the firmware's own client could boot.
[[nodiscard]] std::vector<Fault> unserved_faults(const DecideInput& in, const NicFrame& frame);

// decide_nat.cpp
[[nodiscard]] Nat decide_nat(const DecideInput& in, std::size_t index, Findings& findings);
void check_nat_settings(const DecideInput& in, Findings& findings);
// decide_offer.cpp: how it is named; of what is served to a guest on a bridge, where it comes from; and what
// no NIC can be served.
// QEMU's own address on the user-mode network of the NIC that netboot_nic names, where the guest finds this
// host's loopback.
[[nodiscard]] net::Ipv4Address user_mode_host(const DecideInput& in);
void name_by_script(const DecideInput& in, Netboot& netboot, Findings& findings);
void decide_offer(const DecideInput& in, const NicFrame& frame, std::size_t index, Netboot& netboot,
                  Findings& findings);
void check_netboot_settings(const DecideInput& in, Findings& findings);
// decide_dhcp_options.cpp: what the offer to iPXE has beside the bootfile; where there is none, it is made
// one. Not `can_boot`: the firmware's own client gets nothing, and the findings say so.
void decide_dhcp_options(const DecideInput& in, std::size_t index, bool can_boot, Netboot& netboot,
                         Findings& findings);
// Is it a ProxyDHCP server that names the boot file on a segment?
[[nodiscard]] bool names_by_proxy(const DecideInput& in, const NicFrame& frame, std::size_t index,
                                  Findings& findings);

// decide_links.cpp: how the link that `net` names is made. Also sets the MTU that the NIC shows.
struct NicPlace {
    const DecideInput& in;
    const NicFrame& frame;
    std::size_t index = 0;
};
[[nodiscard]] BridgePort decide_bridge_port(const NicPlace& place, BridgePort port, NicSpec& nic,
                                            Findings& findings);
[[nodiscard]] Macvtap decide_macvtap(const NicPlace& place, Macvtap macvtap, NicSpec& nic,
                                     Findings& findings);

// decide_disks.cpp
struct DiskFrame {
    const MachineChoice& machine;
    const std::optional<std::filesystem::path>& state_folder;
};
[[nodiscard]] std::vector<DiskSpec> decide_disks(const DecideInput& in, const DiskFrame& frame,
                                                 Findings& findings);
[[nodiscard]] std::optional<CdromSpec> decide_cdrom(const DecideInput& in, Findings& findings);

// image_use.cpp: does the VM have a file twice, and writes to it?
void check_image_uses(const DecideInput& in, const std::vector<DiskSpec>& disks, Findings& findings);

// decide_blank_disks.cpp: after the images. A disk's cache is what is asked for, else what its I/O needs,
// else the last word.
[[nodiscard]] DiskSpec next_disk(const DecideInput& in, const std::vector<DiskSpec>& disks,
                                 DiskCache otherwise);
void add_blank_disks(const DecideInput& in, const DiskFrame& frame, std::vector<DiskSpec>& disks,
                     Findings& findings);
// What is said of disks, and counts for nothing with those that there are.
void check_disk_settings(const DecideInput& in, const std::vector<DiskSpec>& disks, Findings& findings);

// decide_kept_disk.cpp
// What is asked of a blank disk's size, and by which setting.
struct AskedSize {
    std::string flag;
    Amount amount;
    std::uint64_t bytes = 0;  // that the amount comes to
};
struct KeptDisk {
    std::filesystem::path file;
    std::uint64_t size = 0;  // bytes, that it has or is to have
};
[[nodiscard]] KeptDisk decide_kept_disk(const DecideInput& in, const AskedSize& asked,
                                        const std::filesystem::path& state_folder, Findings& findings);
[[nodiscard]] KeptDisk decide_extra_kept_disk(const DecideInput& in, const AskedSize& asked,
                                              std::size_t index, const std::filesystem::path& state_folder,
                                              Findings& findings);
// What is kept, though no blank disk is asked for that would be it.
void note_unused_disks(const DecideInput& in, Findings& findings);

// decide_guest_data.cpp
[[nodiscard]] std::vector<std::pair<std::string, std::string>> decide_smbios(const DecideInput& in,
                                                                             Findings& findings);
[[nodiscard]] std::optional<SeedSpec> decide_seed(const DecideInput& in, const std::string& vm_name,
                                                  Findings& findings);
[[nodiscard]] std::optional<VncSpec> decide_screen(const DecideInput& in, Findings& findings);

// port_check.cpp: the ports of the host that QEMU is to listen on.
void check_ports(const DecideInput& in, Findings& findings);

// output_check.cpp: the files that vm-launch is to write for others.
void check_outputs(const DecideInput& in, Findings& findings);

// note_unused.cpp: what is given and counts for nothing here.
void note_unused(const DecideInput& in, Findings& findings);

// boot_order.cpp
struct BootOrder {
    std::vector<BootEntry> first;  // where it differs: until the guest's first reset
    std::vector<BootEntry> later;
};
[[nodiscard]] BootOrder decide_boot_order(const DecideInput& in, const VmSpec& devices, Findings& findings);

// decide_watch.cpp: what follows from the order.
void drop_idle_program(VmSpec& spec);
void watch_nics(const DecideInput& in, VmSpec& spec, Findings& findings);
// Can the packets be written that --report is to have?
void check_record(const DecideInput& in, const VmSpec& spec, Findings& findings);
void spare_waits(const DecideInput& in, VmSpec& spec);
// decide_probe.cpp: whose network is asked who would answer, for `run` as for `doctor`.
void decide_probe(const DecideInput& in, VmSpec& spec, Findings& findings);

}  // namespace vml
