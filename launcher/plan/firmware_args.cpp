#include "launcher/plan/firmware_args.h"

#include <fmt/format.h>

#include "base/shell.h"

namespace vml {

namespace {

void plan_nvram(const VmSpec& spec, const UefiFirmware& uefi, PlanWriter& writer) {
    const std::filesystem::path kept = spec.state_folder ? *spec.state_folder / "nvram.fd" : "";
    const std::string copy = kept.empty() ? fmt::format("{}-nvram.fd", spec.name) : kept.string();
    const std::string make =
        fmt::format("cp {} {}", shell_quoted(uefi.vars_template.string()), shell_quoted(copy));
    writer.file_node(
        "nvram-file",
        {.purpose = FdPurpose::nvram,
         .source = uefi.vars_template,
         .by_hand = kept.empty() ? make : fmt::format("{{ test -e {} || {}; }}", shell_quoted(copy), make),
         .kept = kept},
        copy, "read-only=off",
        kept.empty() ? "the variable store: a private copy in memory"
                     : fmt::format("the variable store: a private copy, kept as {}", copy));
}

}  // namespace

bool needs_smm(const VmSpec& spec) {
    return spec.firmware.uefi && spec.firmware.uefi->has("requires-smm");
}

void plan_firmware(const VmSpec& spec, PlanWriter& writer) {
    if (!spec.firmware.uefi) {
        return;
    }
    const UefiFirmware& uefi = *spec.firmware.uefi;
    writer.file_node("firmware-file", {.purpose = FdPurpose::read_file, .source = uefi.code},
                     uefi.code.string(), "read-only=on", fmt::format("UEFI: {}", uefi.description));
    writer.add("-blockdev",
               fmt::format("driver={},node-name=firmware,file=firmware-file,read-only=on", uefi.code_format));
    plan_nvram(spec, uefi, writer);
    if (needs_smm(spec)) {
        writer.add("-global", "driver=cfi.pflash01,property=secure,value=on",
                   "only the firmware in System Management Mode may change the variables");
    }
    writer.add("-blockdev",
               fmt::format("driver={},node-name=nvram,file=nvram-file,read-only=off", uefi.vars_format));
    writer.add("-device", "virtio-rng-pci", "newer UEFI has no network boot without a source of entropy");
}

}  // namespace vml
