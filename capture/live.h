// Frames as they come, of all machines that boot on a link → what is news of each, as it happens. Pure; any
// bytes are welcome.
//
// A verdict is told once it is settled: the boot is over, because another one has begun; an operating system
// is heard; or nothing has come of the boot for so long that nothing is to be expected. A boot may go on all
// the same (somebody sits at a menu, a server is mended): then that is told, and in the end a verdict anew.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/mac.h"
#include "bootwatch/record.h"
#include "capture/machines.h"

namespace vml::capture {

struct News {
    enum class Kind {
        boot,       // a boot begins
        mark,       // a stage, or what is told in its context
        verdict,    // replaces whatever verdict on that boot was told before
        goes_on,    // the boot whose verdict was a failure
        gives_way,  // the machine is not watched any more, as others need its place
    };
    Kind kind = Kind::boot;
    Mac mac{};
    std::uint64_t boot = 1;  // of its machine: 1 for the first that was seen
    double when = 0;         // seconds since 1970
    double at = 0;           // seconds since the boot's first frame
    boot::Mark mark{};
    Fault verdict{};    // ExitCode::ok: nothing failed
    bool over = false;  // of a verdict: another boot of the machine has begun
};

// Where a machine is now.
struct MachineNow {
    Mac mac{};
    std::optional<std::uint16_t> arch{};
    std::vector<std::uint16_t> vlans{};
    boot::Address address{};  // that DHCP gave it; zero: none
    std::uint64_t boot = 1;
    double began = 0;  // seconds since 1970
    double latest = 0;
    std::optional<boot::Stage> stage{};
    std::string url{};  // of the latest fetch; empty: none
    std::uint64_t received = 0;
    std::optional<std::uint64_t> expected{};
    bool fetching = false;
    std::optional<Fault> verdict{};  // that stands; none: the boot is under way
};

class Live {
  public:
    static constexpr std::size_t most_machines = 1024;
    static constexpr std::size_t most_weight = std::size_t{256} << 20;  // bytes, of all records together

    // A DHCP client waits for 32 s at most between two questions (begins_another_boot), and whoever waits for
    // a server of files for less.
    static constexpr double silence_s = 40;
    // A machine that asks on and on gets nowhere any more.
    static constexpr double no_progress_s = 60;

    // Where `only` is given, only this machine is kept. `boots`: of those that are over, for found().
    explicit Live(std::optional<Mac> only, KeptBoots boots = {.most = 0, .weight = 0});

    // `at` in seconds since 1970.
    void frame(double at, Bytes captured);
    // Frames came that were not seen: of the boots that run no failure is certain any more.
    void frames_lost();
    // So late it is by now.
    void pass(double now);

    [[nodiscard]] std::vector<News> take_news() { return std::exchange(news_, {}); }
    // When pass() may have something to tell, if nothing comes before that.
    [[nodiscard]] std::optional<double> due() const;

    // In the order in which they were seen.
    [[nodiscard]] std::vector<MachineNow> machines();
    [[nodiscard]] Machines& all() { return machines_; }

  private:
    struct State {
        std::uint64_t boot = 1;
        double progress = 0;  // when the boot last came further
        std::size_t fetches = 0;
        std::uint64_t received = 0;   // of the latest one
        std::optional<Fault> told{};  // the latest verdict, also where the boot went on
        bool settled = false;         // and it stands
        double due = 0;
    };

    void take_happenings();
    void happened(Happening happening);
    void begins(Happening& happening, State& state);
    void shows(const Happening& happening, State& state);
    void look(Place& place, State& state, double now);
    void settle(const Mac& mac, State& state, double now, CapturedBoot boot, bool over);

    Machines machines_;
    std::map<Mac, State> states_;
    std::vector<News> news_;
    std::optional<double> unpassed_;  // the first frame since the last pass()
};

}  // namespace vml::capture
