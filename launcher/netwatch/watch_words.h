// What a watch tells, as people and as programs read it (docs/watch.md). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/mac.h"
#include "capture/live.h"

namespace vml::netwatch {

// A line of a watch.
struct Telling {
    std::string name;  // of the event
    double when = 0;   // seconds since 1970
    nlohmann::ordered_json fields;
    std::string text;  // for people: whole lines, of which none commands a terminal
};

[[nodiscard]] Telling told_of(const capture::News& news);
// The watch begins. `only`: the machine that is watched alone.
[[nodiscard]] Telling watching(const std::string& link, const std::optional<Mac>& only, double when);
[[nodiscard]] Telling link_turned(const std::string& link, bool up, double when);
[[nodiscard]] Telling frames_lost(std::uint64_t count, double when);

// How the machines fared that are there now.
struct Tally {
    std::size_t machines = 0;
    std::size_t under_way = 0;
    std::size_t well = 0;    // nothing failed
    std::size_t failed = 0;  // or nobody knows
};
[[nodiscard]] Tally tally_of(const std::vector<capture::MachineNow>& machines);

struct Ending {
    std::string link;
    double lasted = 0;  // seconds
    Tally tally{};
    std::uint64_t frames = 0;
    std::uint64_t lost = 0;
    std::uint64_t gave_way = 0;
    std::string why{};  // "interrupted"
    int exit_code = 0;
};
[[nodiscard]] Telling ended(const Ending& ending, double when);

}  // namespace vml::netwatch
