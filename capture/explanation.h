// What is told of a capture: as text, as JSON, as one page, and by the exit code. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "capture/machines.h"

namespace vml::capture {

struct Explanation {
    std::string file;  // as the user named it
    std::string kind;  // "Ethernet": of its frames
    Counts counts;
    std::size_t other_hosts = 0;  // at least, where counts.more_hosts
    std::vector<FoundMachine> machines{};
    std::string damage{};   // why it ends before what it was to tell; empty: it does not
    std::string run_end{};  // how the run ended whose record it is, in its own words; empty: it is none
};

// With one machine that machine's last boot's, or, where its firmware went on to IPv6, or to IPv4, after a
// boot that failed, and was given nothing to boot there, that one's. It went on where the next boot began
// within 1 s of the last packet of the failed one, and of the wait for an answer to that; with several
// machines the first one's that failed, or 0; ExitCode::no_machine without one.
[[nodiscard]] int exit_code_of(const Explanation& explanation);

// Nothing where there is a machine. What the file has instead is in `why`.
[[nodiscard]] std::optional<Fault> no_machine_in(const Explanation& explanation);

[[nodiscard]] std::string as_text(const Explanation& explanation);
// docs/explain.md describes it.
[[nodiscard]] nlohmann::ordered_json as_json(const Explanation& explanation);
[[nodiscard]] std::string as_html(const Explanation& explanation);

}  // namespace vml::capture
