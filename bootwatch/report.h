// The record of a run's boots as a document: JSON for programs, one page of HTML for people. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "bootwatch/record.h"

namespace vml::boot {

// What a report tells beside the boots.
struct ReportHead {
    // What took part, beside what each boot tells of itself (Boot::firmware, Boot::ipxe); "": unknown.
    struct Versions {
        std::string vm_launch;
        std::string qemu;    // with its package's version, where that is another
        std::string kernel;  // the host's, as uname -r has it
        std::string
            firmware_file;  // the UEFI code or the image that stands in the ROM's place; "": QEMU's own
        bool operator==(const Versions&) const = default;
    };
    std::string name;                       // the VM's
    std::string started;                    // UTC, ISO 8601; of the moment when the machine began to run
    std::string machine;                    // "q35"
    std::string firmware;                   // "legacy", "uefi"
    std::string accelerator;                // "kvm", "tcg"
    std::vector<std::string> boot_order{};  // device ids, the first boots first
    Versions versions{};
    std::string command{};  // how the VM was started, for a shell to read back, without secrets; "": unknown
    struct Nic {
        std::string id;
        std::string mac;
        std::string model;
        std::string network;  // "nat", "bridge br0", "direct eth1"
        std::string rom;      // the option ROM's file; empty: none
        bool watched = false;
        bool operator==(const Nic&) const = default;
    };
    std::vector<Nic> nics{};
    std::vector<std::string> helped{};  // what vm-launch itself did to the boot
    std::vector<std::string> served{};  // likewise, where the guest did fetch it from `own_url`
    std::string own_url{};              // what begins so vm-launch itself served; empty: it serves nothing
    std::vector<std::string> hints{};   // what the network makes every iPXE wait for, and how to mend it
    unsigned lost_frames = 0;
    double lasted = 0;  // seconds from the machine's start to the run's end
    int exit_code = 0;
    std::string summary{};         // the end in one line
    std::optional<Fault> fault{};  // the reason of an end that is none
};

// vm-launch itself served it: `own_url` is the report's.
[[nodiscard]] bool is_from_vm_launch(const Fetch& fetch, std::string_view own_url);

// However much was seen, a report is no larger than 4 MiB (weight.h), and tells what it leaves out.
inline constexpr std::size_t largest_report = std::size_t{4} << 20;

// docs/report-format.md describes it. Keys are only ever added; a change of meaning raises "version". No URL
// in it has a login (base/logins.h), whoever said it.
[[nodiscard]] nlohmann::ordered_json report_as_json(const ReportHead& head, std::vector<Boot> boots);

// A time as documents have it: in milliseconds at most.
[[nodiscard]] double rounded(double seconds);
// Its parts, as events have them too (launcher/events/event.h).
[[nodiscard]] nlohmann::ordered_json mark_as_json(const Mark& mark);
[[nodiscard]] nlohmann::ordered_json offer_as_json(const Offer& offer);
[[nodiscard]] nlohmann::ordered_json fetch_as_json(const Fetch& fetch);
[[nodiscard]] nlohmann::ordered_json fault_as_json(const std::optional<Fault>& fault);  // or null
// What a probe asked, and who answered: one of the report's objects.
[[nodiscard]] nlohmann::ordered_json probe_as_json(const Probe& probe);

// One page that needs nothing else: it can be opened from disk, printed and mailed. It has the JSON in it.
[[nodiscard]] std::string report_as_html(const ReportHead& head, std::vector<Boot> boots);

// The same of several, one after the other, under one title.
struct ReportedBoots {
    ReportHead head;
    std::vector<Boot> boots;
};
// What the page has for programs, where the boots of each report weigh no more than `share` (weight.h).
using PageDocument = std::function<nlohmann::ordered_json(std::size_t share)>;
[[nodiscard]] std::string reports_as_html(std::string_view title, std::vector<ReportedBoots> reports,
                                          const PageDocument& document);

}  // namespace vml::boot
