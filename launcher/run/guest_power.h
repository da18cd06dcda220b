// Who has the guest's machine: firmware (or iPXE, or a boot loader), which ignores the power button and has
// nothing to lose, or an operating system, whose power must not be cut? Asked of QEMU at the moment of a
// stop, because a guest need not say anything: a quiet kernel runs like any other. Pure.
//
// What was measured (BIOS and UEFI on q35 and pc, AAVMF on virt; before, in and after iPXE, and from a
// kernel's first line on): docs/stop.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "qmp/client.h"

namespace vml {

enum class InControl {
    firmware,  // known: firmware, iPXE or a boot loader, and no disk was written since the machine's reset
    system,    // known: an operating system
    unknown,   // not known: something that wrote to a disk, or QEMU did not tell
};

// What QEMU showed; what it did not tell is empty.
struct GuestSigns {
    std::optional<bool> kernel_mode;  // a CPU is where only an operating system's kernel puts it
    std::optional<bool>
        power_events;  // the guest asked for ACPI's fixed events, the power button's above all
    std::optional<std::uint64_t> writes;        // to the guest's disks, since QEMU began
    std::uint64_t writes_of_earlier_boots = 0;  // and those before the machine's latest reset
    std::string run_state;                      // QEMU qapi/run-state.json, RunState

    [[nodiscard]] bool wrote() const { return !writes || *writes > writes_of_earlier_boots; }
};

[[nodiscard]] InControl in_control(const GuestSigns& signs);
// In one line, for the log.
[[nodiscard]] std::string description_of(const GuestSigns& signs);

// From HMP's `info registers -a`, of x86 or 64-bit ARM; nothing when no CPU is in the text.
[[nodiscard]] std::optional<bool> kernel_mode_in(std::string_view registers);
// From HMP's `i /hx PORT` of the register PM1_EN; nothing when it is no such text.
[[nodiscard]] std::optional<bool> power_events_in(std::string_view port);
// From query-blockstats: the guest's writes to its disks. The firmware's flash is none of them.
[[nodiscard]] std::optional<std::uint64_t> writes_in(const nlohmann::json& blockstats);

// Asks QEMU. Reads only: these commands change nothing in the guest.
class GuestPower {
  public:
    using Answer = std::function<void(const GuestSigns&)>;

    // `x86`: the machine has ACPI's fixed registers.
    GuestPower(qmp::Client& qmp, bool x86) : qmp_{qmp}, x86_{x86} {}

    // Once every answer has come; never, where QEMU does not answer.
    void ask(Answer answer);
    // The machine was reset: what was written so far was another boot's. `told`: did that boot write? True
    // where QEMU does not say.
    void reset(std::function<void(bool wrote)> told);

  private:
    qmp::Client& qmp_;
    bool x86_;
    std::uint64_t writes_of_earlier_boots_ = 0;
};

}  // namespace vml
