// Verdicts on the iPXE script itself: one of its own lines ended it.
#include <algorithm>

#include <fmt/format.h>

#include "bootwatch/ipxe_error.h"
#include "bootwatch/script_places.h"
#include "bootwatch/timeline.h"
#include "bootwatch/verdict_scene.h"

namespace vml::boot {

namespace {

using ipxescript::Command;

// What a command said since the latest fetch.
std::string_view word_of(const Scene& scene) {
    const Fetch* fetch = scene.last_fetch();
    const bool later = fetch == nullptr || scene.boot.ipxe_word_at >= fetch->began;
    return later ? std::string_view{scene.boot.ipxe_word} : std::string_view{};
}

// iPXE's own line, and the number that it ended with.
std::string words_of(const Scene& scene) {
    const std::string_view word = word_of(scene);
    return word.empty() ? scene.complaint() : scene.with_complaint(fmt::format("iPXE says \"{}\"", word));
}

// Who ran last: the script with the line, where that is one; else the latest that was fetched. Without any it
// is built into iPXE.
std::string subject_of(const std::vector<KnownScript>& scripts, const std::vector<Place>& places) {
    const bool one = !places.empty() && std::all_of(places.begin(), places.end(), [&](const Place& place) {
        return place.script == places.front().script;
    });
    return scripts.empty()
               ? "the iPXE script"
               : fmt::format("the script {}", one ? places.front().script->name : scripts.back().name);
}

// A command by its name, or one whose name is a variable where none has that name itself.
std::vector<Place> named(const std::vector<KnownScript>& scripts, std::string_view name) {
    auto places = places_of(
        scripts, [&](const KnownScript&, const Command& command) { return command.name() == name; });
    return !places.empty() ? places : places_of(scripts, [](const KnownScript&, const Command& command) {
        return ipxescript::has_variable(command.name());
    });
}

std::vector<Place> of_unknown_command(const Scene& scene, const std::vector<KnownScript>& scripts) {
    const std::string_view word = word_of(scene);
    return named(scripts, word.substr(0, word.find(": command not found")));
}

bool has_label(const KnownScript& script, std::string_view label) {
    const auto& lines = script.script.lines;
    return std::any_of(lines.begin(), lines.end(),
                       [&](const ipxescript::Line& line) { return line.label == label; });
}

std::vector<Place> of_missing_label(const Scene&, const std::vector<KnownScript>& scripts) {
    return places_of(scripts, [](const KnownScript& script, const Command& command) {
        return command.name() == "goto" && command.words.size() == 2 &&
               (ipxescript::has_variable(command.words[1]) || !has_label(script, command.words[1]));
    });
}

std::vector<Place> of_usage(const Scene& scene, const std::vector<KnownScript>& scripts) {
    const std::string& usage = scene.boot.ipxe_usage;
    std::string_view word = word_of(scene);
    word.remove_prefix(std::min(word.find('"'), word.size()));
    word = word.substr(std::min<std::size_t>(1, word.size()));
    word = word.substr(0, word.find('"'));
    if (usage.empty() && word.empty()) {
        return {};
    }
    return places_of(scripts, [&](const KnownScript&, const Command& command) {
        const bool has_word =
            word.empty() ||
            std::any_of(command.words.begin(), command.words.end(), [&](const std::string& own) {
                return own.find(word) != std::string::npos || ipxescript::has_variable(own);
            });
        return has_word && (usage.empty() || command.name() == usage);
    });
}

std::vector<Place> of_boot(const Scene&, const std::vector<KnownScript>& scripts) {
    return places_of(scripts, [](const KnownScript&, const Command& command) {
        return command.words.size() == 1 &&
               (command.name() == "boot" || command.name() == "imgexec" || command.name() == "imgload");
    });
}

std::vector<Place> of_iseq(const Scene&, const std::vector<KnownScript>& scripts) {
    return named(scripts, "iseq");
}
std::vector<Place> of_isset(const Scene&, const std::vector<KnownScript>& scripts) {
    return named(scripts, "isset");
}
std::vector<Place> of_imgverify(const Scene&, const std::vector<KnownScript>& scripts) {
    return named(scripts, "imgverify");
}

// The verdict that goes with a kind of failure, and where its line is looked for.
struct Kind {
    VerdictName verdict;
    std::vector<Place> (*places)(const Scene& scene, const std::vector<KnownScript>& scripts);
    const char* hint;
};

constexpr const char* condition_hint =
    "an `iseq` or `isset` that is false ends the script, unless `||` follows: `iseq ${platform} efi || goto "
    "bios`";

Kind kind_of(ScriptFailure failure) {
    switch (failure) {
        case ScriptFailure::unknown_command:
            return {"unknown-command", of_unknown_command,
                    "is it spelt right? Builds of iPXE differ in their commands: Debian's BIOS ROMs have "
                    "neither imgverify nor ntp, and before Debian 13 no poweroff; `COMMAND ||` goes on "
                    "without it"};
        case ScriptFailure::no_label:
            return {"no-label", of_missing_label,
                    "a label is a line of its own that begins with a colon: `goto retry` needs `:retry`"};
        case ScriptFailure::not_equal:
            return {"false-condition", of_iseq, condition_hint};
        case ScriptFailure::not_set:
            return {"false-condition", of_isset, condition_hint};
        case ScriptFailure::wrong_usage:
            break;
    }
    return {"wrong-usage", of_usage,
            "the console has the command's usage; is a variable of the script unset, so that a "
            "word is empty?"};
}

Fault told_of(const Scene& scene, const Kind& kind, const std::string& words) {
    const std::vector<KnownScript> scripts = known_scripts(scene);
    const std::vector<Place> places = kind.places(scene, scripts);
    const std::string place = text_of(places);
    return told(kind.verdict, subject_of(scripts, places),
                place.empty() ? words : fmt::format("{}: {}", place, words), kind.hint);
}

// iPXE src/hci/commands/image_trust_cmd.c: its last word before the script's own, with the same number.
bool refused_a_signature(const Boot& boot) {
    const auto& all = boot.complaints;
    return all.size() >= 2 && all[all.size() - 2].line.starts_with("Could not verify: ") &&
           all[all.size() - 2].number == all.back().number;
}

}  // namespace

Verdict script_failed(const Scene& scene) {
    const Boot& boot = scene.boot;
    if (!scene.stopped() || !boot.reached(Stage::script)) {
        return std::nullopt;
    }
    if (scene.ipxe_gave_up()) {
        if (refused_a_signature(boot)) {
            return told_of(
                scene,
                {"not-verified", of_imgverify,
                 "was the file signed after its last change, does this iPXE trust the signer's root "
                 "(TRUST= when it is built), and is the guest's clock within the certificate's time?"},
                words_of(scene));
        }
        const auto failure = script_failure(boot.complaints.back().number);
        return failure ? Verdict{told_of(scene, kind_of(*failure), words_of(scene) + scene.notes())}
                       : std::nullopt;
    }
    if (boot.complaints.empty() && word_of(scene) == "No image selected") {
        return told_of(
            scene,
            {"nothing-loaded", of_boot, "a `kernel`, `initrd` or `imgfetch` line must come before `boot`"},
            words_of(scene));
    }
    return std::nullopt;
}

}  // namespace vml::boot
