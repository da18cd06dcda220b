#include <fmt/format.h>

#include "launcher/vm/decide_parts.h"
#include "launcher/vm/nvram_store.h"

namespace vml {

namespace {

void refuse(const DecideInput& in, const std::filesystem::path& file, std::string why, Findings& findings) {
    findings.host_fault(
        fmt::format("{}: cannot use the UEFI variables in {}", in.origin("data-dir"), file.string()),
        std::move(why),
        "--reset-nvram makes them anew (what the guest wrote there, its boot entries, is gone); --name or "
        "--data-dir gives the VM a folder of its own");
}

// The store that was kept, if it is to be used again.
std::optional<StoreFacts> kept_store(const DecideInput& in, const NvramSpec& nvram) {
    return nvram.kept && !in.settings.reset_nvram && in.facts.data ? in.facts.data->nvram : std::nullopt;
}

bool check_kept(const DecideInput& in, const StoreQuestion& question, const std::filesystem::path& file,
                Findings& findings) {
    if (question.store.open_error != 0) {
        findings.host_fault(
            fmt::format("{}: cannot use the UEFI variables in {}", in.origin("data-dir"), file.string()),
            errno_text(question.store.open_error), "check the owner and mode; --no-persist does without");
    } else if (const std::optional<std::string> why = why_not_this_store(question)) {
        refuse(in, file, *why, findings);
    } else {
        return true;
    }
    return false;
}

void note_published_key(const std::optional<StoreFacts>& store, Findings& findings) {
    const auto* content = store ? std::get_if<rom::VariableStore>(&store->content) : nullptr;
    if (content != nullptr && content->published_key && content->secure_boot()) {
        findings.note(
            "Secure Boot is on with Debian's test keys (SnakeOil), with which anybody can sign: it keeps "
            "nothing "
            "out, and what is signed for Microsoft's keys does not start");
    }
}

// --firmware secure is a promise.
void check_secure_boot(const DecideInput& in, const NvramSpec& nvram, const FirmwareSpec& firmware,
                       bool from_template, Findings& findings) {
    if (firmware.mode != FirmwareMode::secure) {
        return;
    }
    if (!nvram.secure_boot) {
        findings.note(fmt::format("whether Secure Boot is on cannot be read: the variables are in a {} image",
                                  firmware.uefi->vars_format));
    } else if (!*nvram.secure_boot && from_template) {
        findings.host_fault(
            fmt::format("{}: there is no Secure Boot", in.origin("firmware")),
            fmt::format("it is off in {}, though {} says that keys are enrolled there",
                        firmware.uefi->vars_template.string(),
                        firmware.uefi->descriptor.empty() ? in.origin("firmware")
                                                          : firmware.uefi->descriptor.string()),
            firmware.uefi->descriptor.empty() ? "enroll keys in it (virt-fw-vars), or use --firmware uefi"
                                              : "install the distribution's firmware anew");
    } else if (!*nvram.secure_boot) {
        refuse(in, *nvram.kept,
               "Secure Boot is off in them: it was switched off in the firmware's setup, or its keys were "
               "deleted there",
               findings);
    }
}

bool has_kept_store(const DecideInput& in, const std::optional<std::filesystem::path>& state_folder) {
    return state_folder && in.facts.data && in.facts.data->nvram;
}

// A system that was installed under UEFI does not boot without it.
void note_unused_store(const DecideInput& in, const std::optional<std::filesystem::path>& state_folder,
                       bool image, Findings& findings) {
    if (has_kept_store(in, state_folder)) {
        findings.note(fmt::format(
            "{}: the UEFI variables that were kept, {}, are not used by {}",
            in.origin(image ? "firmware-code" : "firmware"), (*state_folder / nvram_file).string(),
            image ? "a whole image as ROM (--firmware-vars, with the code alone, keeps them)"
                  : "legacy firmware, under which no system boots that was installed under UEFI"));
    }
}

}  // namespace

NvramSpec decide_nvram(const DecideInput& in, const FirmwareSpec& firmware, Arch arch,
                       const std::optional<std::filesystem::path>& state_folder, Findings& findings) {
    NvramSpec nvram;
    if (in.settings.reset_nvram && (!firmware.uefi || !state_folder)) {
        findings.note(fmt::format("{} has no effect: {}", in.origin("reset-nvram"),
                                  firmware.uefi    ? "no UEFI variables are kept"
                                  : firmware.image ? "a whole image as ROM keeps no variables"
                                                   : "legacy firmware has no UEFI variables"));
    }
    if (!firmware.uefi) {
        note_unused_store(in, state_folder, firmware.image.has_value(), findings);
        return nvram;
    }
    if (state_folder) {
        nvram.kept = *state_folder / nvram_file;
    }
    const std::optional<StoreFacts> store = kept_store(in, nvram);
    const bool usable =
        !store ||
        check_kept(in, {*store, in.facts.data->nvram_origin, in.facts.nvram_template, *firmware.uefi, arch},
                   *nvram.kept, findings);
    const std::string origin = to_text(origin_of_store(*firmware.uefi, arch, in.facts.nvram_template));
    const bool noted = store && in.facts.data->nvram_origin == origin;
    nvram.origin = nvram.kept && !noted ? origin : "";
    nvram.anew = nvram.kept && in.settings.reset_nvram;
    if (nvram.anew && in.facts.data && in.facts.data->nvram) {
        findings.note(fmt::format(
            "{} makes the UEFI variables in {} anew, so that the boot entries which the guest made are gone: "
            "take it away after this start, or each one does so again",
            in.origin("reset-nvram"), nvram.kept->string()));
    }
    note_published_key(store ? store : in.facts.nvram_template, findings);
    nvram.secure_boot = secure_boot_of(store ? store : in.facts.nvram_template, *firmware.uefi);
    if (usable) {
        check_secure_boot(in, nvram, firmware, !store, findings);
    }
    return nvram;
}

}  // namespace vml
