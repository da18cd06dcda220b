// Verdicts on the kernel, the firmware and the ROM.
#include <algorithm>

#include <fmt/format.h>

#include "bootwatch/timeline.h"
#include "bootwatch/verdict_scene.h"

namespace vml::boot {

namespace {

std::string root_hint(const Scene& scene) {
    const bool initramfs =
        std::any_of(scene.boot.fetches.begin(), scene.boot.fetches.end(), [](const Fetch& fetch) {
            return fetch.content == Content::archive && fetch.state == FetchState::done;
        });
    const auto page = latest_of(scene.boot.fetches, [](const Fetch& fetch) {
        return fetch.content == Content::html && fetch.state == FetchState::done;
    });
    if (!initramfs && page) {
        return fmt::format("{} is an HTML page and no initramfs: look at that URL in a browser",
                           scene.boot.fetches[*page].url);
    }
    const Fetch* kernel = scene.kernel();
    const auto other = latest_of(scene.boot.fetches, [&](const Fetch& fetch) {
        return kernel != nullptr && fetch.state == FetchState::done && fetch.began > kernel->began &&
               fetch.content != Content::ipxe_script;
    });
    if (!initramfs && other) {
        return fmt::format(
            "{}, which was fetched with the kernel, is no archive but {}: is it the initramfs, and whole?",
            scene.boot.fetches[*other].url, describe(scene.boot.fetches[*other].content));
    }
    if (!initramfs && scene.about.wire) {
        return "no initramfs was fetched: add `initrd URL` to the script, or name the root device with root=";
    }
    return scene.about.uefi
               ? "an initramfs was fetched, and under UEFI iPXE hands it over only if the kernel's line says "
                 "initrd=NAME"
               : "is the initramfs whole, and compressed in a way that this kernel knows? Else name the root "
                 "device with root=";
}

}  // namespace

Verdict panic(const Scene& scene) {
    if (scene.boot.outcome != Outcome::panic) {
        return std::nullopt;
    }
    const std::string& words = scene.boot.outcome_text;
    const std::string why = "kernel panic: " + words;
    const auto says = [&](std::string_view part) { return words.find(part) != std::string::npos; };
    if (says("Unable to mount root fs") || says("No working init found")) {
        return told("no-root", "", why, root_hint(scene));
    }
    if (says("memory")) {
        return told("panic-memory", "", why, "give the guest more: --memory 2G");
    }
    if (says("IO-APIC + timer")) {  // arch/x86/kernel/apic/io_apic.c, check_timer()
        return told("panic-timer", "", why,
                    "on a busy host an emulated timer comes too late for it: start again, or add "
                    "no_timer_check to the kernel's command line");
    }
    return told("panic", "", why, "the serial console has the lines before it");
}

Verdict stub_failed(const Scene& scene) {
    if (scene.boot.stub_error.empty()) {
        return std::nullopt;
    }
    const bool file = scene.boot.stub_error.find("open file") != std::string::npos ||
                      scene.boot.stub_error.find("initrd") != std::string::npos;
    return told("stub-failed", "", scene.boot.stub_error,
                file ? "the kernel's line and the script must name the initramfs alike: `kernel … "
                       "initrd=NAME` and `initrd --name NAME URL`"
                     : "the serial console has the lines before it");
}

// The boot has not stopped anywhere, and had all that a kernel needs: it may run, and say nothing here.
Verdict quiet_kernel(const Scene& scene) {
    const Fetch* kernel = scene.kernel();
    const Fetch* last = scene.last_fetch();
    const bool busy =
        last != nullptr && (last->state == FetchState::receiving || last->state == FetchState::asked);
    if (kernel == nullptr || scene.stopped() || !scene.about.now || busy) {
        return std::nullopt;
    }
    return told("quiet-kernel", kernel->url,
                fmt::format("it was fetched whole at {:.1f} s, and may run without a word{}",
                            kernel->ended.value_or(kernel->latest), scene.notes()),
                fmt::format("let it speak: add console={} to the kernel's line, without quiet; "
                            "else look at the screen (--graphics vnc)",
                            scene.about.aarch64 ? "ttyAMA0" : "ttyS0"));
}

// What was not even loaded. "failed to start … Access Denied" is what a program came back with: iPXE's word
// for a server's 401 or 403.
Verdict secure_boot(const Scene& scene) {
    const auto& errors = scene.boot.firmware_errors;
    const auto denied = std::find_if(errors.begin(), errors.end(), [](const auto& line) {
        return line.find("Security Violation") != std::string::npos ||
               (line.find("failed to load") != std::string::npos &&
                line.find("Access Denied") != std::string::npos);
    });
    // Another entry that boots: what becomes of that is the question.
    const auto& fetches = scene.boot.fetches;
    const bool went_on = std::any_of(fetches.begin(), fetches.end(), [&](const Fetch& fetch) {
        return fetch.began > scene.boot.firmware_error_at && fetch.state == FetchState::done &&
               !is_probe(fetch);
    });
    if (denied == errors.end() || went_on) {
        return std::nullopt;
    }
    return told("secure-boot", "", *denied,
                "boot a loader that is signed by an enrolled key (a distribution's shim), or use --firmware "
                "uefi");
}

Verdict rom_never_ran(const Scene& scene) {
    const Boot& boot = scene.boot;
    if (!scene.about.ipxe || boot.ipxe) {
        return std::nullopt;
    }
    const std::string hint =
        scene.about.rom.empty()
            ? "vm-launch rom FILE shows what a ROM holds and where it runs"
            : fmt::format("`vm-launch rom {}` shows what it holds and where it runs", scene.about.rom);
    if (boot.firmware_client) {
        return told("firmware-pxe", "",
                    "its DHCP requests have the vendor class PXEClient and lack the user class iPXE: the ROM "
                    "never ran",
                    hint);
    }
    if (!boot.reached_or_passed(Stage::firmware) || boot.reached_or_passed(Stage::offer) ||
        !scene.stopped()) {
        return std::nullopt;
    }
    if (!boot.firmware_errors.empty()) {
        return told("rom-never-ran", "", "the firmware's log: " + boot.firmware_errors.back(), hint);
    }
    return told(
        "rom-never-ran", "",
        boot.rom_found
            ? fmt::format("the firmware initialised the ROM and did not start it: {}", boot.outcome_text)
            : fmt::format("the firmware came to \"{}\", and no text and no packet of iPXE was seen",
                          boot.outcome_text),
        hint);
}

}  // namespace vml::boot
