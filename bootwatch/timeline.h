// Evidence, as it comes, → the record of a machine's boots, and what of it is news. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bootwatch/console_mark.h"
#include "bootwatch/packet.h"
#include "bootwatch/record.h"
#include "bootwatch/told.h"

namespace vml::boot {

// A NIC whose packets are seen.
struct WatchedNic {
    std::string id;  // "net0"
    Mac mac{};
};

// Whose packets they are.
enum class Subject {
    vm,        // vm-launch's own: what it was to boot from is known, and its console is heard
    captured,  // any machine's, whose packets are all that is known: they count as proof of more
};

class Timeline {
  public:
    // Without a NIC nothing is seen on the wire, and the console alone has to tell what was fetched.
    explicit Timeline(std::vector<WatchedNic> nics, Subject subject = Subject::vm)
        : nics_{std::move(nics)}, subject_{subject} {}

    // Each gives the marks that are new. `nic` is an index into the constructor's list.
    std::vector<Mark> packet(double at, std::size_t nic, const Packet& packet);
    std::vector<Mark> line(double at, std::string_view line);
    // What stands after the last whole line of the console; may be given again and again.
    std::vector<Mark> partial(double at, std::string_view line);
    // A line of SeaBIOS's own log (its debug port).
    std::vector<Mark> firmware_line(double at, std::string_view line);
    // QEMU runs the machine for the first time.
    std::vector<Mark> started(double at);
    // The guest agent answered.
    std::vector<Mark> agent_answered(double at);
    // What vm-launch's own probe of the network has by now, in place of what it had.
    void probed(Probe probe) { current().probe = std::move(probe); }
    // A QMP event, beside those that begin a boot.
    std::vector<Mark> event(double at, std::string_view name);
    // The machine was reset. One reboot is one to five resets: those before the firmware speaks again belong
    // together, and give nothing.
    std::vector<Mark> reset(double at);
    // So late it is, though nothing came: a loader's search is news once it is over.
    std::vector<Mark> passes(double at);
    // Nothing was seen or heard since `last_sign`, for so long that nothing is to be expected any more.
    void silence(double at, double last_sign);

    // Was one thing fetched that may have been started, and nothing since, so that silence would mean a
    // crash? Not where it has fetched something itself: then it lives. Or has a loader said that it cannot go
    // on, and the last that it asked for did not come, so that it waits for somebody to type? Or has a server
    // taken the latest request, and not answered it?
    [[nodiscard]] bool silence_would_end_it() const;

    // The oldest first; the last one is the one that runs.
    [[nodiscard]] const std::vector<Boot>& boots();
    [[nodiscard]] const Boot& boot() { return boots().back(); }
    // The same at no cost, without its fetches and lookups.
    [[nodiscard]] const Boot& current_boot() const { return boots_.back(); }
    // What the guest fetches in this boot, up to date at no cost.
    [[nodiscard]] const std::vector<Fetch>& fetches() const { return fetches_.all(); }

  private:
    Boot& current() { return boots_.back(); }
    void firmware_complains(double at, std::string_view line);
    void mark(Stage stage, double at, Proof proof, const std::string& detail, bool proves = true);
    void system_runs(double at, Proof proof, const std::string& detail);
    void mark_once(Stage stage, double at, Proof proof, const std::string& detail);
    void ended(Outcome outcome, double at, std::string_view words);
    std::vector<Mark> news();
    void tell(const Mark& mark, bool new_stage);

    void console(double at, const ConsoleMark& seen);
    void stub_said(double at, const ConsoleMark& seen);
    void firmware_boots(double at, const std::string& words);
    void client_failed(double at, std::string_view words);
    void fetch_refused(double at, const ConsoleMark& seen);
    void ipxe_said(double at, const ConsoleMark& seen);
    void ipxe_complained(double at, const ConsoleMark& seen);
    void dhcp(double at, std::size_t nic, bool from_guest, const Packet& packet, const DhcpMessage& message);
    void dhcp_from_guest(double at, std::size_t nic, const Packet& packet, const DhcpMessage& message);
    void dhcp_from_server(double at, std::size_t nic, const Packet& packet, const DhcpMessage& message);
    [[nodiscard]] DhcpTalk* talk_of(std::size_t nic);
    void dhcp6(double at, bool from_guest, const Packet& packet, const Dhcp6Message& message);
    void arp(double at, bool from_guest, const ArpMessage& message);
    void fetched(double at, std::size_t index);
    // A loader's search through names that are not there is told in one line once it is over
    // (timeline_search.cpp).
    [[nodiscard]] bool is_searched(double at, const Fetch& fetch);
    void show_search(const Fetch* found);
    void tell_search(const Fetch* found);

    std::vector<WatchedNic> nics_;
    Subject subject_;
    std::vector<Boot> boots_{Boot{}};
    Fetches fetches_;
    std::vector<Mark> news_;
    Told told_;                          // of this boot
    std::string cut_line_;               // the first half of a line that the console broke
    std::vector<Mark> search_;           // that is no news yet: what was said of each name
    std::vector<std::string> searched_;  // the names' URLs
    std::size_t shown_of_search_ = 0;    // marks at the end of the record
};

// "U-Boot.armv8": what U-Boot calls itself (CONFIG_BOOTP_VCI_STRING). It fetches scripts, lists and images
// itself.
[[nodiscard]] bool is_uboot(std::string_view vendor_class);

// Who sent this, as its classes tell.
[[nodiscard]] Client client_of(const DhcpMessage& message);

// Is this an HTTP request of a system that runs, after all that its boot asked for has come? An initial RAM
// disk asks for its system at once, and that is the boot's.
[[nodiscard]] bool is_asked_by_a_system(const std::vector<Fetch>& fetches, double at,
                                        const TcpSegment& request);

// "1 frame", "2 frames".
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view one);
// "8.1 MB", for people.
[[nodiscard]] std::string size_text(std::uint64_t bytes);
// "tftp://10.0.2.2/boot.ipxe: 135 bytes in 0.02 s (an iPXE script)"
[[nodiscard]] std::string describe(const Fetch& fetch);
// Likewise what came of it, without the URL and the time: "135 bytes (an iPXE script)".
[[nodiscard]] std::string describe_result(const Fetch& fetch);

}  // namespace vml::boot
