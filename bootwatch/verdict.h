// Why a boot stopped where it did, from the record alone: a sentence, the evidence, the next step, and an
// exit code. Pure. Without evidence there is no guess: then it says what was seen last.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "bootwatch/record.h"

namespace vml::boot {

enum class Network {
    nat,
    bridge,
    direct,
    isolated,   // a segment that vm-launch itself serves
    elsewhere,  // a machine that is not vm-launch's, in a capture of its network
};

// An iPXE script in the folder that is served.
struct ServedScript {
    std::string name;  // without folders
    std::string text;  // its beginning, as much as a script may have
    bool operator==(const ServedScript&) const = default;
};

// What is known of the machine beside its boots.
struct Circumstances {
    bool ipxe = false;     // iPXE was asked for
    bool uefi = false;     // else SeaBIOS
    bool secure = false;   // with Secure Boot
    bool aarch64 = false;  // else x86_64
    bool wire = true;      // packets were seen
    Network network = Network::nat;
    std::string host_link{};                // the bridge, or the macvtap's lower device
    std::vector<std::string> link_state{};  // what that looked like when the boot had stopped
    std::string rom{};                      // the option ROM's file
    std::vector<ServedScript> served{};
    std::optional<std::string> serves{};  // the folder that vm-launch serves; "": single files; none: nothing
    std::optional<double> now{};          // the time was up at, where that is why the boot is judged

    bool operator==(const Circumstances&) const = default;
};

// Of the last boot.
[[nodiscard]] Fault judge(const std::vector<Boot>& boots, const Circumstances& circumstances);

// Of a machine that boots from the network again and again.
[[nodiscard]] Fault judge_loop(const std::vector<Boot>& boots, unsigned count);

// Of a boot in which one program was fetched again and again.
[[nodiscard]] Fault judge_chain(const Boot& boot);

// What a capture has of a boot beside its record. Times as in the record.
struct CaptureView {
    double ended = 0;                // the capture's end
    std::uint64_t from_machine = 0;  // frames
    std::uint64_t to_machine = 0;    // without those that are for everybody
    bool answers_unseen = false;     // the machine went on, and what it must have got is not in the capture
    std::optional<Address> unseen_server{};  // whose offer the machine took, which is not in the capture
    std::vector<Offer> unasked{};  // a DHCP server's words, to questions that are not in the capture

    bool operator==(const CaptureView&) const = default;
};

// Of a boot that a capture shows: no console tells where it stopped, so that what did not fail within the
// capture is no failure (ExitCode::ok), and what its packets do not tell is said to be unknown.
[[nodiscard]] Fault judge_captured(const Boot& boot, const CaptureView& view);

// "DHCP: 10.77.0.70 offered by 10.77.0.1, at 2.44 s"
[[nodiscard]] std::string seen_last(const Boot& boot);

}  // namespace vml::boot
