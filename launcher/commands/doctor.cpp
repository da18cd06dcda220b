#include "launcher/commands/doctor.h"

#include <fmt/format.h>

#include "base/overloaded.h"
#include "base/text.h"
#include "launcher/settings/values.h"
#include "launcher/vm/link_kind.h"
#include "launcher/vm/nvram_store.h"

namespace vml {

namespace {

std::string line(std::string_view verdict, std::string_view text) {
    return fmt::format("{:<8} {}\n", verdict, text);
}

std::string link_lines(const NicSpec& nic, const std::string& link, const MadeLink& made) {
    return line("ok", fmt::format("{}: {} can be used", nic.id, link)) +
           line("ok", fmt::format("{}: frames are moved by {}", nic.id,
                                  made.vhost ? "the kernel (vhost-net)" : "QEMU"));
}

std::string forward_line(const NicSpec& nic, const BridgePort& port) {
    return port.forwards_after.count() == 0
               ? ""
               : line("ok", fmt::format("{}: the guest waits about {} s for the bridge's forward delay",
                                        nic.id, (port.forwards_after.count() + 999) / 1000));
}

std::string nic_lines(const NicSpec& nic) {
    std::string text = std::visit(
        Overloaded{[&](const Nat&) {
                       return line("ok", fmt::format("{}: user-mode network, which needs nothing of the host",
                                                     nic.id));
                   },
                   [&](const BridgePort& port) {
                       return link_lines(nic, "the bridge " + port.bridge, port.made) +
                              forward_line(nic, port);
                   },
                   [&](const Macvtap& macvtap) {
                       return link_lines(nic, "the device " + macvtap.lower, macvtap.made);
                   },
                   [&](const Isolated&) {
                       return line("ok", fmt::format("{}: an isolated segment can be made", nic.id));
                   }},
        nic.net);
    return nic.rom
               ? text + line("ok", fmt::format("{}: {}: {}", nic.id, nic.rom->file.string(), nic.rom->reason))
               : text;
}

std::string landlock_line(const VmSpec& spec, int abi) {
    if (!spec.landlock) {
        return line("warning", spec.extra_args.empty()
                                   ? "Landlock: switched off: QEMU opens whatever its user may"
                                   : "Landlock: off, because nobody knows what your own QEMU arguments open "
                                     "(--landlock switches it on)");
    }
    return abi > 0 ? line("ok", fmt::format("Landlock: QEMU opens only what it needs (version {})", abi))
                   : line("warning",
                          "Landlock: this kernel has none, or it may not be used here: QEMU opens "
                          "whatever its user may");
}

// What vm-launch is once the guest runs (launcher/process/lock_down.h).
std::string own_line(const VmSpec& spec, int landlock_abi) {
    return line("ok",
                fmt::format("vm-launch itself: {}, without a capability, under {}seccomp",
                            spec.run_user && spec.run_user->uid != 0 ? "QEMU's user too once the guest runs"
                                                                     : "stays the user who starts it",
                            landlock_abi > 0 ? "Landlock and " : ""));
}

std::string good_lines(const VmSpec& spec, int landlock_abi) {
    std::string text = line("ok", fmt::format("QEMU: {}", spec.qemu.string()));
    text += line("ok", fmt::format("accelerator: {}", spec.accelerator_reason));
    if (spec.firmware.uefi) {
        text += line("ok", fmt::format("firmware: {}; {}", spec.firmware.uefi->code.string(),
                                       secure_boot_words(spec.nvram.secure_boot)));
    }
    for (const NicSpec& nic : spec.nics) {
        text += nic_lines(nic);
    }
    if (spec.ipxe_program) {
        text += line(
            "ok", fmt::format("iPXE: {}: {}", spec.ipxe_program->file.string(), spec.ipxe_program->reason));
    }
    if (spec.run_user) {
        text += line("ok", fmt::format("QEMU's user: {}{}", spec.run_user->name,
                                       spec.run_user->own ? " (this VM's alone)" : ""));
    }
    text += landlock_line(spec, landlock_abi);
    text += own_line(spec, landlock_abi);
    for (const std::string& note : spec.notes) {
        text += line("warning", note);
    }
    return text + "\nNothing is missing.\n";
}

std::string indented(const std::string& text) {
    std::string result;
    for (const char c : text) {
        result += c;
        result += c == '\n' ? "       " : "";
    }
    return result;
}

}  // namespace

std::string doctor_report(const HostFacts& facts, const Decision& decision) {
    if (const auto* spec = std::get_if<VmSpec>(&decision)) {
        return good_lines(*spec, facts.landlock_abi);
    }
    const auto& faults = std::get<std::vector<Fault>>(decision);
    std::string text = facts.qemu ? line("ok", fmt::format("QEMU: {}", facts.qemu->string())) : "";
    for (const Fault& fault : faults) {
        text += line("fault", indented(visible(to_text(fault), "\n\t")));
    }
    return text + fmt::format("\n{} {} found.\n", faults.size(), faults.size() == 1 ? "problem" : "problems");
}

}  // namespace vml
