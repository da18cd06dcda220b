#include "launcher/plan/firmware_args.h"

#include <fmt/format.h>

#include "base/shell.h"
#include "launcher/vm/nvram_store.h"

namespace vml {

namespace {

void plan_nvram(const VmSpec& spec, const UefiFirmware& uefi, PlanWriter& writer) {
    const NvramSpec& nvram = spec.nvram;
    const std::string copy = nvram.kept ? nvram.kept->string() : fmt::format("{}-nvram.fd", spec.name);
    const std::string make =
        fmt::format("cp {} {}", shell_quoted(uefi.vars_template.string()), shell_quoted(copy));
    const bool found_again = nvram.kept && !nvram.anew;
    const std::string where =
        nvram.kept ? fmt::format("kept as {}{}", copy, nvram.anew ? ", made anew" : "") : "in memory";
    writer.file_node(
        "nvram-file",
        {.purpose = FdPurpose::nvram,
         .source = uefi.vars_template,
         .by_hand = found_again ? fmt::format("{{ test -e {} || {}; }}", shell_quoted(copy), make) : make,
         .kept = nvram.kept.value_or(""),
         .anew = nvram.anew,
         .origin = nvram.origin},
        copy, "read-only=off",
        fmt::format("the variable store: a private copy, {}; {}", where,
                    secure_boot_words(nvram.secure_boot)));
}

}  // namespace

bool needs_smm(const VmSpec& spec) {
    return spec.firmware.uefi && spec.firmware.uefi->has("requires-smm");
}

void plan_firmware(const VmSpec& spec, PlanWriter& writer) {
    if (spec.firmware.image) {
        const std::string file = spec.firmware.image->string();
        const int number = writer.fd({.purpose = FdPurpose::rom, .source = *spec.firmware.image});
        writer.add("-bios", fmt::format("/proc/self/fd/{}", number),
                   fmt::format("{}: your own firmware, a whole image", file), file);
        return;
    }
    if (!spec.firmware.uefi) {
        return;
    }
    const UefiFirmware& uefi = *spec.firmware.uefi;
    writer.file_node("firmware-file", {.purpose = FdPurpose::read_file, .source = uefi.code},
                     uefi.code.string(), "read-only=on",
                     uefi.descriptor.empty()
                         ? "UEFI: your own firmware"
                         : fmt::format("UEFI: \"{}\", says its descriptor", uefi.description));
    writer.add("-blockdev",
               fmt::format("driver={},node-name=firmware,file=firmware-file,read-only=on", uefi.code_format));
    plan_nvram(spec, uefi, writer);
    if (needs_smm(spec)) {
        writer.add("-global", "driver=cfi.pflash01,property=secure,value=on",
                   "only the firmware in System Management Mode may change the variables");
    }
    writer.add("-blockdev",
               fmt::format("driver={},node-name=nvram,file=nvram-file,read-only=off", uefi.vars_format));
}

}  // namespace vml
