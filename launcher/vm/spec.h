// The step "decide": settings and facts → one VM, in plain structs, or every fault at once. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "launcher/settings/settings.h"
#include "launcher/vm/facts.h"
#include "launcher/vm/rom_choice.h"
#include "launcher/vm/seed.h"
#include "launcher/vm/served_file.h"
#include "netsetup/operation.h"

namespace vml {

enum class Accelerator { kvm, tcg };

// How the machine's PCI bus is called and what sits on it decides device names and ROM rules.
enum class MachineFamily { q35, pc, virt };

struct FirmwareSpec {
    FirmwareMode mode = FirmwareMode::legacy;
    std::optional<UefiFirmware> uefi;  // with any other mode than legacy
    std::optional<std::filesystem::path>
        image{};  // in its place, in every mode: a whole one, as the machine's ROM
    bool operator==(const FirmwareSpec&) const = default;
};

// The UEFI variables that the VM runs with.
struct NvramSpec {
    std::optional<std::filesystem::path> kept;  // where they live on; none: gone with the VM
    bool anew = false;                          // what is kept there is made anew
    std::string origin;                         // to be written beside it; empty: it stands there
    std::optional<bool> secure_boot;            // as they have it; none: there are none, or it cannot be read
    bool operator==(const NvramSpec&) const = default;
};

// By which of its clients the firmware is offered something on a bridge.
enum class FirmwareFetch { none, tftp, http };

// What a NIC's guest boots from, as it is served to that guest alone.
struct Netboot {
    std::optional<std::filesystem::path> folder;  // absolute
    std::vector<ServedFile> files;                // beside what the folder has; by HTTP alone
    std::optional<std::string>
        bootfile;       // that DHCP names: a name among the files or in the folder, or a URL
    bool http = false;  // they are served by HTTP, and the bootfile from there
    std::optional<std::filesystem::path> tftp;  // the folder that QEMU's TFTP serves; absolute
    std::vector<std::filesystem::path> linked;  // what links of that folder lead to, elsewhere
    // Where the firmware's own client boots: the iPXE program that DHCP names to it, in user mode by TFTP
    // where there is that, else by HTTP; iPXE is then offered the bootfile.
    std::optional<std::string> firmware_file;
    // On a bridge: how the firmware's own client gets that program, or else the bootfile, from vm-launch.
    FirmwareFetch firmware_fetch = FirmwareFetch::none;
    // Of whom the guest's iPXE is offered the bootfile, as by a ProxyDHCP server, beside the DHCP of the
    // network: this host's address on the bridge, or QEMU's own; zero where QEMU's own DHCP names it.
    net::Ipv4Address offered_from{};
    std::vector<DhcpOption> options;  // that the offer has beside the bootfile
    bool by_proxy = false;            // on a segment: named by a ProxyDHCP server, and not with the address

    // What boots comes from another server.
    [[nodiscard]] bool is_elsewhere() const;
    [[nodiscard]] bool is_offered() const { return offered_from != net::Ipv4Address{}; }

    // For people: "boot.ipxe and 2 more".
    [[nodiscard]] std::string names_of_files() const;
    bool operator==(const Netboot&) const = default;
};

// QEMU's user-mode network.
struct Nat {
    std::vector<PortForward> forwards;    // each with its address
    std::optional<GuestAddress> guest{};  // none: QEMU's own default
    bool operator==(const Nat&) const = default;
};

// How a NIC's link on the host is made.
struct MadeLink {
    std::vector<net::Operation> operations;
    bool vhost = false;  // the kernel moves the frames (/dev/vhost-net)
    bool operator==(const MadeLink&) const = default;
};

// A tap that is a port of the bridge.
struct BridgePort {
    std::string bridge;
    MadeLink made;
    std::chrono::milliseconds forwards_after{0};  // the port forwards so long after it has a carrier
    bool operator==(const BridgePort&) const = default;
};

// A macvtap on the lower device.
struct Macvtap {
    std::string lower;
    MadeLink made;
    bool operator==(const Macvtap&) const = default;
};

// A segment with nothing on it but VMs, each of which its own vm-launch serves.
struct Isolated {
    std::string segment;  // its name, by which others join it; empty: this NIC's alone
    bool operator==(const Isolated&) const = default;
};

// What a NIC is on. link_kind.h has a row for each.
using NicNet = std::variant<Nat, BridgePort, Macvtap, Isolated>;

// What the guest's first DHCP client says of itself, for the probe of its network.
struct ClientWords {
    std::uint16_t arch = 0;      // option 93
    std::string vendor_class{};  // option 60
    std::string user_class{};    // option 77; empty: none
    std::string uuid{};          // the VM's (option 97)
    bool operator==(const ClientWords&) const = default;
};

struct NicSpec {
    std::string id;           // "net0": netdev and device
    std::string model;        // "virtio", as the user names it
    std::string qemu_device;  // "virtio-net-pci"
    std::string mac;
    NicNet net;
    Netboot netboot;
    unsigned queues = 1;          // pairs
    std::optional<unsigned> mtu;  // told to the guest; none: 1500
    std::optional<RomSpec> rom;
    bool by_program = false;             // iPXE's program boots it: it has no ROM and no bootindex
    bool watched = false;                // its packets are looked at while the guest boots
    std::optional<ClientWords> probe{};  // its network is asked in this client's words; none: it is not
    std::string unprobed{};              // what of this host forbids that; empty: nothing
    bool repeat_offer = false;           // QEMU's own offer to its iPXE comes again, as a ProxyDHCP server's
    bool advertise_router = false;  // its iPXE's search for an IPv6 router is answered where nobody else does

    // By a ROM; on BIOS there is nothing else.
    [[nodiscard]] bool has_ipxe() const { return rom && !rom->driver; }
    // Of a NIC in user mode.
    [[nodiscard]] const Nat& nat() const { return std::get<Nat>(net); }
    bool operator==(const NicSpec&) const = default;
};

// An image that lies under another one; nothing is written to it.
struct LayerSpec {
    std::filesystem::path image;
    std::string format;
    std::optional<std::filesystem::path> data_file;
    bool operator==(const LayerSpec&) const = default;
};

// A disk that is there already, or an empty one that lives as long as the VM, unless it is kept.
struct DiskSpec {
    std::string id;                              // "disk0"
    std::optional<std::filesystem::path> image;  // none: blank
    std::string format = "raw";
    std::optional<std::filesystem::path> data_file{};  // that the image's data lies in
    std::vector<LayerSpec> backing{};                  // the nearest first; what it ends with names no file
    std::uint64_t size = 0;                            // bytes, of a blank disk
    std::optional<std::filesystem::path> kept;         // where a blank disk lives on
    DiskBus bus = DiskBus::virtio;
    DiskCache cache = DiskCache::writeback;
    std::optional<DiskIo> io{};  // none: QEMU's own default
    [[nodiscard]] std::string device_id() const { return id + "-dev"; }
    bool operator==(const DiskSpec&) const = default;
};

struct CdromSpec {
    std::filesystem::path image;
    bool operator==(const CdromSpec&) const = default;
};

// The guest's screen, shown by QEMU's VNC server.
struct VncSpec {
    std::string address;  // that it listens on
    std::uint16_t port = 5900;
    std::string password{};  // empty: everybody may see it
    bool operator==(const VncSpec&) const = default;
};

// iPXE as a program in place of a ROM, where no ROM boots iPXE: the firmware starts it before anything else
// (QEMU's -kernel), or, where its turn is to pass, from a CD of its own.
struct IpxeProgramSpec {
    std::filesystem::path file;
    Arch arch = Arch::x86_64;
    std::string command;  // on the command line; none: the program shows its prompt, and boots
    std::string reason;
    bool on_cd = false;
    bool operator==(const IpxeProgramSpec&) const = default;
};

// A TPM 2.0 by swtpm.
struct TpmSpec {
    std::filesystem::path program;
    std::optional<std::filesystem::path> kept;  // its state; none: gone with the VM
    bool operator==(const TpmSpec&) const = default;
};

// What users and the boot order call the CD-ROM and iPXE's program.
inline constexpr std::string_view cdrom_device = "cdrom0";
inline constexpr std::string_view ipxe_device = "iPXE";

struct BootEntry {
    int index = 0;  // bootindex: the lowest boots first; 0: it has none, the firmware starts it by itself
    BootDevice kind = BootDevice::network;
    std::string device;  // the id that users see: "net0", "disk0"
    std::string reason;
    bool operator==(const BootEntry&) const = default;
};

// The iPXE script that is served, for the verdict.
struct NetbootScript {
    std::string name;  // as it is served
    std::string text;  // its beginning, as much as a script may have
    bool operator==(const NetbootScript&) const = default;
};

// What UUID and MAC addresses are derived from, to be kept for the next start.
struct IdentityToKeep {
    std::filesystem::path file;
    std::string text;
    bool operator==(const IdentityToKeep&) const = default;
};

struct VmSpec {
    std::string name;
    std::optional<IdentityToKeep> identity;
    std::string uuid;
    std::filesystem::path qemu;
    Arch arch = Arch::x86_64;
    std::string machine;
    MachineFamily family = MachineFamily::q35;
    Accelerator accelerator = Accelerator::tcg;
    std::string accelerator_reason;
    std::string cpu;
    std::uint64_t cpus = 1;
    std::uint64_t memory_mib = 0;
    std::optional<std::uint64_t> translation_mib;  // TCG's buffer; none: QEMU's own default
    FirmwareSpec firmware;
    NvramSpec nvram;
    std::optional<PxeClient> pxe;
    std::optional<TpmSpec> tpm;
    std::optional<IpxeProgramSpec> ipxe_program;
    bool key_at_prompt = false;        // a key is pressed when iPXE waits for Ctrl-B
    bool firmware_loads_ipxe = false;  // by its own PXE or HTTP client
    std::vector<std::pair<std::string, std::string>> smbios;
    std::optional<SeedSpec> seed;
    bool firmware_log = false;  // SeaBIOS's own log is read, for the debug level
    std::vector<NicSpec> nics;  // at least one
    std::vector<DiskSpec> disks;
    std::optional<CdromSpec> cdrom;
    std::optional<VncSpec> vnc;         // none: the machine has no screen
    bool guest_agent = true;            // the machine has a port for qemu-ga
    bool entropy = false;               // it has a virtio-rng
    bool balloon = false;               // it has a virtio-balloon
    bool usb = false;                   // it has a USB controller, whether or not anything needs one
    bool io_thread = false;             // its disks have a thread of QEMU's to themselves
    std::vector<BootEntry> first_boot;  // where it differs: until the guest's first reset
    std::vector<BootEntry> boot_order;
    std::optional<std::filesystem::path> state_folder;  // what is kept between runs
    std::optional<RunUser> run_user;                    // none: QEMU runs as vm-launch does
    std::vector<std::string> extra_args;
    bool landlock = true;  // QEMU and swtpm reach what they are meant to, and nothing else of the file system
    std::optional<NetbootScript> script;
    std::vector<std::string> notes;  // what the user should know before the boot; printed as warnings

    // A device's place in the order that the VM starts with; nothing for one that takes no part.
    [[nodiscard]] std::optional<int> bootindex(std::string_view device) const;
    // By its own bootindex, or by iPXE's program.
    [[nodiscard]] bool boots_from(const NicSpec& nic) const;

    bool operator==(const VmSpec&) const = default;
};

using Decision = std::variant<VmSpec, std::vector<Fault>>;

[[nodiscard]] Decision decide(const Settings& settings, const Origins& origins, const HostFacts& facts);

}  // namespace vml
