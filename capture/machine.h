// One machine's packets, out of a capture → its boots, each with its own record. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/mac.h"
#include "bootwatch/timeline.h"
#include "bootwatch/verdict.h"
#include "bootwatch/weight.h"

namespace vml::capture {

// A boot of a machine. Its record's times are seconds since its first frame.
struct CapturedBoot {
    double began = 0;   // when that was: seconds since 1970, UTC
    double latest = 0;  // its last frame
    double heard = 0;   // the last that the machine itself sent; 0: none
    boot::Boot record{};
    boot::CaptureView view{};
    bool gaps = false;  // frames were lost while it ran: no failure of it is certain
    Fault verdict{};    // ExitCode::ok: nothing failed in the capture
};

// Sets the verdict, as of a moment: seconds since 1970. A failure of a boot with gaps is unknown instead:
// what is missing may have been in the lost frames.
void judge(CapturedBoot& boot, double as_of);

// Of a machine all but the first boots and the latest are left out.
inline constexpr std::size_t most_boots = 50;

// What is kept of those of a machine's boots that are over, beside the boot that runs.
struct KeptBoots {
    std::size_t most = most_boots - 1;
    std::size_t weight = boot::most_reported / 8;  // of all of them together (bootwatch/weight.h)
};

// What a packet showed.
struct Step {
    bool begins = false;                 // the machine's first boot, or another one
    std::optional<CapturedBoot> over{};  // the boot before that, which is not judged
    std::vector<boot::Mark> marks{};     // that are news, of the boot that runs now
};

// The boot that runs, at no cost; valid until the next packet.
struct Glance {
    std::uint64_t number = 1;   // 1 for the machine's first
    const CapturedBoot& times;  // without its record
    const boot::Boot& record;   // without its fetches and lookups
    const std::vector<boot::Fetch>& fetches;
};

// Does a DHCP client that looks for a server now begin another boot of its machine? `latest`: who spoke DHCP
// last. An iPXE that firmware, or another iPXE, has fetched belongs to the boot that fetched it.
[[nodiscard]] bool begins_another_boot(std::optional<boot::Client> latest, boot::Client client, double idle_s,
                                       const std::vector<boot::Fetch>& fetches);

// Does a packet begin another boot of its machine?
enum class Begins { as_guessed, no, yes };

// A message of DHCP, as it is seen twice: from the machine and from the relay, or on two ports.
struct SeenDhcp {
    double at = 0;
    std::array<std::uint64_t, 5> what{};
};

class Machine {
  public:
    Machine(const Mac& mac, KeptBoots kept);

    // `at` in seconds since 1970. What is earlier than the packet before it is taken to be as late.
    Step see(double at, bool from_machine, boot::Packet packet, Begins another_boot);
    // So late it is, though nothing came: what is news of the boot that runs.
    [[nodiscard]] std::vector<boot::Mark> passes(double at);
    // Frames of the boot that runs may not have been seen.
    void frames_lost() { current_.gaps = true; }

    // In order; judged as of the capture's end.
    [[nodiscard]] std::vector<CapturedBoot> boots(double capture_ended);
    [[nodiscard]] std::uint64_t left_out() const { return left_out_; }
    // Once it has been seen.
    [[nodiscard]] CapturedBoot running_boot();
    [[nodiscard]] Glance glance() const;
    // Of all its records (bootwatch/weight.h).
    [[nodiscard]] std::size_t weight();

    [[nodiscard]] const Mac& mac() const { return mac_; }
    [[nodiscard]] std::optional<std::uint16_t> arch() const { return arch_; }  // option 93
    // The relays that its DHCP messages came through.
    [[nodiscard]] const std::vector<boot::Address>& relays() const { return relays_; }

  private:
    [[nodiscard]] Step begin_boot(double at);
    void look(double at, bool from_machine, const boot::Packet& packet);

    Mac mac_;
    KeptBoots kept_;
    std::optional<boot::Timeline> timeline_{};  // of the boot that runs
    CapturedBoot current_{};
    std::optional<boot::Client> latest_client_{};
    std::vector<CapturedBoot> ended_{};
    std::uint64_t left_out_ = 0;
    std::optional<std::uint16_t> arch_{};
    std::vector<boot::Address> relays_{};
    std::vector<SeenDhcp> seen_{};
    std::vector<std::pair<boot::Address, double>> arp_asked_{};  // the latest
};

}  // namespace vml::capture
