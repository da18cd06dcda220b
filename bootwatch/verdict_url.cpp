// Verdicts on the URL that a script asked for, by its text.
#include <fmt/format.h>

#include "bootwatch/script_places.h"
#include "bootwatch/verdict_scene.h"
#include "ipxescript/urls.h"

namespace vml::boot {

// Healthy: a base URL that ends in a slash, and a server that does not mind: then nothing has failed.
Verdict empty_part(const Scene& scene, const std::string& url, const std::string& why) {
    const std::vector<KnownScript> scripts = known_scripts(scene);
    const std::string unset = unset_in(scripts, url);
    // A known line without such a variable was written so.
    const bool may_be_unset = ipxescript::has_empty_part(url) && askers_of(scripts, url).empty();
    if (unset.empty() && !may_be_unset) {
        return std::nullopt;
    }
    const std::string seen = scene.with_complaint(why);
    return told(
        "empty-part", url, unset.empty() ? seen : fmt::format("{}; {}", unset, seen),
        unset.empty()
            ? "is a variable of the script unset? `echo` it before that line; `isset ${NAME} || set NAME "
              "VALUE` "
              "gives it a value"
            : "is its name spelt right? `isset ${NAME} || set NAME VALUE` before that line gives it a value");
}

// "http:///k": iPXE asks DNS for a server without a name, or nobody.
Verdict no_server_in_url(const Scene& scene) {
    const std::string url = scene.refused_url();
    const std::size_t server = url.find("://");
    const bool none = server != std::string::npos && (url[server + 3] == '/' || url[server + 3] == ':');
    return none && scene.stopped() && scene.ipxe_gave_up() ? empty_part(scene, url, "it names no server")
                                                           : std::nullopt;
}

std::string asked_by(const Scene& scene, const Fetch& fetch) {
    if (scene.asked_by_a_program(fetch)) {
        return {};
    }
    const std::vector<KnownScript> scripts = known_scripts(scene);
    const std::string place = text_of(askers_of(scripts, fetch.url));
    return place.empty() ? std::string{} : fmt::format("; asked for by {}", place);
}

}  // namespace vml::boot
