// When vm-launch may spare the guest's iPXE a wait, and what it has done. Pure: the event loop presses the
// key and sends the frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bootwatch/packet.h"
#include "bootwatch/record.h"
#include "bootwatch/timeline.h"

namespace vml {

struct ShortcutsConfig {
    bool press_key = false;  // at iPXE's "Press Ctrl-B"
    std::vector<std::string>
        advertise_to{};                // watched NICs, "net0", whose search for a router may be answered
    bool firmware_loads_ipxe = false;  // what is fetched before iPXE asks for an address is iPXE itself
};

class Shortcuts {
  public:
    Shortcuts(const ShortcutsConfig& config, const std::vector<boot::WatchedNic>& watched);

    // Is this what stands last on the console iPXE's prompt, where no key was pressed yet since iPXE started?
    [[nodiscard]] bool is_prompt(std::string_view partial) const;
    // A key must never wait for whoever reads next: it would stop a menu's countdown. iPXE's prompt takes one
    // key; a key that comes too late for it is read, and dropped, by iPXE's wait for the link or DHCP, which
    // follows (src/core/monojob.c). So a key is pressed while the prompt is young, before this iPXE asked for
    // an address, and never once an iPXE fetched something. `quiet_s`: nothing had come of the guest's
    // console for so long before the prompt did, so that it may be as old as that.
    [[nodiscard]] bool may_press(const boot::Boot& boot, double quiet_s) const;
    // It is too late for this prompt, whatever else comes of it.
    void leave_prompt() { pressed_ = true; }
    void line(std::string_view line, const boot::Boot& boot);
    void reset();

    // A packet on the link of a watched NIC, which `nic` is an index of.
    void packet(std::size_t nic, const boot::Packet& packet, double at);
    // So long, in seconds, is to be waited until the guest's search for a router may be answered: it
    // searches, its iPXE has what it needs to boot over IPv4, and nobody on the segment has shown any sign of
    // IPv6's routing. Nothing: it may not be.
    [[nodiscard]] std::optional<double> answer_in(std::size_t nic, const boot::Boot& boot, double now) const;

    // They were carried out, at so many seconds; gives the line that tells it.
    std::string key_pressed(double at);
    std::string advertised(std::size_t nic, double at);
    std::string link_taken_down(const std::string& nic, double at);
    // Another help; the text comes back.
    std::string tell(std::string text);

    // What was done in this boot, for whoever asks why it failed.
    [[nodiscard]] const std::vector<std::string>& done_in_boot() const { return done_in_boot_; }
    // What was done, for the report. Of too much the last line counts the rest: a guest may reboot, and write
    // UEFI's lines, without end.
    [[nodiscard]] std::vector<std::string> done() const;
    // A search for a router was answered in this boot.
    [[nodiscard]] bool spared_router() const { return spared_router_; }

    // A router goes first. It answers within half a second, unless it has just advertised itself to
    // everybody: for three seconds after that it need not (RFC 4861, MAX_RA_DELAY_TIME and
    // MIN_DELAY_BETWEEN_RAS), and radvd then waits for the next search. iPXE searches at 0, 0.3, 0.8, 1.9, 4
    // and 8 s (measured), and waits for DHCP in the first three.
    static constexpr double patience_s = 4.6;
    // The prompt stands for 2 s.
    static constexpr double young_s = 1;
    static constexpr std::size_t most_done = 50;

  private:
    struct Nic {
        std::string id;
        Mac mac{};
        bool advertise = false;
        bool ipv6_seen = false;                     // a sign of IPv6's routing, at any time
        std::optional<double> first_searched_at{};  // in this boot
        std::optional<double> searched_at{};        // and not answered since
    };

    [[nodiscard]] static bool has_what_it_needs(const std::string& nic, const boot::Boot& boot);

    bool press_key_;
    bool firmware_loads_ipxe_;
    bool pressed_ = false;          // or left, since iPXE started
    std::size_t asked_before_ = 0;  // talks of iPXE with DHCP servers, of other NICs' turns
    bool spared_router_ = false;
    std::vector<Nic> nics_;
    std::vector<std::string> done_;
    std::vector<std::string> done_in_boot_;
    std::uint64_t left_out_ = 0;
};

}  // namespace vml
