// Verdicts on the iPXE script itself: one of its own lines ended it.
#include <algorithm>

#include <fmt/format.h>

#include "bootwatch/ipxe_error.h"
#include "bootwatch/timeline.h"
#include "bootwatch/verdict_scene.h"

namespace vml::boot {

namespace {

// The latest that was fetched; without one it is built into iPXE.
std::string script_name(const Scene& scene) {
    const auto& fetches = scene.boot.fetches;
    const auto script = std::find_if(fetches.rbegin(), fetches.rend(), [](const Fetch& fetch) {
        return fetch.state == FetchState::done && fetch.content == Content::ipxe_script;
    });
    return script == fetches.rend() ? "the iPXE script"
                                    : fmt::format("the script {}", base_name(script->url));
}

// What a command said since the latest fetch.
std::string_view word_of(const Scene& scene) {
    const Fetch* fetch = scene.last_fetch();
    const bool later = fetch == nullptr || scene.boot.ipxe_word_at >= fetch->began;
    return later ? std::string_view{scene.boot.ipxe_word} : std::string_view{};
}

// iPXE's own line, and the number that it ended with.
std::string why_of(const Scene& scene) {
    const std::string_view word = word_of(scene);
    return word.empty() ? scene.complaint() : scene.with_complaint(fmt::format("iPXE says \"{}\"", word));
}

Fault told_of(const Scene& scene, ScriptFailure failure) {
    const std::string script = script_name(scene);
    const std::string why = why_of(scene);
    switch (failure) {
        case ScriptFailure::unknown_command:
            return told("unknown-command", script, why,
                        "is it spelt right? Builds of iPXE differ in their commands: Debian's BIOS ROMs have "
                        "neither imgverify nor ntp, and before Debian 13 no poweroff; `COMMAND ||` goes on "
                        "without it");
        case ScriptFailure::no_label:
            return told("no-label", script, why,
                        "a label is a line of its own that begins with a colon: `goto retry` needs `:retry`");
        case ScriptFailure::false_condition:
            return told("false-condition", script, why,
                        "an `iseq` or `isset` that is false ends the script, unless `||` follows: `iseq "
                        "${platform} efi || goto bios`");
        case ScriptFailure::wrong_usage:
            return told("wrong-usage", script, why,
                        "the console has the command's usage; is a variable of the script unset, so that a "
                        "word is missing?");
    }
    return told("stalled", "", why, "");
}

}  // namespace

Verdict script_failed(const Scene& scene) {
    const Boot& boot = scene.boot;
    if (!scene.stopped() || !boot.reached(Stage::script)) {
        return std::nullopt;
    }
    if (scene.ipxe_gave_up()) {
        const auto failure = script_failure(boot.complaints.back().number);
        return failure ? Verdict{told_of(scene, *failure)} : std::nullopt;
    }
    if (boot.complaints.empty() && word_of(scene) == "No image selected") {
        return told("nothing-loaded", script_name(scene), why_of(scene),
                    "a `kernel`, `initrd` or `imgfetch` line must come before `boot`");
    }
    return std::nullopt;
}

}  // namespace vml::boot
