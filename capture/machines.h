// A capture's frames → the machines in it that boot from the network. Pure; any bytes are welcome.
//
// A machine is who speaks DHCP as a firmware's boot client or iPXE (or is answered as one), asks for a file
// by TFTP, or by HTTP as iPXE or UEFI. It is told by its own address, which behind a relay or router stands
// in DHCP alone (chaddr); then its frames are told by the address that it was given.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "capture/claims.h"
#include "capture/copies.h"
#include "capture/link_layer.h"
#include "capture/machine.h"
#include "capture/packet_notes.h"
#include "capture/places.h"
#include "capture/probes.h"
#include "capture/recent.h"

namespace vml::capture {

// What of a capture is no machine that boots.
struct Counts {
    std::uint64_t frames = 0;
    std::uint64_t unread = 0;  // too short to be frames
    std::uint64_t repeated =
        0;  // the same frame a moment later: a mirror port copies it on its way in and out
    std::uint64_t cut_dhcp = 0;  // DHCP messages that are cut before their options
    std::uint64_t dhcp = 0;      // DHCP messages of clients that are no boot clients
    std::uint64_t probe = 0;     // and of vm-launch's own probes, with their answers
    std::uint64_t own_help = 0;  // frames of vm-launch's that spared the machine a wait
    std::uint64_t left_out = 0;  // packets of machines that found no place any more
    std::uint64_t gave_way = 0;  // machines that are not kept any more
    std::uint64_t lost = 0;      // frames of a link that were not seen; a file does not tell
    bool more_hosts = false;     // than most_hosts: they were not all counted
    double clock_back = 0;       // seconds by which the clock went back; later frames' times have them added
    double began = 0;            // seconds since 1970, UTC; of the earliest frame
    double ended = 0;            // and of the latest
};

struct FoundMachine {
    Mac mac{};
    std::vector<std::uint16_t> vlans{};  // 0 is no VLAN
    std::optional<std::uint16_t> arch{};
    std::vector<boot::Address> relays{};
    std::vector<CapturedBoot> boots{};
    std::uint64_t boots_left_out = 0;
};

// What a frame showed of a machine.
struct Happening {
    Mac mac{};
    double at = 0;  // seconds since 1970
    Step step{};
    bool gave_way = false;  // the machine is not kept any more; step.over is the boot that ran
};

class Machines {
  public:
    // Where `only` is given, only this machine is kept, however many there are.
    explicit Machines(std::optional<Mac> only = std::nullopt, const Room& room = {})
        : kept_{only}, room_{room}, places_{room} {}

    // `notes`: what the file says of it.
    void frame(double at, LinkLayer link, Bytes captured, const FrameNotes& notes);

    // In the order in which they were seen.
    [[nodiscard]] std::vector<FoundMachine> found();
    // What was news since the last call. Kept only where machines give way: Room::silent_give_way.
    [[nodiscard]] std::vector<Happening> take_happenings() { return std::exchange(happenings_, {}); }
    [[nodiscard]] Places& places() { return places_; }
    [[nodiscard]] const Counts& counts() const { return counts_; }
    // That sent something and do not boot; more than that, where counts() say so.
    [[nodiscard]] std::size_t other_hosts() const;
    // That boot and are not kept; no more than most_hosts.
    [[nodiscard]] const std::set<Mac>& other_machines() const { return other_machines_; }

    static constexpr std::size_t most_machines = Room{}.machines;
    static constexpr std::size_t most_hosts = 4096;

  private:
    // Which machines have a place.
    struct Kept {
        std::optional<Mac> only{};    // none: all
        std::set<Mac> record_nics{};  // where it is a record of vm-launch's: its VM's alone

        [[nodiscard]] bool has(const Mac& mac) const {
            return (!only || mac == *only) && (record_nics.empty() || record_nics.contains(mac));
        }
    };

    void packet(double at, const std::vector<std::uint16_t>& vlans, const boot::Packet& packet);
    void hand(Place& place, double at, std::uint16_t vlan, bool from_machine, const boot::Packet& packet);
    void dhcp(double at, std::uint16_t vlan, const boot::Packet& packet, const boot::DhcpMessage& message);
    [[nodiscard]] Place* machine_of(const Mac& mac, const boot::Address& address) const;
    Place* place_of(const Mac& mac, bool boots);
    void give_way(Place& place);
    [[nodiscard]] bool boots(const boot::DhcpMessage& message);

    Kept kept_;
    Room room_;
    std::set<Mac> other_machines_;
    Places places_;
    std::vector<Happening> happenings_;
    Claims claims_;
    std::set<Mac> hosts_;
    Recent<Mac> no_boot_clients_{most_hosts};  // that ask DHCP, and for nothing to boot
    Copies copies_;
    Probes probes_;
    Counts counts_;
};

}  // namespace vml::capture
