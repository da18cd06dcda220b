// Verdicts on what was fetched and should have booted.
#include <algorithm>

#include <fmt/format.h>

#include "bootwatch/ipxe_error.h"
#include "bootwatch/script_places.h"
#include "bootwatch/timeline.h"
#include "bootwatch/verdict_scene.h"

namespace vml::boot {

namespace {

// What iPXE refused, or what was started last: the first that is no script, no archive and no picture, and
// not the iPXE that runs, else the last.
const Fetch& suspect(const Scene& scene) {
    const auto& fetches = scene.boot.fetches;
    const double since = took_over_at(scene.boot).value_or(0);
    const auto odd = std::find_if(fetches.begin(), fetches.end(), [&](const Fetch& fetch) {
        return fetch.began >= since && !is_probe(fetch) && fetch.state == FetchState::done &&
               fetch.content != Content::ipxe_script && fetch.content != Content::archive &&
               fetch.content != Content::picture;
    });
    return odd == fetches.end() ? fetches.back() : *odd;
}

// Under Secure Boot iPXE gets no other word than that from the firmware (LoadImage, "Access Denied") for a
// program that nobody signed.
bool may_lack_signature(const Scene& scene, const Fetch& program) {
    return scene.about.secure &&
           (program.content == Content::efi_x86_64 || program.content == Content::x86_kernel) &&
           scene.has_complaint(is_unknown_image);
}

std::string program_hint(const Scene& scene, const Fetch& program) {
    if (may_lack_signature(scene, program)) {
        return "boot a program that is signed by an enrolled key (a distribution's shim, and what it vouches "
               "for), or use --firmware uefi";
    }
    switch (program.content) {
        case Content::html:
            return "the server sent a page instead of the file: look at the URL in a browser";
        case Content::efi_x86_64:
        case Content::efi_aarch64:
            return scene.about.uefi ? "is it whole, and a program for this firmware?"
                                    : "it is for UEFI: --firmware uefi";
        case Content::x86_kernel:
            return "is it whole, and not too old or too new for this iPXE?";
        case Content::ipxe_script:
            return "iPXE's own words are on the console";
        default:
            return "serve an iPXE script (it begins with #!ipxe), a kernel, or a boot program for this "
                   "firmware";
    }
}

constexpr std::string_view fetched_by_ipxe = ", fetched by iPXE";

// Who asked for this file is known where one boot program alone has used the network so far, but for the
// firmware that fetched it.
std::string_view fetched_by(const Scene& scene, const Fetch& fetch) {
    const DhcpTalk* dhcp = scene.talk();
    const auto& talks = scene.boot.dhcp;
    const std::optional<double> taken_over = took_over_at(scene.boot);
    const double since = taken_over && fetch.began >= *taken_over ? *taken_over : 0;
    if (dhcp == nullptr || scene.asked_by_a_program(fetch) ||
        !std::all_of(talks.begin(), talks.end(), [&](const DhcpTalk& talk) {
            return talk.began < since || talk.client == dhcp->client;
        })) {
        return "";
    }
    return dhcp->client == Client::ipxe ? fetched_by_ipxe : ", fetched by the firmware";
}

std::string in_ascii(std::string_view text) {
    return bytes_of(text).text(0, text.size());
}

// Without any it is built into iPXE.
std::string latest_script(const Scene& scene) {
    const auto& fetches = scene.boot.fetches;
    const auto script = std::find_if(fetches.rbegin(), fetches.rend(), [](const Fetch& fetch) {
        return fetch.state == FetchState::done && fetch.content == Content::ipxe_script;
    });
    return script == fetches.rend() ? "the iPXE script"
                                    : fmt::format("the script {}", base_name(script->url));
}

Verdict foreign_program(const Scene& scene) {
    const bool aarch64 = scene.about.aarch64;
    const auto& fetches = scene.boot.fetches;
    const auto foreign = std::find_if(fetches.begin(), fetches.end(), [&](const Fetch& fetch) {
        return aarch64 ? fetch.content == Content::x86_kernel || fetch.content == Content::efi_x86_64 ||
                             fetch.content == Content::efi_i386
                       : fetch.content == Content::aarch64_kernel || fetch.content == Content::efi_aarch64;
    });
    if (foreign == fetches.end()) {
        return std::nullopt;
    }
    const std::string_view machine = aarch64 ? "aarch64" : "x86_64";
    return told("other-machine", foreign->url,
                scene.with_complaint(
                    fmt::format("it is {}, and the guest is {}", describe(foreign->content), machine)),
                fmt::format("serve a file for {}, or start the guest with --arch {}", machine,
                            aarch64 ? "x86_64" : "aarch64"));
}

Verdict ended_in_shell(const Scene& scene) {
    if (scene.boot.outcome != Outcome::shell) {
        return std::nullopt;
    }
    constexpr std::string_view waits = "it waits for commands, and nobody is there to type";
    if (scene.boot.outcome_text.starts_with("grub")) {
        return told(
            "shell", fmt::format("GRUB's prompt, \"{}\"", scene.boot.outcome_text),
            std::string{waits} + scene.notes(),
            "did GRUB find its grub.cfg, and does that name files that are there? GRUB's own words are on "
            "the console");
    }
    return told("shell", "iPXE's shell", scene.with_complaint(std::string{waits}) + scene.notes(),
                "let the script go on where something fails: `|| goto LABEL`, or end it with `exit`");
}

// By DHCP's word, or a script's.
bool was_to_run(const Scene& scene, const Fetch& fetch) {
    return base_name(scene.named_file()) == base_name(fetch.url) ||
           is_chained(known_scripts(scene), fetch.url);
}

}  // namespace

Verdict by_complaint(const Scene& scene) {
    if (scene.boot.complaints.empty()) {
        return std::nullopt;
    }
    const IpxeComplaint& last = scene.boot.complaints.back();
    if (is_nothing_to_boot(last.number)) {
        return told("no-file", "", scene.complaint(), "set the filename on the DHCP server");
    }
    const std::string why = fmt::format("{} ({})", scene.complaint(), last.line);
    return is_exec_format(last.number)
               ? told("refused", "", why, "serve an iPXE script, a kernel, or a program for this firmware")
               : told("fetching-failed", "", why, "iPXE's own words are on the console");
}

// What iPXE was to run is the first that is no script, no archive and no picture, and came last. Healthy: a
// text that goes into an initramfs, which comes beside a kernel; a loader's configuration.
Verdict no_magic(const Scene& scene) {
    const Fetch* fetch = scene.last_fetch();
    const Boot& boot = scene.boot;
    if (fetch == nullptr || fetch->content != Content::text || fetch->state != FetchState::done ||
        fetch->url != suspect(scene).url || fetched_by(scene, *fetch) != fetched_by_ipxe) {
        return std::nullopt;
    }
    const bool refused =
        scene.stopped() && scene.ipxe_gave_up() && is_unknown_image(boot.complaints.back().number);
    const bool runs = scene.about.now && !scene.stopped() && was_to_run(scene, *fetch);
    if (!refused && !runs && boot.outcome != Outcome::silent) {
        return std::nullopt;
    }
    const std::string_view line = std::string_view{fetch->text}.substr(0, fetch->text.find_first_of("\r\n"));
    constexpr std::size_t enough = 60;
    const bool mark = line.starts_with(byte_order_mark);
    return told("no-magic", fetch->url,
                scene.with_complaint(mark ? "before its first line stands a byte order mark"
                                          : fmt::format("its first line is \"{}\"{}",
                                                        in_ascii(line.substr(0, enough)),
                                                        refused ? "" : ", and iPXE started it as a program")),
                mark ? "save it as UTF-8 without a byte order mark: #!ipxe must be its very first bytes"
                     : "write #!ipxe into its first line");
}

namespace {

// It says itself that it cannot go on, and asked for nothing.
Verdict loader_failed(const Scene& scene, const Fetch& program) {
    const Boot& boot = scene.boot;
    if (boot.loader_error.empty() || program.state != FetchState::done || !may_be_program(program) ||
        boot.loader_error_at < program.ended.value_or(program.latest)) {
        return std::nullopt;
    }
    const bool syslinux = unended_words(boot.loader_error) > 0;
    return told("did-not-boot", program.url,
                scene.with_complaint(
                    fmt::format("it says \"{}\", and asked the network for nothing", boot.loader_error)),
                syslinux && boot.ipxe
                    ? "syslinux.efi needs the firmware's own UDP, which it does not get from iPXE: boot it "
                      "by the firmware's PXE (--no-ipxe --boot-order network), or let iPXE fetch the kernel"
                    : program_hint(scene, program));
}

// It was started, and nothing was heard of it.
Verdict silent_program(const Scene& scene) {
    const Fetch& program = suspect(scene);
    constexpr double own_words_s = 3;  // iPXE's "ok", and its last packets
    if (scene.boot.last_sign_at > program.ended.value_or(program.latest) + own_words_s) {
        return std::nullopt;  // it ran
    }
    return told("silent-program", program.url,
                fmt::format("it is {}, {}{}", describe(program.content), size_text(program.received),
                            fetched_by(scene, program)),
                program_hint(scene, program));
}

// iPXE does not take it.
Verdict refused_program(const Scene& scene) {
    const Fetch& program = suspect(scene);
    return told(
        "not-bootable", program.url,
        scene.with_complaint(fmt::format(
            "it is {}{}", program.received == 0 ? "empty" : describe(program.content),
            may_lack_signature(scene, program) ? ", and Secure Boot refuses one that no enrolled key signed"
                                               : "")),
        program_hint(scene, program));
}

}  // namespace

Verdict not_bootable(const Scene& scene) {
    const Boot& boot = scene.boot;
    const Fetch* fetch = scene.last_fetch();
    // It left for the disk because it was to (`exit`, LOCALBOOT): else the run would not have gone on until
    // the time was up.
    const bool left = boot.outcome == Outcome::disk && scene.about.now && !scene.ipxe_gave_up();
    if (!scene.stopped() || left) {
        return std::nullopt;
    }
    if (auto verdict = ended_in_shell(scene)) {
        return verdict;
    }
    if (fetch == nullptr) {
        return by_complaint(scene);
    }
    if (auto verdict = foreign_program(scene)) {
        return verdict;
    }
    if (boot.outcome == Outcome::silent) {
        return silent_program(scene);
    }
    if (auto verdict = loader_failed(scene, *fetch)) {
        return verdict;
    }
    if (scene.has_complaint(is_exec_format)) {
        return refused_program(scene);
    }
    if (boot.reached(Stage::script) && scene.ipxe_gave_up()) {
        return told(
            "script-failed", latest_script(scene),
            fmt::format("iPXE says \"{}\"", boot.complaints.back().line) + "; " + scene.complaint(),
            "the console has what the script's last line said before; `COMMAND || goto LABEL` handles it");
    }
    if (boot.reached(Stage::script)) {
        return told("script-ended", "",
                    scene.with_complaint(
                        fmt::format("after {}, the firmware came to \"{}\"", fetch->url, boot.outcome_text)) +
                        (fetch->state == FetchState::failed ? scene.notes() : ""),
                    "the script must end with boot, chain or sanboot");
    }
    const Fetch& program = suspect(scene);
    if (program.began < took_over_at(boot).value_or(0) || program.state != FetchState::done) {
        return by_complaint(scene);  // iPXE ran, and got nothing
    }
    return told("did-not-boot", program.url,
                scene.with_complaint(fmt::format("it is {}; then the firmware came to \"{}\"",
                                                 describe(program.content), boot.outcome_text)),
                program_hint(scene, program));
}

}  // namespace vml::boot
