// The boot as the launcher follows it: evidence → lines to show, the moment at which a run is over, and why.
// Pure: the event loop brings the evidence and the time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/pattern.h"
#include "bootwatch/progress.h"
#include "bootwatch/timeline.h"
#include "bootwatch/verdict.h"
#include "launcher/settings/settings.h"

namespace vml {

struct ObserverConfig {
    std::vector<boot::WatchedNic> nics;  // whose packets are seen
    boot::Circumstances about;
    std::optional<Until> until{};
    unsigned reboot_limit = 3;       // fruitless network boots in a row; 0: any number
    unsigned bootable_nics = 1;      // after the last of them has failed, no other boots from the network
    bool boots_network = true;       // `network` is in the boot order
    bool boots_other = false;        // and so is a disk or a CD-ROM
    bool other_first = false;        // which comes before the network,
    bool other_first_later = false;  // and does once an operating system has run
    // Does somebody sit at the console, who can type at a prompt? None: nobody does.
    std::function<bool()> attended{};
};

// What a boot has come to, for the supervisor to decide on.
enum class BootEnd {
    until_reached,
    dead_end,      // nothing more will happen
    fell_through,  // the network boot failed, and the firmware went on to a disk
    reboot_loop,
    chain_loop,  // the same within one boot: a loader that loads itself
};

// What one piece of evidence brought.
struct Observed {
    std::vector<boot::Mark> marks{};
    std::optional<BootEnd> end{};
    std::optional<std::string> warning{};   // of what does not belong in a healthy network
    std::optional<std::string> progress{};  // of a fetch that takes long
    // Something unknown was started, or a server does not answer: nothing at all for `silence_s` would be a
    // crash; this is what is left.
    bool wait_for_silence = false;
    double silence_in_s = 0;
    bool is_data = false;  // of a packet that is no DHCP
};

class BootObserver {
  public:
    explicit BootObserver(ObserverConfig config);

    // `at` is in seconds since the machine began to run.
    Observed started(double at) { return judged(timeline_.started(at)); }
    Observed packet(double at, std::size_t nic, const boot::Packet& packet);
    Observed line(double at, const std::string& line);
    Observed partial(double at, const std::string& line);
    Observed firmware_line(double at, const std::string& line) {
        return judged(timeline_.firmware_line(at, line));
    }
    Observed agent_answered(double at) { return judged(timeline_.agent_answered(at)); }
    // What vm-launch's own probe of the network has by now.
    void probed(const boot::Probe& probe) { timeline_.probed(probe); }
    Observed event(double at, std::string_view name) { return judged(timeline_.event(at, name)); }
    Observed reset(double at);
    // The wait for silence is over. `disk_requests`: how many all disks have had since the start. A sign of
    // life meanwhile, be it of the console, the network or a disk, asks for another wait.
    Observed silence(double at, std::uint64_t disk_requests = 0);

    // The furthest stage of the boot that runs.
    [[nodiscard]] std::optional<boot::Stage> stage() const { return timeline_.current_boot().stage(); }
    // By its own evidence, in this boot.
    [[nodiscard]] bool has_reached(boot::Stage stage) const {
        return timeline_.current_boot().reached(stage);
    }
    // The words of all stages that it reached, in order.
    [[nodiscard]] std::vector<std::string> reached() const;
    [[nodiscard]] const ObserverConfig& config() const { return config_; }
    [[nodiscard]] const std::vector<boot::Boot>& boots() { return timeline_.boots(); }
    [[nodiscard]] const boot::Boot& boot() { return timeline_.boot(); }
    // The same at no cost, without its fetches and lookups.
    [[nodiscard]] const boot::Boot& current_boot() const { return timeline_.current_boot(); }
    [[nodiscard]] const std::vector<boot::Fetch>& fetches() const { return timeline_.fetches(); }

    // Why the boot is where it is. `link_state`: what the bridge or the lower device looks like now. `now`:
    // the time was up at, where nothing else ended the boot.
    [[nodiscard]] Fault verdict(std::optional<BootEnd> end, std::vector<std::string> link_state,
                                std::optional<double> now = {});

    // A boot program that is alive shows it sooner than this, be it with a menu's countdown, also where it is
    // emulated on a busy host. Menus wait for 30 to 60 s.
    static constexpr double silence_s = 120;

  private:
    Observed judged(std::vector<boot::Mark> marks);
    Observed with_text(Observed observed, const std::string& line);
    [[nodiscard]] std::optional<BootEnd> end_of(const std::vector<boot::Mark>& marks);
    [[nodiscard]] std::optional<BootEnd> end_by_outcome();
    [[nodiscard]] bool loads_itself();
    [[nodiscard]] bool meant_to_leave();
    [[nodiscard]] bool is_attended() const { return config_.attended && config_.attended(); }

    ObserverConfig config_;
    boot::Timeline timeline_;
    boot::Progress progress_;
    std::optional<Pattern> pattern_;
    boot::Outcome told_ = boot::Outcome::none;  // the outcome that was reported already
    bool until_told_ = false;
    bool twin_told_ = false;
    bool chain_told_ = false;
    double sign_at_ = 0;            // the latest sign of life
    std::uint64_t marks_seen_ = 0;  // in this boot
    std::uint64_t disk_requests_ = 0;
};

}  // namespace vml
