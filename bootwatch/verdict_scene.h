// One boot as verdicts look at it, and the rules, by layer. Pure.
//
// Each rule asks of itself which healthy boot shows the same evidence: docs/verdicts.md.
#pragma once

#include <optional>
#include <string>

#include "bootwatch/verdict.h"
#include "bootwatch/verdict_rows.h"

namespace vml::boot {

class Scene {
  public:
    Scene(const Boot& judged, const Circumstances& circumstances) : boot{judged}, about{circumstances} {}

    const Boot& boot;
    const Circumstances& about;

    [[nodiscard]] bool stopped() const { return boot.outcome != Outcome::none; }
    // What the firmware does after iPXE has given up is not what the user asked for.
    [[nodiscard]] bool is_late(double at) const { return boot.left_ipxe_at && at >= *boot.left_ipxe_at; }
    // It happened so recently that it may still go on.
    [[nodiscard]] bool is_recent(double at) const;

    // The talk that matters: of the latest boot program's, over whatever NIC, the one that came furthest.
    [[nodiscard]] const DhcpTalk* talk() const;
    // The network was used since: what became of DHCP does not matter any more (an address may be static, or
    // of DHCPv6).
    [[nodiscard]] bool is_past(const DhcpTalk& talk) const;
    // The file that an acknowledgement or a ProxyDHCP offer names, or a root path.
    [[nodiscard]] std::string named_file() const;

    [[nodiscard]] const Fetch* last_fetch() const;
    // The kernel that was fetched whole, if one was, and not refused since.
    [[nodiscard]] const Fetch* kernel() const;
    // Something that is neither a script nor the iPXE that runs was fetched whole before this: it may have
    // run, and asked for it.
    [[nodiscard]] bool asked_by_a_program(const Fetch& fetch) const;

    // The latest thing that iPXE complained of, in words.
    [[nodiscard]] std::string complaint() const;
    [[nodiscard]] std::string with_complaint(const std::string& why) const;
    // iPXE's last word for a script or program that failed, since the latest fetch began: the boot did not
    // handle its fault.
    [[nodiscard]] bool ipxe_gave_up() const;
    [[nodiscard]] bool has_complaint(bool (*is)(std::uint32_t)) const;

    // What iPXE's console says that it could not fetch: the latest.
    [[nodiscard]] std::string refused_url() const;

    // "; before that http://…: 404 Not Found": faults that the boot went past.
    [[nodiscard]] std::string notes() const;
};

// A line of the script that fetches nothing was what ended the boot.
[[nodiscard]] bool ended_by_script(const Scene& scene);

using Verdict = std::optional<Fault>;

// verdict_system.cpp
[[nodiscard]] Verdict panic(const Scene& scene);
[[nodiscard]] Verdict stub_failed(const Scene& scene);
[[nodiscard]] Verdict quiet_kernel(const Scene& scene);
[[nodiscard]] Verdict secure_boot(const Scene& scene);
[[nodiscard]] Verdict rom_never_ran(const Scene& scene);
// verdict_dhcp.cpp
[[nodiscard]] Verdict no_link(const Scene& scene);
[[nodiscard]] Verdict no_offer(const Scene& scene);
[[nodiscard]] Verdict no_address(const Scene& scene);
[[nodiscard]] Verdict no_file(const Scene& scene);
// Of a capture.
[[nodiscard]] Verdict address_alone(const Scene& scene);
// verdict_fetch.cpp
[[nodiscard]] Verdict still_fetching(const Scene& scene);
[[nodiscard]] Verdict nobody_there(const Scene& scene);
[[nodiscard]] Verdict unknown_name(const Scene& scene);
[[nodiscard]] Verdict no_protocol(const Scene& scene);
[[nodiscard]] Verdict no_fetch(const Scene& scene);
[[nodiscard]] Verdict fetch_failed(const Scene& scene);
// verdict_url.cpp: a URL in which a variable was empty.
[[nodiscard]] Verdict no_server_in_url(const Scene& scene);
// And one with a name that nobody can be asked for.
[[nodiscard]] Verdict no_name_server(const Scene& scene);
[[nodiscard]] Verdict empty_part(const Scene& scene, const std::string& url, const std::string& why);
// "; asked for by boot.ipxe, line 3"
[[nodiscard]] std::string asked_by(const Scene& scene, const Fetch& fetch);
// verdict_script.cpp
[[nodiscard]] Verdict script_failed(const Scene& scene);
// verdict_program.cpp
[[nodiscard]] Verdict no_magic(const Scene& scene);
[[nodiscard]] Verdict not_bootable(const Scene& scene);
// Without packets: what iPXE said of it.
[[nodiscard]] Verdict by_complaint(const Scene& scene);

}  // namespace vml::boot
