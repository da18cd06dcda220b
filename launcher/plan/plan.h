// Everything that "apply" does, as data: argv, the child's descriptors, boot order with reasons, checks
// before the guest runs. Pure: nothing is opened, so it can be printed, compared and run by hand.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/vm/confinement.h"
#include "launcher/vm/spec.h"

namespace vml {

// Where the port of vm-launch's own HTTP server comes into a value: the kernel chooses it when the VM starts.
struct HttpPort {
    std::size_t at = 0;

    bool operator==(const HttpPort&) const = default;
};

// One option of QEMU and its value, if it takes one.
struct PlannedArg {
    std::string option;
    std::string value;
    std::string reason = {};  // why it is there; empty where it is obvious
    // What stands in for the value when the command line is pasted into a shell, where the descriptors below
    // are not open: another value, or nothing at all ("" leaves the option out).
    std::optional<std::string> by_hand = std::nullopt;
    std::optional<HttpPort> http_port = std::nullopt;

    bool operator==(const PlannedArg&) const = default;
};

enum class FdPurpose {
    qmp,           // QEMU's end of the socket pair for QMP
    console,       // QEMU's end of the socket pair for the serial port
    nvram,         // a private copy of the UEFI variable store, in memory
    rom,           // a private copy of an option ROM or an iPXE program, in memory
    efi_cd,        // a CD image in memory that boots `source`, an EFI program
    blank_disk,    // an empty file without a name, of `size` bytes
    read_file,     // `source`, opened for reading
    write_file,    // `source`, opened for reading and writing
    firmware,      // QEMU's end of the socket pair for the firmware's log
    agent,         // QEMU's end of the socket pair for the guest agent
    screenshot,    // a file in memory that QEMU writes pictures of the screen to
    seed,          // cloud-init's seed, in memory
    vnc_password,  // the screen's, in memory
    tpm,           // QEMU's end of the socket pair to swtpm
    tpm_socket,    // swtpm's end of it
    tpm_state,     // of swtpm: a file in memory, or where it lives on
    tap,           // a queue of the NIC's tap or macvtap
    vhost,         // /dev/vhost-net, once for each queue
    capture,       // the write end of a pipe, for QEMU's dump of a user-mode network
    frames,        // QEMU's end of the socket pair for frames to a guest on a user-mode network
};

// A descriptor that the child inherits at this number. `apply` opens it.
struct PlannedFd {
    int number = 0;
    FdPurpose purpose = FdPurpose::qmp;
    std::filesystem::path source = {};  // of a copy or a file
    std::uint64_t size = 0;             // blank_disk: bytes
    Arch arch = Arch::x86_64;           // efi_cd: of the program
    unsigned nic = 0;                   // tap, vhost
    std::string by_hand = {};           // the shell command that makes a stand-in, if one is needed
    rom::SharedBytes content = {};      // rom: what is copied; none: `source` is
    std::filesystem::path kept = {};    // nvram, blank_disk: where it lives on between runs
    bool anew = false;                  // nvram: what is kept is replaced
    bool direct = false;                // disks: QEMU goes past the host's cache
    std::string origin = {};            // nvram: what is to be written beside it

    bool operator==(const PlannedFd&) const = default;
};

// A program that is started before QEMU, as its user, and ends with it.
struct PlannedHelper {
    std::string name;  // for people and programs: "tpm"
    std::filesystem::path program;
    std::vector<PlannedArg> args;
    std::vector<PlannedFd> fds;                // at its own numbers
    std::string by_hand;                       // the shell command that stands in for it
    std::optional<Confinement> confinement{};  // none: it enters no Landlock domain

    bool operator==(const PlannedHelper&) const = default;
};

// QEMU's id of the CD that iPXE's program is on.
inline constexpr std::string_view ipxe_cd_device = "ipxe-cd";

// A property read back over QMP before the guest runs: QEMU resolves some only when it builds the machine.
struct PropertyCheck {
    std::string path;  // QOM path
    std::string property;
    std::string expected;  // as qom-get gives it
    std::string meaning;   // what is wrong when it differs

    bool operator==(const PropertyCheck&) const = default;
};

// A device's place in the boot order from the guest's first reset on.
struct BootindexChange {
    std::string path;    // QOM path
    int bootindex = -1;  // -1: takes no part

    bool operator==(const BootindexChange&) const = default;
};

// A bridge port that begins to forward only so long after QEMU has attached to the tap: the guest waits for
// it.
struct PortWait {
    unsigned nic = 0;
    std::string bridge;
    std::chrono::milliseconds expected{0};

    bool operator==(const PortWait&) const = default;
};

// A NIC whose packets are looked at while the guest boots.
struct WirePoint {
    unsigned nic = 0;     // 1 for the first
    std::string id;       // "net0"
    std::string mac;      // the guest's
    std::string filter;   // QEMU's object that dumps a user-mode network; empty: a packet socket on the link
    std::string inlet{};  // QEMU's object that hands frames to the guest on a user-mode network; empty: none

    bool operator==(const WirePoint&) const = default;
};

// The network is asked who would answer the guest, by DHCPDISCOVERs in its name, before it asks itself.
struct PlannedProbe {
    unsigned nic = 0;  // 1 for the first; it is watched
    std::string id;    // "net0"
    std::string mac;   // the guest's
    ClientWords words{};

    bool operator==(const PlannedProbe&) const = default;
};

// What vm-launch tells the boot clients of a guest, as a ProxyDHCP server, on that guest's own link alone.
struct PlannedOffer {
    unsigned nic = 0;  // 1 for the first
    std::string id;    // "net0"
    std::string mac;   // the guest's
    net::Ipv4Address from{};
    std::string bootfile;  // a URL, for iPXE; empty: nothing is offered to it
    std::optional<HttpPort> http_port = std::nullopt;
    bool in_user_mode = false;                     // `from` is QEMU's, and stands for the loopback
    std::vector<DhcpOption> options{};             // of whom each is for: below
    FirmwareFetch firmware = FirmwareFetch::none;  // how the firmware's own client gets
    std::string firmware_file{};                   // this: a name, or by HTTP a URL
    std::optional<HttpPort> firmware_http_port = std::nullopt;
    // vm-launch answers TFTP on the guest's own link; bytes of a block that a frame has room for. 0: it does
    // not.
    std::size_t tftp_block = 0;

    // Does it name anything of vm-launch's own HTTP server?
    [[nodiscard]] bool by_http() const { return http_port || firmware_http_port; }
    // What each of the two is sent beside its file; nothing where it is offered none.
    [[nodiscard]] std::vector<DhcpOption> ipxe_options() const;
    [[nodiscard]] std::vector<DhcpOption> firmware_options() const;
    bool operator==(const PlannedOffer&) const = default;
};

// A NIC on an isolated segment, and what vm-launch's DHCP names to its guest there: a name among what is
// served, or a URL; empty: nothing.
struct PlannedSegment {
    unsigned nic = 0;     // 1 for the first
    std::string id;       // "net0"
    std::string mac;      // the guest's
    std::string segment;  // its name; empty: this NIC's alone
    unsigned mtu = 0;     // 0: Ethernet's
    bool watched = false;
    bool serves = false;    // Plan::http is for this one
    std::string script{};   // to iPXE
    std::string program{};  // to the firmware's own client
    std::vector<DhcpOption> options{};
    bool by_proxy = false;  // by a ProxyDHCP server, beside who gives the address

    bool operator==(const PlannedSegment&) const = default;
};

// What makes this boot faster than a stock one.
struct Shortcut {
    enum class Kind { key_at_prompt, router_advertisement, proxy_offer, http };
    Kind kind = Kind::key_at_prompt;
    std::string nic{};  // "net0", where it is one NIC's
    std::string reason;

    bool operator==(const Shortcut&) const = default;
};
[[nodiscard]] std::string_view to_string(Shortcut::Kind kind);

struct Plan {
    std::string name{};
    std::filesystem::path program{};
    std::vector<net::Operation> links{};  // done before QEMU starts, in order; undone in reverse
    std::vector<PortWait> port_waits{};
    std::vector<WirePoint> wire{};
    std::vector<Shortcut> shortcuts{};
    std::vector<PlannedSegment> segments{};  // joined before QEMU starts
    // Served on the loopback, to QEMU's user alone; with an offer on a bridge, on its address, to its guest
    // alone; on a segment to who is on that.
    std::optional<Netboot> http{};
    std::optional<PlannedOffer> offer{};
    std::optional<PlannedProbe> probe{};
    // Of who is served over a link of the host's.
    [[nodiscard]] bool offers_on_link() const { return offer && !offer->in_user_mode; }
    [[nodiscard]] bool serves_on_segment() const;
    [[nodiscard]] const PlannedSegment* segment_of(unsigned nic) const;  // none: it is on none
    std::string http_by_hand{};                // the shell command that makes a folder of what is served
    bool needs_own_server = false;             // no command by hand could make this boot
    std::optional<RunUser> run_user{};         // none: QEMU runs as vm-launch does
    std::optional<Confinement> confinement{};  // of QEMU; none: it enters no Landlock domain
    std::vector<PlannedArg> args{};
    std::vector<PlannedFd> fds{};
    std::optional<SeedSpec> seed{};  // the content of FdPurpose::seed
    std::string vnc_password{};      // the content of FdPurpose::vnc_password
    std::optional<PlannedHelper> tpm{};
    std::vector<PropertyCheck> checks{};
    std::vector<BootEntry> first_boot{};
    std::vector<BootEntry> boot_order{};
    std::vector<BootindexChange> after_first_boot{};
    std::optional<bool> secure_boot{};  // as the variables have it; none: there are none, or it is not known
    bool has_secure_boot{};             // the firmware has it, and the variables say whether it is on
    std::optional<std::filesystem::path> state_folder{};  // made if it is not there
    std::vector<std::string> notes{};

    bool operator==(const Plan&) const = default;
};

// The arguments as execve takes them, without argv[0].
[[nodiscard]] std::vector<std::string> argv_of(const std::vector<PlannedArg>& args, std::uint16_t http_port);
[[nodiscard]] std::string bootfile_of(const PlannedOffer& offer, std::uint16_t http_port);
[[nodiscard]] std::string firmware_file_of(const PlannedOffer& offer, std::uint16_t http_port);
// The same for people and programs that ask beforehand: "{port}" stands for the port of the HTTP server.
[[nodiscard]] std::string shown_value(const PlannedArg& arg);
[[nodiscard]] std::string shown_bootfile(const PlannedOffer& offer);
// By TFTP it is shown as a URL, too.
[[nodiscard]] std::string shown_firmware_file(const PlannedOffer& offer);

[[nodiscard]] std::string_view to_string(FdPurpose purpose);

// The lowest number at which a child inherits: after standard error's.
inline constexpr int first_planned_fd = 3;

}  // namespace vml
