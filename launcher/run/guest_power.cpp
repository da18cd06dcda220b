#include "launcher/run/guest_power.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"

namespace vml {

namespace {

using nlohmann::json;

// ACPI's PM1 enable register (ACPI 6.5, 4.8.3.1.2) stands two bytes behind the base that the firmware chose:
// SeaBIOS, and OVMF on q35, 0x600; OVMF on pc, 0xB000 (edk2 OvmfPkg/Include/OvmfPlatforms.h). SCI_EN beside
// it tells nothing: OVMF sets it long before an operating system runs.
constexpr std::array<unsigned, 2> pm1_enable_ports{0x602, 0xB002};
constexpr std::uint64_t nobody_there = 0xFFFF;  // what a port reads as where no device is

// CR0 and EFER (Intel SDM volume 3, 2.5 and 2.2.1).
constexpr std::uint64_t paging = std::uint64_t{1} << 31U;
constexpr std::uint64_t long_mode = std::uint64_t{1} << 10U;
// Kernels live in the upper half of the address space; firmware's memory is mapped where it lies.
constexpr std::uint64_t upper_half_64 = std::uint64_t{1} << 63U;
constexpr std::uint64_t upper_half_32 = std::uint64_t{1} << 31U;
// So does iPXE, where it was built for 64-bit BIOS (iPXE src/arch/x86_64/Makefile.pcbios).
constexpr std::uint64_t ipxe_begins = 0xFFFFFFFFEB000000;
constexpr std::uint64_t ipxe_ends = 0xFFFFFFFFEC000000;

// The hexadecimal number behind the last `key` of the text.
std::optional<std::uint64_t> hex_after(std::string_view text, std::string_view key) {
    const std::size_t at = text.find(key);
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    std::string_view digits = text.substr(at + key.size());
    digits.remove_prefix(std::min(digits.find_first_not_of(' '), digits.size()));
    constexpr int hexadecimal = 16;
    return leading_number<std::uint64_t>(digits, hexadecimal);
}

// As QEMU writes it (target/i386/cpu-dump.c): "CPL=0", "IDT=     fffffe0000000000 00000fff", "CR0=80050033",
// "EFER=0000000000000d01". The interrupt table tells a kernel also while a program of its user runs.
std::optional<bool> x86_kernel_mode(std::string_view cpu) {
    const auto table = hex_after(cpu, "\nIDT=");
    const auto cr0 = hex_after(cpu, "\nCR0=");
    const auto efer = hex_after(cpu, "EFER=");
    const auto privilege = hex_after(cpu, "CPL=");
    if (!table || !cr0) {
        return std::nullopt;
    }
    if ((*cr0 & paging) == 0) {
        return false;
    }
    if (privilege.value_or(0) != 0) {
        return true;  // firmware has no programs of less rights
    }
    const bool is_long = (efer.value_or(0) & long_mode) != 0;
    const bool is_ipxe = *table >= ipxe_begins && *table < ipxe_ends;
    return *table >= (is_long ? upper_half_64 : upper_half_32) && !is_ipxe;
}

// As QEMU writes it (target/arm/cpu.c, aarch64_cpu_dump_state): " PC=ffff8000800c1234 X00=…",
// "PSTATE=600003c5 -ZC- EL1h". User programs run at EL0, firmware at EL1 or above in the lower half of the
// address space.
std::optional<bool> arm_kernel_mode(std::string_view cpu) {
    const auto counter = hex_after(cpu, "PC=");
    const auto state = hex_after(cpu, "PSTATE=");
    if (!counter || !state) {
        return std::nullopt;
    }
    constexpr std::uint64_t exception_level = 0xC;  // PSTATE.M[3:2] (Arm ARM, C5.2.19)
    return *counter >= upper_half_64 || (*state & exception_level) == 0;
}

std::string text_of(const qmp::Result& result) {
    const auto* value = std::get_if<json>(&result);
    return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

qmp::Command monitor(std::string line) {
    return {"human-monitor-command", {{"command-line", std::move(line)}}};
}

json value_of(const qmp::Result& result) {
    const auto* value = std::get_if<json>(&result);
    return value == nullptr ? json() : *value;
}

}  // namespace

InControl in_control(const GuestSigns& signs) {
    if (signs.kernel_mode.value_or(false) || signs.power_events.value_or(false)) {
        return InControl::system;
    }
    return !signs.kernel_mode || signs.wrote() ? InControl::unknown : InControl::firmware;
}

std::string description_of(const GuestSigns& signs) {
    const auto words = [](const std::optional<bool>& sign) {
        return !sign ? "unknown" : *sign ? "yes" : "no";
    };
    return fmt::format(
        "a kernel's CPU mode: {}; power events: {}; writes to disks: {}, {} of earlier boots; state: {}",
        words(signs.kernel_mode), words(signs.power_events),
        signs.writes ? std::to_string(*signs.writes) : "unknown", signs.writes_of_earlier_boots,
        signs.run_state);
}

std::optional<bool> kernel_mode_in(std::string_view registers) {
    std::optional<bool> found;
    constexpr std::string_view heading = "CPU#";
    for (std::size_t at = registers.find(heading); at != std::string_view::npos;) {
        const std::size_t next = registers.find(heading, at + heading.size());
        const std::string_view cpu = registers.substr(at, next - at);
        const auto mode =
            cpu.find("PSTATE=") == std::string_view::npos ? x86_kernel_mode(cpu) : arm_kernel_mode(cpu);
        if (mode) {
            found = found.value_or(false) || *mode;
        }
        at = next;
    }
    return found;
}

// As QEMU writes it (monitor/misc.c, hmp_ioport_read): "portw[0x0602] = 0x0120".
std::optional<bool> power_events_in(std::string_view port) {
    const auto enabled = hex_after(port, "] = 0x");
    if (!enabled) {
        return std::nullopt;
    }
    return *enabled != 0 && *enabled != nobody_there;
}

std::optional<std::uint64_t> writes_in(const json& blockstats) {
    if (!blockstats.is_array()) {
        return std::nullopt;
    }
    std::uint64_t writes = 0;
    for (const json& drive : blockstats) {
        // "/machine/system.flash0", "/machine/virt.flash0"
        const bool flash = text_at(drive, "qdev").find(".flash") != std::string::npos;
        if (const auto stats = drive.find("stats"); !flash && stats != drive.end()) {
            writes += number_at<std::uint64_t>(*stats, "wr_operations").value_or(0);
        }
    }
    return writes;
}

void GuestPower::ask(Answer answer) {
    const auto signs = std::make_shared<GuestSigns>();
    signs->writes_of_earlier_boots = writes_of_earlier_boots_;
    qmp_.send(monitor("info registers -a"),
              [signs](const qmp::Result& result) { signs->kernel_mode = kernel_mode_in(text_of(result)); });
    for (const unsigned port : pm1_enable_ports) {
        if (x86_) {
            qmp_.send(monitor(fmt::format("i /hx {:#x}", port)), [signs](const qmp::Result& result) {
                const auto events = power_events_in(text_of(result));
                signs->power_events = signs->power_events.value_or(false) || events.value_or(false);
            });
        }
    }
    qmp_.send({"query-blockstats"},
              [signs](const qmp::Result& result) { signs->writes = writes_in(value_of(result)); });
    // The answers come in order.
    qmp_.send({"query-status"}, [signs, answer = std::move(answer)](const qmp::Result& result) {
        signs->run_state = text_at(value_of(result), "status");
        answer(*signs);
    });
}

void GuestPower::reset(std::function<void(bool wrote)> told) {
    qmp_.send({"query-blockstats"}, [this, told = std::move(told)](const qmp::Result& result) {
        const auto writes = writes_in(value_of(result));
        const bool wrote = writes.value_or(writes_of_earlier_boots_ + 1) > writes_of_earlier_boots_;
        writes_of_earlier_boots_ = writes.value_or(0);
        told(wrote);
    });
}

}  // namespace vml
