// The record of a boot, looked at again and again → what is new in it, as events. Stages are not among them:
// the timeline says which of those are news. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "bootwatch/record.h"
#include "launcher/events/event.h"

namespace vml::events {

class BootNews {
  public:
    // `boot` is the boot that runs, without its fetches; those of it are `fetches`. At most the latest 16 of
    // them are looked at: a boot program fetches one thing after another.
    [[nodiscard]] std::vector<Event> look(double at, const boot::Boot& boot,
                                          const std::vector<boot::Fetch>& fetches);
    // The same, and each fetch as it is, however short ago it was told.
    [[nodiscard]] std::vector<Event> last_look(double at, const boot::Boot& boot,
                                               const std::vector<boot::Fetch>& fetches);

    // Of a file that comes there is nothing to tell yet, and to look at each of its packets would cost more
    // than they do. Only for what is no DHCP.
    [[nodiscard]] bool can_wait(double at, const std::vector<boot::Fetch>& fetches) const;

    // The boot that runs: 1 for the first; 0 before it.
    [[nodiscard]] unsigned boot() const { return boot_; }

    static constexpr double progress_every_s = 0.5;
    static constexpr double longest_wait_s = 0.05;

  private:
    struct ToldFetch {
        double began = 0;
        std::string url{};
        boot::FetchState state = boot::FetchState::asked;
        std::uint64_t received = 0;
        double at = 0;      // when it was told
        bool over = false;  // that it came or failed was told before
    };
    // How much of a talk was told.
    struct ToldTalk {
        double began = 0;
        std::string nic{};
        unsigned discovers = 0;
        unsigned requests = 0;
        unsigned declines = 0;
        std::size_t offers = 0;
        std::size_t naks = 0;
        std::optional<double> own{};
        std::optional<double> ack{};
        unsigned boot_server_requests = 0;
        bool boot_server_answered = false;
    };
    struct ToldConsole {
        std::optional<std::string> ipxe{};
        std::uint64_t complaints = 0;
        std::uint64_t firmware_errors = 0;
        std::string loader_error{};
        std::string stub_error{};
        boot::Outcome outcome = boot::Outcome::none;
    };

    void begin(const boot::Boot& boot);
    void look_at_talk(double at, const boot::DhcpTalk& talk);
    void look_at_console(double at, const boot::Boot& boot);
    void look_at_fetch(double at, const boot::Fetch& fetch, bool last);
    [[nodiscard]] ToldFetch* told_of(const boot::Fetch& fetch);

    unsigned boot_ = 0;
    std::optional<double> began_;  // of the boot that runs
    double looked_at_ = 0;
    std::size_t looked_on_ = 0;  // so many fetches, of which the last one was receiving; 0: it was not
    std::deque<ToldFetch> fetches_;
    std::vector<ToldTalk> talks_;
    ToldConsole console_;
    std::vector<Event> news_;
};

}  // namespace vml::events
