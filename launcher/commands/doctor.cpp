#include "launcher/commands/doctor.h"

#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"
#include "base/overloaded.h"
#include "base/text.h"
#include "launcher/settings/values.h"
#include "launcher/vm/link_kind.h"
#include "launcher/vm/nvram_store.h"

namespace vml {

namespace {

using Lines = std::vector<DoctorLine>;

DoctorLine line(std::string_view verdict, std::string text) {
    return {verdict, std::move(text)};
}

void add(Lines& lines, Lines more) {
    lines.insert(lines.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

Lines link_lines(const NicSpec& nic, const std::string& link, const MadeLink& made) {
    return {line("ok", fmt::format("{}: {} can be used", nic.id, link)),
            line("ok", fmt::format("{}: frames are moved by {}", nic.id,
                                   made.vhost ? "the kernel (vhost-net)" : "QEMU"))};
}

Lines bridge_lines(const NicSpec& nic, const BridgePort& port) {
    Lines lines = link_lines(nic, "the bridge " + port.bridge, port.made);
    if (port.forwards_after.count() > 0) {
        lines.push_back(
            line("ok", fmt::format("{}: the guest waits about {} s for the bridge's forward delay", nic.id,
                                   (port.forwards_after.count() + 999) / 1000)));
    }
    return lines;
}

Lines nic_lines(const NicSpec& nic) {
    Lines lines = std::visit(
        Overloaded{[&](const Nat&) {
                       return Lines{line(
                           "ok",
                           fmt::format("{}: user-mode network, which needs nothing of the host", nic.id))};
                   },
                   [&](const BridgePort& port) { return bridge_lines(nic, port); },
                   [&](const Macvtap& macvtap) {
                       return link_lines(nic, "the device " + macvtap.lower, macvtap.made);
                   },
                   [&](const Isolated&) {
                       return Lines{line("ok", fmt::format("{}: an isolated segment can be made", nic.id))};
                   }},
        nic.net);
    if (nic.rom) {
        lines.push_back(
            line("ok", fmt::format("{}: {}: {}", nic.id, nic.rom->file.string(), nic.rom->reason)));
    }
    return lines;
}

DoctorLine landlock_line(const VmSpec& spec, int abi) {
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
DoctorLine own_line(const VmSpec& spec, int landlock_abi) {
    return line("ok",
                fmt::format("vm-launch itself: {}, without a capability, under {}seccomp",
                            spec.run_user && spec.run_user->uid != 0 ? "QEMU's user too once the guest runs"
                                                                     : "stays the user who starts it",
                            landlock_abi > 0 ? "Landlock and " : ""));
}

Lines good_lines(const VmSpec& spec, int landlock_abi) {
    Lines lines{line("ok", fmt::format("QEMU: {}", spec.qemu.string())),
                line("ok", fmt::format("accelerator: {}", spec.accelerator_reason))};
    if (spec.firmware.uefi) {
        lines.push_back(line("ok", fmt::format("firmware: {}; {}", spec.firmware.uefi->code.string(),
                                               secure_boot_words(spec.nvram.secure_boot))));
    }
    for (const NicSpec& nic : spec.nics) {
        add(lines, nic_lines(nic));
    }
    if (spec.ipxe_program) {
        lines.push_back(line(
            "ok", fmt::format("iPXE: {}: {}", spec.ipxe_program->file.string(), spec.ipxe_program->reason)));
    }
    if (spec.run_user) {
        lines.push_back(line("ok", fmt::format("QEMU's user: {}{}", spec.run_user->name,
                                               spec.run_user->own ? " (this VM's alone)" : "")));
    }
    lines.push_back(landlock_line(spec, landlock_abi));
    lines.push_back(own_line(spec, landlock_abi));
    for (const std::string& note : spec.notes) {
        lines.push_back(line("warning", note));
    }
    return lines;
}

std::string indented(const std::string& text) {
    std::string result;
    for (const char c : text) {
        result += c;
        result += c == '\n' ? "       " : "";
    }
    return result;
}

Lines fault_lines(const HostFacts& facts, const std::vector<Fault>& faults) {
    Lines lines;
    if (facts.qemu) {
        lines.push_back(line("ok", fmt::format("QEMU: {}", facts.qemu->string())));
    }
    for (const Fault& fault : faults) {
        lines.push_back(line("fault", to_text(fault)));
    }
    return lines;
}

}  // namespace

std::vector<DoctorLine> doctor_lines(const HostFacts& facts, const Decision& decision,
                                     const std::optional<NetworkAnswer>& network) {
    if (const auto* faults = std::get_if<std::vector<Fault>>(&decision)) {
        return fault_lines(facts, *faults);
    }
    Lines lines = good_lines(std::get<VmSpec>(decision), facts.landlock_abi);
    for (const std::string& text : network ? network->lines : std::vector<std::string>{}) {
        lines.push_back(line(network->answered ? "ok" : "warning", text));
    }
    return lines;
}

std::string doctor_as_text(const std::vector<DoctorLine>& lines) {
    std::string text;
    std::size_t faults = 0;
    for (const DoctorLine& each : lines) {
        const bool fault = each.verdict == "fault";
        faults += fault ? 1 : 0;
        text +=
            fmt::format("{:<8} {}\n", each.verdict, fault ? indented(visible(each.text, "\n\t")) : each.text);
    }
    return text + (faults == 0
                       ? "\nNothing is missing.\n"
                       : fmt::format("\n{} {} found.\n", faults, faults == 1 ? "problem" : "problems"));
}

std::string doctor_as_json(const std::vector<DoctorLine>& lines,
                           const std::optional<NetworkAnswer>& network) {
    using nlohmann::ordered_json;
    const ordered_json object{
        {"format", "vm-launch-doctor"},
        {"version", 1},
        {"lines", list_of(lines,
                          [](const DoctorLine& each) {
                              return ordered_json{{"verdict", each.verdict}, {"text", each.text}};
                          })},
        {"probe", network ? network->json : ordered_json(nullptr)},
    };
    return object.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace vml
