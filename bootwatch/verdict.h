// Why a boot stopped where it did, from the record alone: a sentence, the evidence, the next step, and an
// exit code. Pure. Without evidence there is no guess: then it says what was seen last.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "bootwatch/record.h"

namespace vml::boot {

enum class Network { nat, bridge, direct };

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

// "DHCP: 10.77.0.70 offered by 10.77.0.1, at 2.44 s"
[[nodiscard]] std::string seen_last(const Boot& boot);

}  // namespace vml::boot
