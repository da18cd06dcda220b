// Where in a boot's scripts the line may be that something was about. Pure.
//
// A script's text is known as far as it was seen on the wire without a gap, or where the same file lies in
// the folder that is served. A line is named only if it is certain, or one of few.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bootwatch/verdict_scene.h"
#include "ipxescript/script.h"

namespace vml::boot {

struct KnownScript {
    std::string name;  // "boot.ipxe"
    std::string url;   // empty: not seen on the wire
    ipxescript::Script script;
    bool whole = false;  // else its beginning is known alone
};

// Those of this boot, in order; one that came twice counts once.
[[nodiscard]] std::vector<KnownScript> known_scripts(const Scene& scene);

struct Place {
    const KnownScript* script = nullptr;
    int line = 0;
    bool operator==(const Place&) const = default;
};

using Asks = std::function<bool(const KnownScript& script, const ipxescript::Command& command)>;

// The lines with a command of which this is true, and whose failure would end the script.
[[nodiscard]] std::vector<Place> places_of(const std::vector<KnownScript>& scripts, const Asks& is_it);

// "boot.ipxe, line 3", "boot.ipxe, line 3 or 7"; empty where there is none, or too many to be of help.
[[nodiscard]] std::string text_of(const std::vector<Place>& places);

// The lines that may have asked for this URL.
[[nodiscard]] std::vector<Place> askers_of(const std::vector<KnownScript>& scripts, std::string_view url);

// Does one of them hand over to it?
[[nodiscard]] bool is_chained(const std::vector<KnownScript>& scripts, std::string_view url);

// The variables that may have been empty in it, as far as no script sets them: "boot.ipxe, line 3: nothing
// sets ${dir}". Empty where none was.
[[nodiscard]] std::string unset_in(const std::vector<KnownScript>& scripts, std::string_view url);

}  // namespace vml::boot
