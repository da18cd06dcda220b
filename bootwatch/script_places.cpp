#include "bootwatch/script_places.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ipxescript/urls.h"

namespace vml::boot {

namespace {

constexpr std::size_t most_places = 4;

// What the folder has of it, where that is what came.
std::string_view served_text(const Scene& scene, const Fetch& fetch) {
    const auto& all = scene.about.served;
    const auto same = std::find_if(all.begin(), all.end(), [&](const ServedScript& served) {
        return served.name == base_name(fetch.url) && served.text.size() == fetch.received &&
               served.text.starts_with(fetch.text);
    });
    return same == all.end() ? std::string_view{} : same->text;
}

KnownScript script_of(const Scene& scene, const Fetch& fetch) {
    const std::string_view served = served_text(scene, fetch);
    const std::string_view text = served.empty() ? std::string_view{fetch.text} : served;
    return {std::string{base_name(fetch.url)}, fetch.url, ipxescript::read_script(text),
            text.size() == fetch.received};
}

// Without packets: iPXE's console names what it runs.
void add_those_of_the_console(const Scene& scene, std::vector<KnownScript>& scripts) {
    for (const ServedScript& served : scene.about.served) {
        const bool ran = std::any_of(scene.boot.marks.begin(), scene.boot.marks.end(), [&](const Mark& mark) {
            return mark.stage == Stage::script && mark.detail == fmt::format("{} runs", served.name);
        });
        if (ran) {
            scripts.push_back({served.name, "", ipxescript::read_script(served.text), true});
        }
    }
}

// A part of a script that was not seen may hold the line as well.
std::string_view rest_of(const KnownScript& script) {
    return script.whole ? "" : " (or behind what was seen of it)";
}

std::string lines_text(const std::vector<int>& lines) {
    const std::vector<int> but_last{lines.begin(), std::prev(lines.end())};
    return but_last.empty() ? fmt::format("line {}", lines.back())
                            : fmt::format("line {} or {}", fmt::join(but_last, ", "), lines.back());
}

// The commands that fetch what `url` may be, each with the source that it fits.
template <typename Visit>
void for_each_source(const std::vector<KnownScript>& scripts, const Visit& visit) {
    for (const KnownScript& script : scripts) {
        for (const ipxescript::Line& line : script.script.lines) {
            for (const ipxescript::Command& command : line.commands) {
                for (const std::string& source : ipxescript::sources_of(command)) {
                    for (const std::string& full : ipxescript::resolved(source, script.url)) {
                        visit(Place{&script, line.number}, command, full);
                    }
                }
            }
        }
    }
}

std::string why_empty(const std::vector<std::string>& names) {
    const bool given = std::any_of(names.begin(), names.end(), ipxescript::is_given);
    std::vector<std::string> written;
    std::transform(names.begin(), names.end(), std::back_inserter(written),
                   [](const std::string& name) { return fmt::format("${{{}}}", name); });
    return fmt::format(fmt::runtime(given ? "{} is empty" : "nothing sets {}"), fmt::join(written, " or "));
}

bool are_set(const std::vector<KnownScript>& scripts, const std::string& variable) {
    return std::any_of(scripts.begin(), scripts.end(), [&](const KnownScript& script) {
        const std::vector<std::string> names = ipxescript::variables_set(script.script);
        return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
            return name == variable || ipxescript::has_variable(name);
        });
    });
}

}  // namespace

std::vector<KnownScript> known_scripts(const Scene& scene) {
    std::vector<KnownScript> scripts;
    for (const Fetch& fetch : scene.boot.fetches) {
        const bool known = std::any_of(scripts.begin(), scripts.end(),
                                       [&](const KnownScript& script) { return script.url == fetch.url; });
        if (!known && fetch.state == FetchState::done && fetch.content == Content::ipxe_script) {
            scripts.push_back(script_of(scene, fetch));
        }
    }
    if (!scene.about.wire) {
        add_those_of_the_console(scene, scripts);
    }
    return scripts;
}

std::vector<Place> places_of(const std::vector<KnownScript>& scripts, const Asks& is_it) {
    std::vector<Place> places;
    for (const KnownScript& script : scripts) {
        for (const ipxescript::Line& line : script.script.lines) {
            const bool here = std::any_of(line.commands.begin(), line.commands.end(),
                                          [&](const ipxescript::Command& command) {
                                              return !command.handled && is_it(script, command);
                                          });
            if (here) {
                places.push_back({&script, line.number});
            }
        }
    }
    return places;
}

std::string text_of(const std::vector<Place>& places) {
    if (places.empty() || places.size() > most_places) {
        return {};
    }
    std::string text;
    for (auto place = places.begin(); place != places.end();) {
        const KnownScript* script = place->script;
        std::vector<int> lines;
        for (; place != places.end() && place->script == script; ++place) {
            lines.push_back(place->line);
        }
        text += fmt::format("{}{}, {}{}", text.empty() ? "" : " or ", script->name, lines_text(lines),
                            rest_of(*script));
    }
    return text;
}

std::vector<Place> askers_of(const std::vector<KnownScript>& scripts, std::string_view url) {
    std::vector<Place> places;
    for_each_source(scripts, [&](const Place& place, const ipxescript::Command&, const std::string& source) {
        if (ipxescript::fits(source, url) && std::find(places.begin(), places.end(), place) == places.end()) {
            places.push_back(place);
        }
    });
    return places;
}

bool is_chained(const std::vector<KnownScript>& scripts, std::string_view url) {
    bool chained = false;
    for_each_source(
        scripts, [&](const Place&, const ipxescript::Command& command, const std::string& source) {
            const bool hands_over =
                command.name() == "chain" || command.name() == "imgexec" || command.name() == "boot";
            chained = chained || (hands_over && ipxescript::fits(source, url));
        });
    return chained;
}

std::string unset_in(const std::vector<KnownScript>& scripts, std::string_view url) {
    const bool empty_part = ipxescript::has_empty_part(url);
    const bool all_known =
        std::all_of(scripts.begin(), scripts.end(), [](const KnownScript& script) { return script.whole; });
    std::vector<Place> places;
    std::vector<std::string> names;
    for_each_source(scripts, [&](const Place& place, const ipxescript::Command&, const std::string& source) {
        for (std::string& name : ipxescript::empty_in(source, url)) {
            const bool may_be_set = ipxescript::is_given(name) || !all_known;
            if (are_set(scripts, name) || (may_be_set && !empty_part)) {
                continue;
            }
            places.push_back(place);
            names.push_back(std::move(name));
        }
    });
    places.erase(std::unique(places.begin(), places.end()), places.end());
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    const std::string place = text_of(places);
    return place.empty() ? std::string{} : fmt::format("{}: {}", place, why_empty(names));
}

}  // namespace vml::boot
