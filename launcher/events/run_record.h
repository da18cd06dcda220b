// A run's events → the lines that tell them, and what who comes late is told first. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/events/event.h"

namespace vml::events {

// When an event happened.
struct Stamp {
    double t = 0;  // seconds since vm-launch began
    std::chrono::system_clock::time_point time{};
};

// In UTC: "2026-11-30T12:00:00.123Z".
[[nodiscard]] std::string rfc3339(std::chrono::system_clock::time_point time);

// One line with its newline, in ASCII: whatever a guest wrote, no terminal is commanded by it. One of more
// than longest_line bytes has no field of its own but "too_long". `number`: of the run's event; none: it is
// told to one reader alone.
[[nodiscard]] std::string line_of(const Event& event, const Stamp& stamp,
                                  std::optional<std::uint64_t> number);

// The same of what is no event of a run (docs/watch.md).
[[nodiscard]] std::string line_of(std::string_view name, const nlohmann::ordered_json& fields,
                                  const Stamp& stamp, std::optional<std::uint64_t> number);

inline constexpr std::size_t longest_line = std::size_t{32} << 10;  // bytes

// An event that counts, with its number in the run.
struct Told {
    Event event;
    Stamp stamp;
    std::uint64_t number = 0;
};
[[nodiscard]] inline std::string line_of(const Told& told) {
    return line_of(told.event, told.stamp, told.number);
}

class RunRecord {
  public:
    // What is to be told of it; nothing where too many of its kind came in this boot: the first of those is
    // told as a limit.
    [[nodiscard]] std::optional<Told> take(Event event, const Stamp& stamp);

    // What is so now, in the lines that told it: the run's begin, the boot that runs, the first proof of each
    // of its stages, its verdict unless a system ran after it.
    [[nodiscard]] std::string present() const;

    // The detail of the stage that was told last.
    [[nodiscard]] const std::string& stage_detail() const { return stage_detail_; }

    // Of one kind in one boot: dhcp, fetch, console and qemu, which guest, network and QEMU can repeat
    // without end.
    static constexpr std::uint64_t most_of_a_kind = 4000;

  private:
    void remember(const Told& told);

    std::uint64_t number_ = 0;
    std::map<Kind, std::uint64_t> counts_;  // in this boot
    std::vector<Told> begin_;               // one at most, as of the boot and the verdict
    std::vector<Told> boot_;
    std::vector<Told> stages_;
    std::vector<Told> verdict_;
    std::set<std::string> proved_;  // the stages of `stages_`
    std::string stage_detail_;
};

}  // namespace vml::events
