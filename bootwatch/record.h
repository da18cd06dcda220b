// What was seen of a machine's boots, as plain data: what reports and verdicts are made from.
//
// All times are in seconds since the machine began to run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bootwatch/bounds.h"
#include "bootwatch/console_tail.h"
#include "bootwatch/fetches.h"
#include "bootwatch/packet.h"
#include "bootwatch/stage.h"

namespace vml::boot {

// What proves that a stage was reached.
enum class Proof { wire, console, qemu, firmware_log, agent };
[[nodiscard]] std::string_view name_of(Proof proof);

struct Mark {
    Stage stage = Stage::machine;
    double at = 0;
    Proof proof = Proof::qemu;
    std::string detail;
    bool proves = true;  // the stage was reached; else this is only told in its context ("404 Not Found")

    bool operator==(const Mark&) const = default;
};

// Who speaks DHCP in the guest (options 60 and 77).
enum class Client {
    ipxe,      // user class "iPXE"
    firmware,  // the firmware's own PXE or HTTP client
    other,     // an operating system, mostly
};
[[nodiscard]] std::string_view name_of(Client client);

struct Offer {
    double at = 0;
    DhcpMessage message;
    Address sender;

    // A server that names a file and leaves the addresses to another one (PXE specification 2.1, 2.2.4).
    [[nodiscard]] bool proxy() const { return message.yours.is_zero(); }
    bool operator==(const Offer&) const = default;
};

// What a client asked for first of the files that it was named.
struct ChosenFile {
    std::string url{};
    bool own = false;  // vm-launch's own offer names it

    bool operator==(const ChosenFile&) const = default;
};

// What a client found to be in use, and gave back (RFC 2131, 3.1.5).
struct Declined {
    double at = 0;
    Address address{};  // zero where neither it nor the server told it

    bool operator==(const Declined&) const = default;
};

// One client's talk with DHCP servers over one NIC.
struct DhcpTalk {
    Client client = Client::other;
    std::string nic;
    double began = 0;
    unsigned discovers = 0;
    unsigned requests = 0;
    unsigned declines = 0;
    std::optional<Declined> declined{};  // the latest
    std::vector<Offer> offers{};
    std::optional<Offer>
        own{};  // a ProxyDHCP server's that vm-launch has made to this guest alone: the first
    std::optional<Offer> ack{};
    std::vector<Offer> naks{};
    std::optional<double> began_again{};         // the first DISCOVER after the latest DECLINE or NAK
    std::optional<std::uint16_t> client_arch{};  // what the client says it is (option 93)
    std::string vendor_class{};                  // likewise (option 60)
    std::string user_class{};                    // and option 77
    std::vector<std::uint8_t> options{};         // the codes of its first message
    bool broadcast = false;                      // which asks for answers to everybody
    // At port 4011, where a ProxyDHCP server may tell the file (PXE specification 2.1, 2.2.4).
    unsigned boot_server_requests = 0;
    bool boot_server_answered = false;
    bool own_answered = false;  // by vm-launch, to this guest alone, whomever it asked
    Address boot_server{};
    std::optional<ChosenFile> chosen{};  // where vm-launch has made an offer

    bool operator==(const DhcpTalk&) const = default;
};

// What vm-launch itself asked of the network in the guest's name, by DHCPDISCOVERs alone, and who offered
// what. It is no part of the guest's own boot, and no evidence of a stage.
struct Probe {
    std::string nic;
    DhcpMessage question{};
    unsigned sent = 0;            // how often it was asked
    double began = 0;             // 0 where it was before the guest ran
    std::vector<Offer> offers{};  // the first of each server

    bool operator==(const Probe&) const = default;
};

// DHCPv6 and the routers of a boot program (RFC 8415, 5970; RFC 4861).
struct Ipv6Story {
    std::optional<double> solicited_at{};  // the client looked for a DHCPv6 server
    std::optional<Client> client{};        // that said it boots: the first
    std::optional<double> answered_at{};
    Address server{};
    bool address = false;             // it gave an address
    std::string bootfile{};           // option 59
    std::optional<Address> router{};  // that advertised itself, with a lifetime or without
    bool managed = false;             // and said that addresses come by DHCPv6

    bool operator==(const Ipv6Story&) const = default;
};

// Asked for by ARP, and nobody answered.
struct Unanswered {
    Address address{};
    double at = 0;

    bool operator==(const Unanswered&) const = default;
};

struct IpxeComplaint {
    double at = 0;
    std::string line;
    std::uint32_t number = 0;

    bool operator==(const IpxeComplaint&) const = default;
};

// A frame that bears a NIC's own address came in from the network: the first of this boot.
struct Twin {
    std::string nic;
    Mac mac{};
    double at = 0;

    bool operator==(const Twin&) const = default;
};

// Where a boot stopped, or left the way that was asked for.
enum class Outcome {
    none,
    gave_up,     // iPXE, or UEFI's own network client, has booted nothing
    dead_end,    // the firmware has nothing left to boot from
    disk,        // the firmware went on to a disk or a CD-ROM
    shell,       // iPXE's shell, or GRUB's
    uefi_shell,  // the firmware's shell or menu
    silent,      // something unknown was started, and nothing was heard since
    panic,       // the kernel panicked before an operating system ran
};
[[nodiscard]] std::string_view name_of(Outcome outcome);

// From the machine's start, or a reset, to the next reset.
struct Boot {
    double began = 0;
    std::optional<double> ended{};  // by a reset
    std::vector<Mark> marks{};
    std::optional<Probe> probe{};  // in the boot that it was sent in
    std::vector<DhcpTalk> dhcp{};
    std::vector<Fetch> fetches{};
    std::vector<Lookup> lookups{};
    std::vector<IpxeComplaint> complaints{};
    std::string ipxe_word{};  // what a command of a script said before it failed; the latest
    double ipxe_word_at = 0;
    std::string ipxe_usage{};    // of which command it showed the usage then
    std::string loader_error{};  // of GRUB or pxelinux, before a kernel; the latest
    double loader_error_at = 0;
    std::vector<std::string> firmware_errors{};
    double firmware_error_at = 0;           // the latest
    std::string stub_error{};               // the latest error of the kernel's EFI stub
    std::optional<std::string> firmware{};  // the firmware's name and version, where it tells them
    std::optional<std::string> ipxe{};      // iPXE's version, when it runs
    bool rom_found = false;                 // the firmware initialised iPXE's ROM
    bool firmware_client = false;           // the firmware's own PXE or HTTP client ran
    bool link_down = false;                 // iPXE said so, and nothing came over the link
    std::uint64_t guest_frames = 0;         // sent by the guest
    std::uint64_t other_frames = 0;         // sent by others, and seen on the guest's link
    std::vector<Unanswered> unanswered{};   // the latest last
    std::vector<Twin> twins{};              // before a kernel ran; one for each NIC at most
    Ipv6Story ipv6{};
    std::optional<double> router_at{};     // a router advertisement with a lifetime
    std::optional<double> solicited_at{};  // the guest looked for a router
    Outcome outcome = Outcome::none;
    double outcome_at = 0;
    std::optional<double>
        left_ipxe_at{};             // when iPXE returned to the firmware without having booted anything
    std::string outcome_text{};     // the console's own words for it; of silence, how long it lasted
    double last_sign_at = 0;        // before a silence: of the console, the network or a disk
    unsigned fruitless_before = 0;  // network boots right before this one that led to nothing: is_fruitless
    unsigned chain_rounds = 0;      // of the program that was fetched most often (chain_rounds.h)
    ConsoleTail console{};
    LeftOut left_out{};

    // Also those that are left out.
    [[nodiscard]] std::uint64_t marks_seen() const { return marks.size() + left_out.marks; }
    [[nodiscard]] std::optional<Stage> stage() const;                 // the furthest that was reached
    [[nodiscard]] bool reached(Stage wanted) const;                   // by its own evidence
    [[nodiscard]] bool reached_or_passed(Stage wanted) const;         // or there is evidence of a later one
    [[nodiscard]] std::optional<double> time_of(Stage wanted) const;  // of the first mark
    bool operator==(const Boot&) const = default;
};

// Is iPXE the latest that spoke DHCP in this boot, and over this NIC?
[[nodiscard]] bool is_ipxes_turn(const Boot& boot, const std::string& nic);

// Was something that may be a program fetched whole before this, and not before that time? It may have run,
// and asked for it.
[[nodiscard]] bool is_asked_by_a_program(const std::vector<Fetch>& fetches, const Fetch& fetch,
                                         double since = 0);

// When an iPXE that the firmware had fetched began to look for an address. It ran: what the firmware fetched
// before did its work.
[[nodiscard]] std::optional<double> took_over_at(const Boot& boot);

// When the firmware's own client began to look for an address after iPXE had: iPXE has returned by then. The
// console's line that says so may be read a little later than this frame.
[[nodiscard]] std::optional<double> firmware_asked_after_ipxe(const Boot& boot);

// Is this a program, by its first bytes, or may it be one?
[[nodiscard]] bool may_be_program(const Fetch& fetch);

// An operating system that runs as long as this was a good boot.
inline constexpr double lasting_s = 60;

// A network boot that has ended, in which no operating system ran for so long.
[[nodiscard]] bool is_fruitless(const Boot& boot);

}  // namespace vml::boot
