// The verdicts' sentences and exit codes, one row each; docs/verdicts.md tells of each what shows it, and
// which healthy boot must not get it. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/error.h"

namespace vml::boot {

struct VerdictRow {
    std::string_view name;
    std::string_view sentence;  // {} is the subject
    ExitCode code = ExitCode::boot_timeout;
};

inline constexpr std::array verdict_rows{
    // the system
    VerdictRow{"no-root", "the kernel found no root file system", ExitCode::guest_panicked},
    VerdictRow{"panic-memory", "the kernel ran out of memory", ExitCode::guest_panicked},
    VerdictRow{"panic-timer", "the kernel's check of its timer failed", ExitCode::guest_panicked},
    VerdictRow{"panic", "the kernel panicked before an operating system ran", ExitCode::guest_panicked},
    VerdictRow{"stub-failed", "the kernel's EFI stub failed", ExitCode::not_bootable},
    VerdictRow{"quiet-kernel", "nothing was seen of the kernel {}", ExitCode::boot_timeout},
    // the firmware and the ROM
    VerdictRow{"secure-boot", "Secure Boot refused what was to be booted", ExitCode::not_bootable},
    VerdictRow{"firmware-pxe", "the firmware's own PXE client boots, not iPXE", ExitCode::rom_never_ran},
    VerdictRow{"rom-never-ran", "the iPXE ROM never ran", ExitCode::rom_never_ran},
    // DHCP
    VerdictRow{"no-link", "the NIC has no link", ExitCode::no_offer},
    VerdictRow{"no-discover", "the guest never asked for an address", ExitCode::no_offer},
    VerdictRow{"no-offer", "no DHCP server answered", ExitCode::no_offer},
    VerdictRow{"offer-to-probe", "no DHCP server answered the guest, and one answers vm-launch's own probe",
               ExitCode::no_offer},
    VerdictRow{"no-offer-6", "no DHCPv6 server answered", ExitCode::no_offer},
    VerdictRow{"ipv6-only", "no DHCPv4 server answered on a network with IPv6", ExitCode::no_offer},
    VerdictRow{"dhcp-nak", "the DHCP server refused the request", ExitCode::no_offer},
    VerdictRow{"proxy-alone", "no DHCP server offered an address", ExitCode::no_offer},
    VerdictRow{"declined", "the client declined the address that it was offered", ExitCode::no_offer},
    VerdictRow{"offer-not-taken", "the client took none of the offers", ExitCode::no_offer},
    VerdictRow{"offer-without-file", "DHCP offered an address and named nothing to boot",
               ExitCode::nothing_to_boot},
    VerdictRow{"no-ack", "the DHCP server offered an address and never acknowledged it", ExitCode::no_offer},
    VerdictRow{"no-file", "DHCP gave an address and named nothing to boot", ExitCode::nothing_to_boot},
    VerdictRow{"no-file-6", "DHCPv6 gave an address and named nothing to boot", ExitCode::nothing_to_boot},
    VerdictRow{"no-server", "DHCP named {} and no server to fetch it from", ExitCode::nothing_to_boot},
    VerdictRow{"proxy-dead", "the ProxyDHCP server {} does not answer at port 4011",
               ExitCode::nothing_to_boot},
    // fetching
    VerdictRow{"nobody-there", "nobody answers for {}", ExitCode::fetch_failed},
    VerdictRow{"dns-silent", "the DNS server does not answer for {}", ExitCode::fetch_failed},
    VerdictRow{"dns-unknown", "DNS: {} not found", ExitCode::fetch_failed},
    VerdictRow{"no-dns", "nobody can be asked for the name in {}", ExitCode::fetch_failed},
    VerdictRow{"no-protocol", "this iPXE has no protocol to fetch {}", ExitCode::fetch_failed},
    VerdictRow{"not-fetched", "nothing was fetched", ExitCode::fetch_failed},
    VerdictRow{"fetching-failed", "fetching failed", ExitCode::fetch_failed},
    VerdictRow{"no-memory", "{} does not fit into the guest's memory", ExitCode::fetch_failed},
    VerdictRow{"iscsi", "cannot boot from the iSCSI target {}", ExitCode::fetch_failed},
    VerdictRow{"empty-part", "cannot fetch {}: a part of it is empty", ExitCode::fetch_failed},
    VerdictRow{"cannot-fetch", "cannot fetch {}", ExitCode::fetch_failed},
    VerdictRow{"never-answered", "cannot fetch {}: the server never answered", ExitCode::fetch_failed},
    VerdictRow{"still-fetching", "still fetching {}", ExitCode::boot_timeout},
    VerdictRow{"stalled-fetch", "fetching {} stalled", ExitCode::fetch_failed},
    VerdictRow{"redirected", "{}, which was never asked for", ExitCode::fetch_failed},
    // the script
    VerdictRow{"unknown-command", "{} uses a command that this iPXE does not have", ExitCode::not_bootable},
    VerdictRow{"no-label", "{} goes to a label that it does not have", ExitCode::not_bootable},
    VerdictRow{"false-condition", "{} ended at a condition that is false", ExitCode::not_bootable},
    VerdictRow{"wrong-usage", "{} uses a command in a way that iPXE does not know", ExitCode::not_bootable},
    VerdictRow{"nothing-loaded", "{} boots before it has loaded anything", ExitCode::not_bootable},
    VerdictRow{"not-verified", "{} ended at imgverify, which did not accept the signature",
               ExitCode::not_bootable},
    // what was fetched
    VerdictRow{"no-magic", "{} is text but does not begin with #!ipxe", ExitCode::not_bootable},
    VerdictRow{"other-machine", "{} is for another machine", ExitCode::not_bootable},
    VerdictRow{"silent-program", "{} was started, and nothing was heard since", ExitCode::not_bootable},
    VerdictRow{"not-bootable", "{} cannot be booted", ExitCode::not_bootable},
    VerdictRow{"refused", "what was fetched could not be booted", ExitCode::not_bootable},
    VerdictRow{"shell", "the boot ended in {}", ExitCode::not_bootable},
    VerdictRow{"script-failed", "{} ended with an error", ExitCode::not_bootable},
    VerdictRow{"script-ended", "the iPXE script ended without booting anything", ExitCode::not_bootable},
    VerdictRow{"did-not-boot", "{} did not boot", ExitCode::not_bootable},
    // whatever it was
    VerdictRow{"network-loop", "the guest boots from the network again and again", ExitCode::reboot_loop},
    VerdictRow{"chain-loop", "{} loads itself again and again", ExitCode::reboot_loop},
    VerdictRow{"silent", "nothing has been heard of the guest for {}", ExitCode::boot_timeout},
    VerdictRow{"stalled", "the boot went no further", ExitCode::boot_timeout},
    // of a capture
    VerdictRow{"booted", "what was fetched booted: an operating system speaks {}", ExitCode::ok},
    VerdictRow{"delivered", "the network gave all that was asked for", ExitCode::ok},
    VerdictRow{"capture-ends", "the capture ends {}, and nothing had failed", ExitCode::ok},
    VerdictRow{"one-direction", "{} was not seen", ExitCode::boot_timeout},
    VerdictRow{"cut-frames", "the frames are cut before what tells the file to boot", ExitCode::boot_timeout},
    VerdictRow{"not-asked", "no request for {} was seen", ExitCode::boot_timeout},
    VerdictRow{"address-alone", "the machine has its address, and asked for no file by TFTP or HTTP",
               ExitCode::ok},
    VerdictRow{"wrong-program", "{} is a program for another firmware", ExitCode::not_bootable},
};

// A row by its name, checked when this is compiled.
struct VerdictName {
    consteval VerdictName(const char* name) : index{find(name)} {}  // NOLINT(*-explicit-*): that is the point

    std::size_t index;

  private:
    static consteval std::size_t find(std::string_view name) {
        for (std::size_t i = 0; i < verdict_rows.size(); ++i) {
            if (verdict_rows.at(i).name == name) {
                return i;
            }
        }
        throw std::logic_error{"no such verdict"};
    }
};

// The verdict in words: `subject` takes the place of {}.
[[nodiscard]] Fault told(VerdictName name, std::string_view subject, std::string why, std::string hint);

}  // namespace vml::boot
