#include <algorithm>

#include <fmt/format.h>

#include "launcher/settings/values.h"
#include "launcher/vm/boot_sources.h"
#include "launcher/vm/decide_parts.h"

namespace vml {

namespace {

std::optional<MachineFamily> family_of(std::string_view machine) {
    if (machine == "q35" || machine.starts_with("pc-q35-")) {
        return MachineFamily::q35;
    }
    if (machine == "pc" || machine.starts_with("pc-i440fx-")) {
        return MachineFamily::pc;
    }
    if (machine == "virt" || machine.starts_with("virt-")) {
        return MachineFamily::virt;
    }
    return std::nullopt;
}

// Why KVM cannot be used.
struct Obstacle {
    std::string why;
    std::string hint;
};

std::optional<Obstacle> no_kvm(const DecideInput& in, Arch arch) {
    if (arch != in.facts.arch) {
        return Obstacle{fmt::format("KVM runs {} guests only on this host", to_string(in.facts.arch)), ""};
    }
    if (!in.facts.kvm.usable) {
        return Obstacle{in.facts.kvm.why_not, in.facts.kvm.hint};
    }
    return std::nullopt;
}

void check_accelerator(const DecideInput& in, Arch arch, const std::optional<Obstacle>& obstacle,
                       Findings& findings) {
    const Settings& settings = in.settings;
    if (settings.require_kvm && settings.accel == AccelChoice::tcg) {
        findings.settings_fault(
            fmt::format("{} and {} contradict each other", in.origin("require-kvm"), in.origin("accel")), "",
            "leave one of them out");
    } else if (settings.require_kvm && obstacle) {
        findings.host_fault(fmt::format("{}: KVM cannot be used", in.origin("require-kvm")), obstacle->why,
                            obstacle->hint);
    } else if (settings.accel == AccelChoice::kvm && arch != in.facts.arch) {
        findings.settings_fault(fmt::format("{}: KVM cannot be used", in.origin("accel")), obstacle->why,
                                "use --accel tcg");
    }
}

// Without the CPU.
AcceleratorChoice choose_accelerator(const DecideInput& in, const std::optional<Obstacle>& obstacle,
                                     Findings& findings) {
    switch (in.settings.accel) {
        case AccelChoice::kvm:
            if (obstacle) {
                findings.note(fmt::format("KVM may not work here: {}; --accel tcg emulates", obstacle->why));
            }
            return {Accelerator::kvm, fmt::format("{} asks for KVM", in.origin("accel")), ""};
        case AccelChoice::tcg:
            return {Accelerator::tcg, fmt::format("{} asks for emulation", in.origin("accel")), ""};
        case AccelChoice::automatic:
            break;
    }
    if (!obstacle) {
        return {Accelerator::kvm, "this host's KVM can run firmware", ""};
    }
    if (in.facts.in_container && !obstacle->hint.empty()) {
        findings.note(fmt::format("the guest is emulated, which is slow: {}", obstacle->hint));
    }
    return {Accelerator::tcg, fmt::format("emulation, because {}", obstacle->why), ""};
}

// What QEMU's documentation recommends (docs/system/i386/hyperv.rst, "Recommendations"), of which all kernels
// with KVM have the parts.
constexpr std::string_view hyperv_flags =
    ",hv_relaxed,hv_vapic,hv_spinlocks=0x1fff,hv_vpindex,hv_runtime,hv_synic,hv_stimer,hv_time,"
    "hv_frequencies,hv_tlbflush,hv_ipi,hv_reset";

std::string_view decide_hyperv(const DecideInput& in, Arch arch, bool kvm, Findings& findings) {
    if (!in.settings.hyperv) {
        return "";
    }
    if (arch != Arch::x86_64) {
        findings.settings_fault(
            fmt::format("{}: there are no such interfaces on {}", in.origin("hyperv"), to_string(arch)), "",
            "leave it out");
    } else if (!kvm) {
        findings.note(
            fmt::format("{} has no effect: KVM alone has the interfaces of Hyper-V", in.origin("hyperv")));
    }
    return kvm ? hyperv_flags : "";
}

}  // namespace

std::filesystem::path decide_qemu(const DecideInput& in, Findings& findings) {
    if (in.facts.qemu) {
        return *in.facts.qemu;
    }
    const bool x86 = arch_of(in.settings, in.facts.arch) == Arch::x86_64;
    findings.host_fault(fmt::format("{} is not installed", in.facts.qemu_program),
                        "it is in no folder of $PATH",
                        fmt::format("apt-get install {}", x86 ? "qemu-system-x86" : "qemu-system-arm"));
    return {};
}

MachineChoice decide_machine(const DecideInput& in, Arch arch, Findings& findings) {
    const bool x86 = arch == Arch::x86_64;
    MachineChoice machine{machine_of(in.settings, arch), MachineFamily::q35};
    const std::optional<MachineFamily> family = family_of(machine.name);
    const std::string possible = x86 ? "possible: q35, pc" : "possible: virt";
    if (!family) {
        findings.settings_fault(
            fmt::format("{}: '{}' is no machine that vm-launch knows", in.origin("machine"), machine.name),
            machine.name.starts_with("microvm") ? "iPXE finds no NIC on a microvm" : "", possible);
    } else if ((*family == MachineFamily::virt) == x86) {
        findings.settings_fault(
            fmt::format("{}: there is no '{}' on {}", in.origin("machine"), machine.name, to_string(arch)),
            "", possible);
    } else {
        machine.family = *family;
    }
    return machine;
}

std::uint64_t decide_amount(const Amount& amount, std::uint64_t whole) {
    if (amount.number) {
        return *amount.number;
    }
    return std::max<std::uint64_t>(1, *amount.share == Share::half ? whole / 2 : whole);
}

AcceleratorChoice decide_accelerator(const DecideInput& in, Arch arch, Findings& findings) {
    const std::optional<Obstacle> obstacle = no_kvm(in, arch);
    check_accelerator(in, arch, obstacle, findings);
    AcceleratorChoice choice = choose_accelerator(in, obstacle, findings);
    const bool kvm = choice.accelerator == Accelerator::kvm;
    choice.cpu = in.settings.cpu.value_or(kvm ? "host" : "max");
    if (choice.cpu == "host" && !kvm) {
        findings.note(
            fmt::format("{}: only KVM has the host's CPU; the emulator's best is used", in.origin("cpu")));
        choice.cpu = "max";
    }
    choice.cpu += decide_hyperv(in, arch, kvm, findings);
    return choice;
}

}  // namespace vml
