// What the user asked for, as plain values: the result of the step "read". No host fact is in here.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/choice.h"
#include "base/log.h"
#include "bootwatch/stage.h"
#include "rom/catalogue.h"

namespace vml {

using Arch = rom::Arch;
template <>
inline constexpr auto choices<Arch> = std::to_array<Choice<Arch>>({{"x86_64", Arch::x86_64, "amd64"},
                                                                   {"aarch64", Arch::aarch64, "arm64"},
                                                                   {"amd64", Arch::x86_64, "", true},
                                                                   {"arm64", Arch::aarch64, "", true}});

enum class BootDevice { network, hd, cdrom };
template <>
inline constexpr auto choices<BootDevice> = std::to_array<Choice<BootDevice>>(
    {{"network", BootDevice::network}, {"hd", BootDevice::hd}, {"cdrom", BootDevice::cdrom}});

enum class FirmwareMode { legacy, uefi, secure };
template <>
inline constexpr auto choices<FirmwareMode> = std::to_array<Choice<FirmwareMode>>(
    {{"legacy", FirmwareMode::legacy, "SeaBIOS"},
     {"uefi", FirmwareMode::uefi, "OVMF, AAVMF"},
     {"secure", FirmwareMode::secure, "UEFI with Secure Boot, enrolled keys and a TPM"},
     {"bios", FirmwareMode::legacy, "", true}});

// Which of the firmware's own network clients boots.
enum class PxeClient { v4, v6, http4, http6 };
template <>
inline constexpr auto choices<PxeClient> = std::to_array<Choice<PxeClient>>({{"v4", PxeClient::v4, "PXE"},
                                                                             {"v6", PxeClient::v6, "PXE"},
                                                                             {"http4", PxeClient::http4},
                                                                             {"http6", PxeClient::http6}});

enum class NetworkMode { nat, bridge, direct, isolated };
template <>
inline constexpr auto choices<NetworkMode> = std::to_array<Choice<NetworkMode>>(
    {{"nat", NetworkMode::nat, "QEMU's user-mode network"},
     {"bridge", NetworkMode::bridge, "a tap on a bridge of the host"},
     {"direct", NetworkMode::direct, "a macvtap on a device"},
     {"isolated", NetworkMode::isolated, "a segment of its own, with vm-launch's DHCP, TFTP, HTTP and DNS"}});

enum class AccelChoice { automatic, kvm, tcg };
template <>
inline constexpr auto choices<AccelChoice> = std::to_array<Choice<AccelChoice>>(
    {{"auto", AccelChoice::automatic}, {"kvm", AccelChoice::kvm}, {"tcg", AccelChoice::tcg}});

enum class Graphics { none, vnc, novnc };
template <>
inline constexpr auto choices<Graphics> = std::to_array<Choice<Graphics>>(
    {{"none", Graphics::none},
     {"vnc", Graphics::vnc, "a screen that a VNC viewer and `vm-launch screenshot` see"},
     {"novnc", Graphics::novnc, "", true}});

enum class DiskFormat { raw, qcow2, vmdk, vhdx, vdi, vpc, automatic };
template <>
inline constexpr auto choices<DiskFormat> = std::to_array<Choice<DiskFormat>>({{"raw", DiskFormat::raw},
                                                                               {"qcow2", DiskFormat::qcow2},
                                                                               {"vmdk", DiskFormat::vmdk},
                                                                               {"vhdx", DiskFormat::vhdx},
                                                                               {"vdi", DiskFormat::vdi},
                                                                               {"vpc", DiskFormat::vpc},
                                                                               {"auto", DiskFormat::automatic,
                                                                                "what qemu-img says"}});

enum class DiskBus { virtio, scsi, nvme, sata, usb };
template <>
inline constexpr auto choices<DiskBus> = std::to_array<Choice<DiskBus>>({{"virtio", DiskBus::virtio},
                                                                         {"scsi", DiskBus::scsi},
                                                                         {"nvme", DiskBus::nvme},
                                                                         {"sata", DiskBus::sata, "IDE on pc"},
                                                                         {"usb", DiskBus::usb},
                                                                         {"ide", DiskBus::sata, "", true}});

// How the host caches a disk.
enum class DiskCache { writeback, none, unsafe, writethrough, directsync };
template <>
inline constexpr auto choices<DiskCache> = std::to_array<Choice<DiskCache>>(
    {{"writeback", DiskCache::writeback, "the host caches, the guest's flushes are obeyed"},
     {"none", DiskCache::none, "past the host's cache"},
     {"unsafe", DiskCache::unsafe, "flushes are ignored"},
     {"writethrough", DiskCache::writethrough, "every write is flushed"},
     {"directsync", DiskCache::directsync, "likewise, past the host's cache"}});

// How QEMU reads and writes a disk's file.
enum class DiskIo { threads, native, io_uring };
template <>
inline constexpr auto choices<DiskIo> =
    std::to_array<Choice<DiskIo>>({{"threads", DiskIo::threads, "QEMU's own"},
                                   {"native", DiskIo::native, "the kernel's AIO, past the host's cache"},
                                   {"io_uring", DiskIo::io_uring}});

// What becomes of a guest that is paused because the host has no room for what it writes.
enum class OnIoError { stop, resume };
template <>
inline constexpr auto choices<OnIoError> = std::to_array<Choice<OnIoError>>(
    {{"resume", OnIoError::resume, "it goes on by itself once there is room"},
     {"stop", OnIoError::stop, "it stays paused until `vm-launch resume`"}});

// Does vm-launch ask the network by itself, in the guest's name, who would answer it?
enum class ProbeChoice { automatic, off };
template <>
inline constexpr auto choices<ProbeChoice> = std::to_array<Choice<ProbeChoice>>(
    {{"auto", ProbeChoice::automatic, "where the guest boots over a bridge or a device of the host's first"},
     {"off", ProbeChoice::off}});

// How much of the serial console is shown.
enum class ConsoleView { automatic, quiet, plain, raw };
template <>
inline constexpr auto choices<ConsoleView> = std::to_array<Choice<ConsoleView>>(
    {{"auto", ConsoleView::automatic,
      "a terminal is spared what would wipe or upset it, a pipe or file gets text alone, in whole lines"},
     {"quiet", ConsoleView::quiet, "nothing, and no key goes to the guest"},
     {"plain", ConsoleView::plain, "text alone, on a terminal too"},
     {"raw", ConsoleView::raw, "every byte as it comes"}});

enum class Share { half, max };
template <>
inline constexpr auto choices<Share> = std::to_array<Choice<Share>>({{"half", Share::half},
                                                                     {"max", Share::max}});

// A number the user gave, or a share of what the host has.
struct Amount {
    std::optional<std::uint64_t> number;  // CPUs: a count; memory: MiB; a disk: bytes
    std::optional<Share> share;
    bool operator==(const Amount&) const = default;
};

enum class PortProtocol { tcp, udp };
template <>
inline constexpr auto choices<PortProtocol> =
    std::to_array<Choice<PortProtocol>>({{"tcp", PortProtocol::tcp}, {"udp", PortProtocol::udp}});

// From a port of the host to a port of the guest.
struct PortForward {
    std::uint16_t host_port = 0;
    std::uint16_t guest_port = 0;
    PortProtocol protocol = PortProtocol::tcp;
    std::string address{};  // IPv4, of the host; empty: the loopback, in a container all
    bool operator==(const PortForward&) const = default;
};

// A DHCP option that the guest's boot files rely on, or one inside of iPXE's own (175).
struct DhcpOption {
    std::uint8_t code = 0;
    std::optional<std::uint8_t> inner;  // the code inside of option 175
    std::string value;                  // its bytes, 1 to 255

    bool operator==(const DhcpOption&) const = default;
};

// What a run waits for before it ends with success: a stage of the boot, or a text on the console.
struct Until {
    std::optional<boot::Stage> stage;
    std::string pattern;  // a regular expression (base/pattern.h), where there is no stage
    std::string text;     // as the user wrote it

    bool operator==(const Until&) const = default;
};

// Where the run's events go.
struct EventTarget {
    std::optional<int> fd;       // a descriptor that vm-launch was given; none: a file
    std::filesystem::path file;  // its name

    bool operator==(const EventTarget&) const = default;
};

// The guest's address in user-mode networking.
struct GuestAddress {
    std::uint32_t address = 0;  // IPv4, in the host's byte order
    unsigned prefix = 24;       // of the network that it is in, in bits
    bool operator==(const GuestAddress&) const = default;
};

// One NIC of the guest.
struct NicSettings {
    NetworkMode network = NetworkMode::nat;
    std::optional<std::string> bridge;      // with NetworkMode::bridge
    std::optional<std::string> direct_dev;  // with NetworkMode::direct
    std::optional<std::string> segment;     // with NetworkMode::isolated
    std::optional<std::string> mac;         // lower case, six octets
    std::string model = "virtio";
    std::optional<unsigned> mtu;           // bytes; none: the bridge's or the lower device's
    std::optional<bool> boot;              // takes part in network boot; none: the first NIC does
    unsigned queues = 1;                   // pairs of queues, virtio on bridge or direct
    std::optional<GuestAddress> guest_ip;  // with NetworkMode::nat; none: QEMU's own default

    bool operator==(const NicSettings&) const = default;
};

// Defaults are those of docs/SETTINGS.md; an empty optional means "decide from the host".
struct Settings {
    bool ipxe = false;
    std::optional<std::filesystem::path> ipxe_rom;
    std::optional<std::vector<BootDevice>> boot_order;
    std::optional<std::vector<BootDevice>> boot_once;  // the order of the first boot
    std::optional<FirmwareMode> firmware;
    std::optional<std::filesystem::path> firmware_code;  // in place of the distribution's
    std::optional<std::filesystem::path> firmware_vars;  // the template of its variables; none: a whole image
    std::optional<PxeClient> pxe;
    bool fast_boot = true;     // spare iPXE the waits that can be spared
    bool ipxe_prompt = false;  // let iPXE wait for Ctrl-B
    std::optional<bool> tpm;   // none: with FirmwareMode::secure
    std::optional<bool> rng;   // none: with UEFI

    std::vector<NicSettings> nics{NicSettings{}};  // at least one
    std::optional<std::filesystem::path> netboot_dir;
    std::optional<std::string> bootfile;
    std::optional<std::string> script;     // for iPXE: a file, a URL, or "-", which is standard input
    std::optional<std::string> kernel;     // a file or a URL
    std::vector<std::string> initrds;      // likewise
    std::optional<std::string> append;     // the kernel's command line
    std::vector<DhcpOption> dhcp_options;  // each once
    bool undionly = false;                 // iPXE loads undionly.kpxe first, which boots the rest
    bool proxydhcp = false;                // on a segment: a ProxyDHCP server of ours names the boot file
    std::vector<PortForward> port_forwards;
    std::optional<std::uint16_t> ssh_port;

    std::optional<Arch> arch;
    std::optional<std::string> machine;
    AccelChoice accel = AccelChoice::automatic;
    bool require_kvm = false;
    std::optional<std::string> cpu;
    std::vector<std::pair<std::string, std::string>> smbios;  // field and value, each field once
    Amount cpus{2, {}};
    Amount memory_mib{4096, {}};
    bool hyperv = false;   // the guest is shown the interfaces of Hyper-V
    bool balloon = false;  // a virtio-balloon
    bool usb = false;      // a USB controller, whether or not anything of vm-launch's needs one

    std::vector<std::filesystem::path> disks;
    std::vector<DiskFormat> disk_formats;  // one for every disk, or one for each; none: qemu-img tells it
    DiskBus disk_bus = DiskBus::virtio;
    std::optional<DiskCache> disk_cache;  // none: by what the disk is
    std::optional<DiskIo> disk_io;        // none: QEMU's own default
    bool io_thread = false;               // the disks have a thread of their own
    Amount disk_size{std::uint64_t{20} << 30, {}};
    bool blank_disk = false;
    std::vector<Amount> extra_disks;  // further blank disks: their sizes
    OnIoError on_io_error = OnIoError::resume;
    std::optional<std::filesystem::path> iso;
    bool force_iso = false;  // the CD-ROM boots first, whatever is on the disks

    std::optional<bool> cloud_init;  // none: with user data or a key
    std::optional<std::filesystem::path> user_data;
    std::optional<std::string> cloud_init_url;
    std::optional<std::string> hostname;  // none: the VM's name
    std::optional<std::string> ssh_public_key;
    std::optional<std::string> guest_password;  // of the image's own user

    std::optional<std::filesystem::path> data_dir;
    std::optional<bool> persist;  // none: where there is a folder to keep things in
    bool reset_nvram = false;     // UEFI's variables are not those that were kept

    std::optional<std::string> name;
    std::optional<std::string> run_as;
    ConsoleView console = ConsoleView::automatic;  // console_view() has the older names too
    bool no_console = false;
    bool console_raw = false;
    std::optional<std::filesystem::path> console_log;  // gets every byte of the serial console
    Graphics graphics = Graphics::none;
    std::uint16_t vnc_port = 5900;
    std::optional<std::string> vnc_password;  // "": none is asked for; none: one is made up
    bool guest_agent = true;
    std::optional<std::string> health_stage;  // a stage's name
    std::chrono::seconds stop_timeout{8};
    std::optional<Until> until;
    std::optional<std::chrono::seconds> boot_timeout;
    unsigned reboot_limit = 3;                   // fruitless network boots in a row; 0: any number
    std::vector<std::filesystem::path> reports;  // kind_of_report
    std::optional<EventTarget> events;
    bool boot_watch = true;                      // look at the guest's packets
    ProbeChoice probe = ProbeChoice::automatic;  // not without fast_boot either
    LogLevel log_level = LogLevel::info;
    LogFormat log_format = LogFormat::text;
    ColourChoice colour = ColourChoice::automatic;  // of vm-launch's own lines
    std::optional<bool> landlock;                   // none: unless there are extra_args
    std::vector<std::string> extra_args;

    bool operator==(const Settings&) const = default;
};

// Where a setting came from, by flag name without dashes: "--boot-order", "$BOOT_ORDER", "boot-order in
// FILE". A setting that is not in the map has its default.
using Origins = std::map<std::string, std::string, std::less<>>;

// The key of one disk among several: each may come from a variable of its own.
[[nodiscard]] std::string disk_origin(std::size_t index);
[[nodiscard]] std::string extra_disk_origin(std::size_t index);
// Likewise of one setting of a further NIC, by the flag that the first one has for it: of what --nic says,
// "".
[[nodiscard]] std::string nic_origin(std::size_t index, std::string_view flag);

// How to speak of a setting in an error: its origin, or "--flag (default)".
[[nodiscard]] std::string origin_of(const Origins& origins, std::string_view flag);

// What --console, --no-console and --console-raw say together: a flag wins over a variable, that over the
// configuration file, and of one source --console.
[[nodiscard]] ConsoleView console_view(const Settings& settings, const Origins& origins);

}  // namespace vml
