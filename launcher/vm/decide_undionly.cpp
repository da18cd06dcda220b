#include <algorithm>

#include <fmt/format.h>

#include "launcher/settings/tidy.h"
#include "launcher/vm/boot_sources.h"
#include "launcher/vm/decide_parts.h"
#include "launcher/vm/kernel_script.h"

namespace vml {

namespace {

// What chains the bootfile: the ROM's iPXE, which asks as iPXE does, gets undionly.kpxe, as a network gives
// it to a ROM that is none. That one sees the ROM's UNDI instead of a chip, and goes on to the bootfile.
// Should it return instead, the ROM's iPXE ends in a failure, not with the bootfile.
std::string undionly_script(const std::string& program, const std::string& bootfile) {
    return fmt::format(
        "#!ipxe\n"
        "iseq ${{net0/chip}} undionly || chain {}\n"
        "iseq ${{net0/chip}} undionly && chain {}\n",
        program, bootfile);
}

bool can_load_undionly(const DecideInput& in, const NicFrame& frame, const Netboot& netboot,
                       Findings& findings) {
    if (frame.firmware != FirmwareMode::legacy || !in.settings.ipxe) {
        findings.settings_fault(
            fmt::format("{}: undionly.kpxe is loaded by iPXE on BIOS", in.origin("undionly")),
            frame.firmware != FirmwareMode::legacy
                ? fmt::format("UEFI has none of the ROM's PXE calls ({} is {})", in.origin("firmware"),
                              to_string(frame.firmware))
                : fmt::format("{} switches iPXE off", in.origin("ipxe")),
            "leave it out, or use --firmware legacy with --ipxe");
        return false;
    }
    if (!in.facts.offered.undionly) {
        findings.add(no_undionly(in));
        return false;
    }
    const NamedOffer& program = *in.facts.offered.undionly;
    if (!check_offered(in, "undionly", program.found, program.file, findings)) {
        return false;
    }
    if (!netboot.bootfile || !(netboot.http || netboot.is_elsewhere())) {
        findings.host_fault(
            fmt::format("{}: undionly.kpxe would have nothing to boot", in.origin("undionly")),
            netboot.bootfile ? fmt::format("{} is not served by HTTP", *netboot.bootfile) : "",
            "give --script FILE, --kernel FILE, --netboot-dir DIR with a boot.ipxe in it, or --bootfile URL");
        return false;
    }
    return true;
}

}  // namespace

Fault no_undionly(const DecideInput& in) {
    const std::string own = in.settings.netboot_dir ? in.settings.netboot_dir->string() + " nor "
                            : in.settings.script && is_script_file(*in.settings.script)
                                ? "the script's folder nor "
                                : "";
    return {fmt::format("{}: there is no undionly.kpxe", in.origin("undionly")),
            fmt::format("neither {}/usr/lib/ipxe nor /usr/share/ipxe holds it", own),
            "apt-get install ipxe, or put it into a folder, for --netboot-dir", ExitCode::host};
}

void load_undionly_first(const DecideInput& in, const NicFrame& frame, Netboot& netboot, Findings& findings) {
    if (!in.settings.undionly || !can_load_undionly(in, frame, netboot, findings)) {
        return;
    }
    const auto is_there = [](const ServedFile& file) { return file.name == undionly_program; };
    if (std::none_of(netboot.files.begin(), netboot.files.end(), is_there)) {
        netboot.files.push_back({undionly_program, in.facts.offered.undionly->file.real});
    }
    const std::string name = served_name("undionly.ipxe", netboot.files);
    netboot.files.push_back({name, {}, undionly_script(undionly_program, *netboot.bootfile)});
    netboot.http = true;
    netboot.bootfile = name;
}

}  // namespace vml
