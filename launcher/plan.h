// The step "plan": a VmSpec → everything that "apply" does, as data: argv, the child's descriptors, boot
// order with reasons, checks before the guest runs. Pure: nothing is opened, so it can be printed, compared
// and run by hand.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/spec.h"

namespace vml {

// One option of QEMU and its value, if it takes one.
struct PlannedArg {
    std::string option;
    std::string value;
    std::string reason;  // why it is there; empty where it is obvious
    // What stands in for the value when the command line is pasted into a shell, where the descriptors below
    // are not open: another value, or nothing at all ("" leaves the option out).
    std::optional<std::string> by_hand = std::nullopt;

    bool operator==(const PlannedArg&) const = default;
};

enum class FdPurpose {
    qmp,         // QEMU's end of the socket pair for QMP
    console,     // QEMU's end of the socket pair for the serial port
    nvram,       // a private copy of the UEFI variable store, in memory
    blank_disk,  // an empty file without a name, of `size` bytes
};

// A descriptor that QEMU inherits at this number. `apply` opens it.
struct PlannedFd {
    int number = 0;
    FdPurpose purpose = FdPurpose::qmp;
    std::filesystem::path source = {};  // nvram: what is copied
    std::uint64_t size = 0;             // blank_disk: bytes
    std::string by_hand = {};           // the shell command that makes a stand-in, if one is needed

    bool operator==(const PlannedFd&) const = default;
};

// A property read back over QMP before the guest runs: QEMU resolves some only when it builds the machine.
struct PropertyCheck {
    std::string path;  // QOM path
    std::string property;
    std::string expected;  // as qom-get gives it
    std::string meaning;   // what is wrong when it differs

    bool operator==(const PropertyCheck&) const = default;
};

struct Plan {
    std::string name;
    std::filesystem::path program;
    std::vector<PlannedArg> args;
    std::vector<PlannedFd> fds;
    std::vector<PropertyCheck> checks;
    std::vector<BootEntry> boot_order;
    std::vector<std::string> notes;

    bool operator==(const Plan&) const = default;
};

[[nodiscard]] Plan make_plan(const VmSpec& spec);

// The arguments of QEMU as execve takes them, without argv[0].
[[nodiscard]] std::vector<std::string> argv_of(const Plan& plan);

[[nodiscard]] std::string_view to_string(FdPurpose purpose);

// The lowest descriptor number that a plan uses. What vm-launch opens for itself stays far below, so nothing
// collides.
inline constexpr int first_planned_fd = 100;

}  // namespace vml
