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

namespace vml::capture {

// A boot of a machine. Its record's times are seconds since its first frame.
struct CapturedBoot {
    double began = 0;   // when that was: seconds since 1970, UTC
    double latest = 0;  // its last frame
    boot::Boot record{};
    boot::CaptureView view{};
    Fault verdict{};  // ExitCode::ok: nothing failed in the capture
};

// Of a machine all but the first boots and the latest are left out.
inline constexpr std::size_t most_boots = 50;

// Does a DHCP client that looks for a server now begin another boot of its machine? `latest`: who spoke DHCP
// last. An iPXE that firmware, or another iPXE, has fetched belongs to the boot that fetched it.
[[nodiscard]] bool begins_another_boot(std::optional<boot::Client> latest, boot::Client client, double idle_s,
                                       const std::vector<boot::Fetch>& fetches);

// Does a packet begin another boot of its machine?
enum class Begins { as_guessed, no, yes };

class Machine {
  public:
    explicit Machine(const Mac& mac);

    // `at` in seconds since 1970. What is earlier than the packet before it is taken to be as late.
    void see(double at, bool from_machine, boot::Packet packet, Begins another_boot);

    // In order; judged as of the capture's end.
    [[nodiscard]] std::vector<CapturedBoot> boots(double capture_ended);
    [[nodiscard]] std::uint64_t left_out() const { return left_out_; }

    [[nodiscard]] const Mac& mac() const { return mac_; }
    [[nodiscard]] std::optional<std::uint16_t> arch() const { return arch_; }  // option 93
    // The relays that its DHCP messages came through.
    [[nodiscard]] const std::vector<boot::Address>& relays() const { return relays_; }

  private:
    // A message of DHCP, as it is seen twice: from the machine and from the relay, or on two ports.
    struct Seen {
        double at = 0;
        std::array<std::uint64_t, 5> what{};
    };

    [[nodiscard]] bool is_repeat(double at, const boot::DhcpMessage& message);
    [[nodiscard]] bool shows_nothing(double at, bool from_machine, const boot::ArpMessage& message);
    void begin_boot(double at);
    [[nodiscard]] CapturedBoot running_boot();
    void look(double at, bool from_machine, const boot::Packet& packet);
    void look_at_dhcp(double at, bool from_machine, const boot::Packet& packet,
                      const boot::DhcpMessage& message);

    Mac mac_;
    std::optional<boot::Timeline> timeline_{};  // of the boot that runs
    CapturedBoot current_{};
    std::optional<boot::Client> latest_client_{};
    std::vector<CapturedBoot> ended_{};
    std::uint64_t left_out_ = 0;
    std::optional<std::uint16_t> arch_{};
    std::vector<boot::Address> relays_{};
    std::vector<Seen> seen_{};
    std::vector<std::pair<boot::Address, double>> arp_asked_{};  // the latest
};

}  // namespace vml::capture
