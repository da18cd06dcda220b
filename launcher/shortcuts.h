// When vm-launch may spare the guest's iPXE a wait, and what it has done. Pure: the event loop presses the
// key and sends the frame.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bootwatch/packet.h"
#include "bootwatch/record.h"
#include "bootwatch/timeline.h"

namespace vml {

struct ShortcutsConfig {
    bool press_key = false;  // at iPXE's "Press Ctrl-B"
    std::vector<std::string>
        advertise_to{};  // watched NICs, "net0", whose search for a router may be answered
};

class Shortcuts {
  public:
    Shortcuts(const ShortcutsConfig& config, const std::vector<boot::WatchedNic>& watched);

    // Is this what stands last on the console iPXE's prompt, where no key was pressed yet since iPXE started?
    [[nodiscard]] bool is_prompt(std::string_view partial) const;
    // Never once something was fetched: then a script may ask.
    [[nodiscard]] static bool may_press(const boot::Boot& boot);
    void line(std::string_view line);
    void reset();

    // Is this packet the guest's search for a router, which is to be answered `patience_s` later where
    // may_advertise allows it then? `nic` is an index into the watched ones.
    [[nodiscard]] bool is_search(std::size_t nic, const boot::Packet& packet);
    [[nodiscard]] bool may_advertise(std::size_t nic, const boot::Boot& boot) const;

    // They were carried out, at so many seconds; gives the line that tells it.
    std::string key_pressed(double at);
    std::string advertised(std::size_t nic, double at);

    // What was done, for the report.
    [[nodiscard]] const std::vector<std::string>& done() const { return done_; }
    // A search for a router was answered in this boot.
    [[nodiscard]] bool spared_router() const { return spared_router_; }

    // A router answers within half a second (RFC 4861, MAX_RA_DELAY_TIME), and goes first. iPXE waits for
    // DHCP meanwhile.
    static constexpr double patience_s = 0.6;

  private:
    struct Nic {
        std::string id;
        boot::Mac mac{};
        bool advertise = false;
        bool router_seen = false;  // a real one, at any time
    };

    std::string tell(std::string text);

    bool press_key_;
    bool pressed_ = false;  // since iPXE started
    bool spared_router_ = false;
    std::vector<Nic> nics_;
    std::vector<std::string> done_;
};

}  // namespace vml
