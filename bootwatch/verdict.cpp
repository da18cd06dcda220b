#include "bootwatch/verdict.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bootwatch/ipxe_error.h"
#include "bootwatch/timeline.h"

namespace vml::boot {

namespace {

using namespace std::string_view_literals;

std::string joined(const std::vector<std::string>& parts) {
    return fmt::format("{}", fmt::join(parts, "; "));
}

// Looks at one boot, rule by rule, in the order in which a boot goes wrong.
class Judge {
  public:
    Judge(const Boot& boot, const Circumstances& circumstances) : boot_{boot}, about_{circumstances} {}

    Fault judge() {
        using Rule = std::optional<Fault> (Judge::*)() const;
        constexpr std::array<Rule, 10> rules{&Judge::panic,         &Judge::stub_failed, &Judge::secure_boot,
                                             &Judge::rom_never_ran, &Judge::no_link,     &Judge::no_offer,
                                             &Judge::no_address,    &Judge::no_fetch,    &Judge::fetch_failed,
                                             &Judge::not_bootable};
        // What the network lacked does not matter once a kernel runs.
        const std::size_t count = boot_.reached_or_passed(Stage::kernel) ? 1 : rules.size();
        for (const Rule rule : std::span{rules}.first(count)) {
            if (auto fault = (this->*rule)()) {
                return *fault;
            }
        }
        return {"the boot went no further", seen_last(boot_),
                "the console may say more; --log-level debug shows everything", ExitCode::boot_timeout};
    }

  private:
    [[nodiscard]] bool stopped() const { return boot_.turn != Turn::none; }

    // What the firmware does after iPXE has given up is not what the user asked for.
    [[nodiscard]] bool is_late(double at) const { return boot_.left_ipxe_at && at > *boot_.left_ipxe_at; }

    // The talk that matters: of the latest boot program's, over whatever NIC, the one that came furthest.
    [[nodiscard]] const DhcpTalk* talk() const {
        const DhcpTalk* best = nullptr;
        const auto came = [](const DhcpTalk& t) { return t.ack ? 2 : t.offers.empty() ? 0 : 1; };
        for (const DhcpTalk& t : boot_.dhcp) {
            if (t.client == Client::other || is_late(t.began)) {
                continue;
            }
            if (best == nullptr || best->client != t.client || came(t) >= came(*best)) {
                best = &t;
            }
        }
        return best;
    }

    // The network was used since: what became of DHCP does not matter any more (an address may be static).
    [[nodiscard]] bool is_past(const DhcpTalk& talk) const {
        return last_fetch() != nullptr && last_fetch()->began > talk.began;
    }

    [[nodiscard]] const Fetch* last_fetch() const {
        const auto latest =
            std::find_if(boot_.fetches.rbegin(), boot_.fetches.rend(),
                         [&](const Fetch& fetch) { return !is_probe(fetch) && !is_late(fetch.began); });
        return latest == boot_.fetches.rend() ? nullptr : &*latest;
    }

    // The latest thing that iPXE complained of, in words.
    [[nodiscard]] std::string complaint() const {
        if (boot_.complaints.empty()) {
            return {};
        }
        const IpxeComplaint& last = boot_.complaints.back();
        return fmt::format("iPXE's error {:08x}: {}", last.number, explain_ipxe_error(last.number));
    }

    [[nodiscard]] std::string with_complaint(const std::string& why) const {
        const std::string words = complaint();
        return words.empty() ? why : why + "; " + words;
    }

    // What to look at on the way to the servers.
    [[nodiscard]] std::string path_hint() const {
        switch (about_.network) {
            case Network::nat:
                return "QEMU's own DHCP answers in nat mode: were QEMU's -netdev options changed?";
            case Network::bridge:
                return fmt::format(
                    "is the DHCP server behind a port of {}? `bridge link` shows its ports, "
                    "`vm-launch doctor` checks it; a firewall on the host may drop bridged frames",
                    about_.upper);
            case Network::direct:
                return fmt::format(
                    "is {} on the DHCP server's network? The host itself cannot serve its own macvtap "
                    "guests; a switch may allow one MAC address a port",
                    about_.upper);
        }
        return {};
    }

    [[nodiscard]] std::string surroundings() const {
        std::vector<std::string> parts = about_.looks;
        if (about_.wire && about_.network != Network::nat) {
            parts.push_back(
                boot_.other_frames == 0
                    ? "nothing at all came in over the guest's link"
                    : fmt::format("{} frames of others came in over the guest's link", boot_.other_frames));
        }
        return joined(parts);
    }

    // ---- the rules

    [[nodiscard]] std::optional<Fault> panic() const {
        if (boot_.turn != Turn::panic) {
            return std::nullopt;
        }
        const auto says = [&](std::string_view words) {
            return boot_.turn_words.find(words) != std::string::npos;
        };
        if (says("Unable to mount root fs") || says("No working init found")) {
            return Fault{"the kernel found no root file system", "kernel panic: " + boot_.turn_words,
                         root_hint(), ExitCode::guest_panicked};
        }
        if (says("memory")) {
            return Fault{"the kernel ran out of memory", "kernel panic: " + boot_.turn_words,
                         "give the guest more: --memory 2G", ExitCode::guest_panicked};
        }
        if (says("IO-APIC + timer")) {  // arch/x86/kernel/apic/io_apic.c, check_timer()
            return Fault{
                "the kernel's check of its timer failed", "kernel panic: " + boot_.turn_words,
                "on a busy host an emulated timer comes too late for it: start again, or add no_timer_check "
                "to the kernel's command line",
                ExitCode::guest_panicked};
        }
        return Fault{"the kernel panicked before an operating system ran",
                     "kernel panic: " + boot_.turn_words, "the serial console has the lines before it",
                     ExitCode::guest_panicked};
    }

    [[nodiscard]] std::string root_hint() const {
        const bool initramfs =
            std::any_of(boot_.fetches.begin(), boot_.fetches.end(), [](const Fetch& fetch) {
                return fetch.content == Content::archive && fetch.state == FetchState::done;
            });
        if (!initramfs && about_.wire) {
            return "no initramfs was fetched: add `initrd URL` to the script, or name the root device with "
                   "root=";
        }
        return about_.uefi
                   ? "an initramfs was fetched, and under UEFI iPXE hands it over only if the kernel's line "
                     "says "
                     "initrd=NAME"
                   : "is the initramfs whole, and compressed in a way that this kernel knows? Else name the "
                     "root device with root=";
    }

    [[nodiscard]] std::optional<Fault> secure_boot() const {
        const auto denied =
            std::find_if(boot_.firmware_errors.begin(), boot_.firmware_errors.end(), [](const auto& line) {
                return line.find("Access Denied") != std::string::npos ||
                       line.find("Security Violation") != std::string::npos;
            });
        if (denied == boot_.firmware_errors.end()) {
            return std::nullopt;
        }
        return Fault{
            "Secure Boot refused what was to be booted", *denied,
            "boot a loader that is signed by an enrolled key (a distribution's shim), or use --firmware uefi",
            ExitCode::not_bootable};
    }

    // Healthy: an EFI stub that warns, or tries one way after another, and goes on; that is a kernel then.
    [[nodiscard]] std::optional<Fault> stub_failed() const {
        if (boot_.stub_error.empty()) {
            return std::nullopt;
        }
        const bool file = boot_.stub_error.find("open file") != std::string::npos ||
                          boot_.stub_error.find("initrd") != std::string::npos;
        return Fault{"the kernel's EFI stub failed", boot_.stub_error,
                     file ? "the kernel's line and the script must name the initramfs alike: `kernel … "
                            "initrd=NAME` and `initrd --name NAME URL`"
                          : "the serial console has the lines before it",
                     ExitCode::not_bootable};
    }

    [[nodiscard]] std::optional<Fault> rom_never_ran() const {
        if (!about_.ipxe || boot_.ipxe || boot_.reached_or_passed(Stage::kernel)) {
            return std::nullopt;
        }
        const std::string hint =
            about_.rom.empty()
                ? "vm-launch rom FILE shows what a ROM holds and where it runs"
                : fmt::format("`vm-launch rom {}` shows what it holds and where it runs", about_.rom);
        if (boot_.firmware_client) {
            return Fault{"the firmware's own PXE client boots, not iPXE",
                         "its DHCP requests have the vendor class PXEClient and lack the user class iPXE: "
                         "the ROM never ran",
                         hint, ExitCode::rom_never_ran};
        }
        if (!boot_.reached_or_passed(Stage::firmware) || boot_.reached_or_passed(Stage::offer) ||
            !stopped()) {
            return std::nullopt;
        }
        if (!boot_.firmware_errors.empty()) {
            return Fault{"the iPXE ROM never ran", "the firmware's log: " + boot_.firmware_errors.back(),
                         hint, ExitCode::rom_never_ran};
        }
        return Fault{
            "the iPXE ROM never ran",
            boot_.rom_found
                ? fmt::format("the firmware initialised the ROM and did not start it: {}", boot_.turn_words)
                : fmt::format("the firmware came to \"{}\", and no text and no packet of iPXE was seen",
                              boot_.turn_words),
            hint, ExitCode::rom_never_ran};
    }

    [[nodiscard]] std::optional<Fault> no_link() const {
        if (!boot_.link_down || boot_.other_frames > 0 || boot_.reached_or_passed(Stage::offer) ||
            (talk() != nullptr && !talk()->offers.empty())) {
            return std::nullopt;
        }
        return Fault{"the NIC has no link", with_complaint("iPXE says that the link is down"), path_hint(),
                     ExitCode::no_offer};
    }

    [[nodiscard]] std::optional<Fault> no_offer() const {
        const DhcpTalk* dhcp = talk();
        if (dhcp == nullptr) {
            return no_discover();
        }
        if (!dhcp->offers.empty() || dhcp->ack || is_past(*dhcp)) {
            return std::nullopt;
        }
        std::string why = fmt::format(
            "{} sent {} DISCOVER{} over {} from {:.1f} s on, and no server answered", name_of(dhcp->client),
            dhcp->discovers, dhcp->discovers == 1 ? "" : "s", dhcp->nic, dhcp->began);
        if (const std::string around = surroundings(); !around.empty()) {
            why += "; " + around;
        }
        return Fault{"no DHCP server answered", why, path_hint(), ExitCode::no_offer};
    }

    // Without a view of the wire iPXE's own words have to do.
    [[nodiscard]] std::optional<Fault> no_discover() const {
        const bool says_so = std::any_of(boot_.complaints.begin(), boot_.complaints.end(),
                                         [](const IpxeComplaint& c) { return is_no_address(c.number); });
        if (!says_so || boot_.reached_or_passed(Stage::address)) {
            return std::nullopt;
        }
        return about_.wire
                   ? Fault{"the guest never asked for an address",
                           with_complaint("no DISCOVER was seen on its link"),
                           "does this iPXE know the NIC? --nic-model virtio or e1000", ExitCode::no_offer}
                   : Fault{"no DHCP server answered", complaint(), path_hint(), ExitCode::no_offer};
    }

    [[nodiscard]] std::optional<Fault> no_address() const {
        const DhcpTalk* dhcp = talk();
        if (dhcp == nullptr || dhcp->ack || is_past(*dhcp)) {
            return std::nullopt;
        }
        if (!dhcp->naks.empty()) {
            const Offer& nak = dhcp->naks.back();
            return Fault{"the DHCP server refused the request",
                         fmt::format("{} sent a NAK{}", to_string(nak.sender),
                                     nak.message.message.empty() ? "" : ": " + nak.message.message),
                         "look at that server's log and its pool of addresses", ExitCode::no_offer};
        }
        if (std::all_of(dhcp->offers.begin(), dhcp->offers.end(),
                        [](const Offer& offer) { return offer.proxy(); })) {
            return Fault{
                "no DHCP server offered an address",
                fmt::format("only a ProxyDHCP server answered: {}", to_string(dhcp->offers.front().sender)),
                "the network needs a DHCP server beside it", ExitCode::no_offer};
        }
        const Offer& offer = dhcp->offers.front();
        if (dhcp->declines > 0) {
            return Fault{"the guest declined the address that it was offered",
                         fmt::format("{} is in use already", to_string(offer.message.yours)),
                         "another machine has this address: look at the DHCP server's pool",
                         ExitCode::no_offer};
        }
        if (dhcp->requests == 0) {
            return Fault{
                "the guest took none of the offers",
                fmt::format("{} offered {}", to_string(offer.sender), to_string(offer.message.yours)),
                "does the offer lack what the client needs? The report lists its options",
                ExitCode::no_offer};
        }
        return Fault{"the DHCP server offered an address and never acknowledged it",
                     fmt::format("{} offered {}; {} requests went unanswered", to_string(offer.sender),
                                 to_string(offer.message.yours), dhcp->requests),
                     "look at that server's log", ExitCode::no_offer};
    }

    [[nodiscard]] std::optional<Fault> no_fetch() const {
        if (last_fetch() != nullptr || !boot_.reached_or_passed(Stage::address)) {
            return std::nullopt;
        }
        if (auto lookup = unknown_name()) {
            return lookup;
        }
        const DhcpTalk* dhcp = talk();
        const std::string file = named_file();
        if (dhcp != nullptr && file.empty()) {
            return Fault{
                "DHCP gave an address and named nothing to boot",
                with_complaint(fmt::format("{} acknowledged {} without a filename (option 67)",
                                           to_string(dhcp->ack->sender),
                                           to_string(dhcp->ack->message.yours))),
                about_.network == Network::nat
                    ? "give --netboot-dir DIR with a boot.ipxe in it, or --bootfile URL"
                    : "set the filename on the DHCP server (dnsmasq: dhcp-boot=boot.ipxe; ISC: filename "
                      "\"boot.ipxe\")",
                ExitCode::nothing_to_boot};
        }
        if (!stopped()) {
            return std::nullopt;
        }
        if (!about_.wire) {
            return by_complaint();
        }
        if (!boot_.unanswered.empty()) {
            return Fault{
                "the boot server does not answer",
                fmt::format("nobody answers for the address {} (ARP)", to_string(boot_.unanswered.back())),
                "is the server up, and is the next-server that DHCP names right?", ExitCode::fetch_failed};
        }
        return Fault{"nothing was fetched", with_complaint(fmt::format("DHCP named {}", file)),
                     "can iPXE reach that address? Its own words are on the console", ExitCode::fetch_failed};
    }

    // The file that an acknowledgement or a ProxyDHCP offer names.
    [[nodiscard]] std::string named_file() const {
        const DhcpTalk* dhcp = talk();
        if (dhcp == nullptr) {
            return {};
        }
        std::string file = dhcp->ack ? dhcp->ack->message.bootfile + dhcp->ack->message.root_path : "";
        for (const Offer& offer : dhcp->offers) {
            file = file.empty() ? offer.message.bootfile + offer.message.root_path : file;
        }
        return file;
    }

    // Without packets: what iPXE said of it.
    [[nodiscard]] std::optional<Fault> by_complaint() const {
        if (boot_.complaints.empty()) {
            return std::nullopt;
        }
        const std::uint32_t number = boot_.complaints.back().number;
        if (is_nothing_to_boot(number)) {
            return Fault{"DHCP gave an address and named nothing to boot", complaint(),
                         "set the filename on the DHCP server", ExitCode::nothing_to_boot};
        }
        return Fault{is_exec_format(number) ? "what was fetched could not be booted" : "fetching failed",
                     fmt::format("{} ({})", complaint(), boot_.complaints.back().line), "",
                     is_exec_format(number) ? ExitCode::not_bootable : ExitCode::fetch_failed};
    }

    [[nodiscard]] std::optional<Fault> unknown_name() const {
        const auto bad = std::find_if(boot_.lookups.rbegin(), boot_.lookups.rend(),
                                      [](const Lookup& lookup) { return !lookup.found; });
        if (bad == boot_.lookups.rend() || (last_fetch() != nullptr && last_fetch()->began > bad->at)) {
            return std::nullopt;
        }
        constexpr std::uint8_t no_such_name = 3;
        if (!bad->answered) {
            return Fault{fmt::format("the DNS server does not answer for {}", bad->name),
                         with_complaint("its name was asked for, and no answer came"),
                         "is the DNS server right that DHCP names (option 6)?", ExitCode::fetch_failed};
        }
        return Fault{
            fmt::format("DNS knows no {}", bad->name),
            with_complaint(bad->rcode == no_such_name ? "the DNS server says that there is no such name"
                                                      : fmt::format("the DNS server's answer has no address "
                                                                    "(code {})",
                                                                    bad->rcode)),
            "is the name in the script right, and does that DNS server know it?", ExitCode::fetch_failed};
    }

    [[nodiscard]] std::optional<Fault> fetch_failed() const {
        if (auto lookup = unknown_name()) {
            return lookup;
        }
        const Fetch* fetch = last_fetch();
        if (fetch == nullptr || boot_.reached_or_passed(Stage::kernel)) {
            return std::nullopt;
        }
        if (fetch->state == FetchState::done) {
            return sent_on(*fetch);
        }
        if (fetch->state == FetchState::asked && fetch->fault == FetchFault::none) {
            return Fault{fmt::format("cannot fetch {}", fetch->url),
                         with_complaint(fmt::format("{} does not answer; asked {} times",
                                                    to_string(fetch->server.address), fetch->repeats + 1)),
                         fetch->protocol == "tftp"
                             ? "does a TFTP server run there, and does a firewall let UDP port 69 and its "
                               "answers through?"
                             : "does a server run there, and does a firewall let it through?",
                         ExitCode::fetch_failed};
        }
        if (fetch->state == FetchState::receiving) {
            return Fault{
                fmt::format("fetching {} came to a halt", fetch->url),
                fmt::format("{}{} came, the last of it at {:.1f} s", size_text(fetch->received),
                            fetch->expected ? " of " + size_text(*fetch->expected) : "", fetch->latest),
                "is the server still up, and its network?", ExitCode::fetch_failed};
        }
        return Fault{fmt::format("cannot fetch {}", fetch->url), with_complaint(describe_failure(*fetch)),
                     fetch_hint(*fetch), ExitCode::fetch_failed};
    }

    // A redirection that nothing came after.
    [[nodiscard]] std::optional<Fault> sent_on(const Fetch& fetch) const {
        if (fetch.location.empty() || !stopped()) {
            return std::nullopt;
        }
        return Fault{
            fmt::format("{} was sent on to {}, which was never asked for", fetch.url, fetch.location),
            with_complaint(fetch.words),
            "name that URL in the script; https:// needs an iPXE that has TLS and trusts the server",
            ExitCode::fetch_failed};
    }

    static std::string describe_failure(const Fetch& fetch) {
        const std::string text = describe(fetch);
        return text.substr(std::min(text.size(), fetch.url.size() + ": "sv.size()));
    }

    static std::string fetch_hint(const Fetch& fetch) {
        const std::string server = to_string(fetch.server.address);
        switch (fetch.fault) {
            case FetchFault::not_found:
                return fmt::format(
                    "is the name right, upper and lower case too, and is the file in {}'s folder?", server);
            case FetchFault::access_denied:
                return fmt::format("may {}'s server read the file and its folders?", server);
            case FetchFault::refused:
                return fmt::format("start the {} server on {}, or name the right one", fetch.protocol,
                                   server);
            case FetchFault::server_error:
                return fmt::format("look at the log of the server on {}", server);
            case FetchFault::client_error:
                return "the server refuses this request: is the URL right, with its query and its user?";
            case FetchFault::truncated:
                return "the server, or a proxy on the way, ended the connection early: look at its log and "
                       "its limits";
            case FetchFault::tls_alert:
                return "does this iPXE trust the server's certificate, and share a TLS version and cipher "
                       "with it? http:// "
                       "works without";
            case FetchFault::given_up:
                return "the guest broke it off: its own words are on the console";
            default:
                return fmt::format("look at the log of the server on {}", server);
        }
    }

    [[nodiscard]] std::optional<Fault> not_bootable() const {
        const Fetch* fetch = last_fetch();
        if (boot_.reached_or_passed(Stage::kernel) || !stopped()) {
            return std::nullopt;
        }
        if (fetch == nullptr) {
            return by_complaint();
        }
        const bool refused = std::any_of(boot_.complaints.begin(), boot_.complaints.end(),
                                         [](const IpxeComplaint& c) { return is_exec_format(c.number); });
        if (auto foreign = foreign_program()) {
            return foreign;
        }
        if (boot_.turn == Turn::silent) {
            return Fault{fmt::format("{} was started, and nothing was heard since", suspect().url),
                         fmt::format("it is {}, {}: iPXE ran it as a boot program",
                                     boot::describe(suspect().content), size_text(suspect().received)),
                         program_hint(suspect()), ExitCode::not_bootable};
        }
        if (refused) {
            const Fetch& program = suspect();
            return Fault{fmt::format("{} cannot be booted", program.url),
                         with_complaint(fmt::format("it is {}", boot::describe(program.content))),
                         program_hint(program), ExitCode::not_bootable};
        }
        if (boot_.reached(Stage::script)) {
            return Fault{"the iPXE script ended without booting anything",
                         with_complaint(fmt::format("after {}, the firmware came to \"{}\"", fetch->url,
                                                    boot_.turn_words)),
                         "the script must end with boot, chain or sanboot", ExitCode::not_bootable};
        }
        return Fault{fmt::format("{} did not boot", fetch->url),
                     with_complaint(fmt::format("it is {}; then the firmware came to \"{}\"",
                                                boot::describe(fetch->content), boot_.turn_words)),
                     program_hint(*fetch), ExitCode::not_bootable};
    }

    // The fetch that iPXE refused: the first that is no script and no archive, else the last.
    [[nodiscard]] const Fetch& suspect() const {
        const auto odd = std::find_if(boot_.fetches.begin(), boot_.fetches.end(), [](const Fetch& fetch) {
            return !is_probe(fetch) && fetch.content != Content::ipxe_script &&
                   fetch.content != Content::archive;
        });
        return odd == boot_.fetches.end() ? boot_.fetches.back() : *odd;
    }

    [[nodiscard]] std::optional<Fault> foreign_program() const {
        const auto foreign =
            std::find_if(boot_.fetches.begin(), boot_.fetches.end(), [&](const Fetch& fetch) {
                return about_.aarch64
                           ? fetch.content == Content::x86_kernel || fetch.content == Content::efi_x86_64 ||
                                 fetch.content == Content::efi_i386
                           : fetch.content == Content::aarch64_kernel ||
                                 fetch.content == Content::efi_aarch64;
            });
        if (foreign == boot_.fetches.end()) {
            return std::nullopt;
        }
        const std::string_view machine = about_.aarch64 ? "aarch64" : "x86_64";
        return Fault{fmt::format("{} is for another machine", foreign->url),
                     with_complaint(fmt::format("it is {}, and the guest is {}",
                                                boot::describe(foreign->content), machine)),
                     fmt::format("serve a file for {}, or start the guest with --arch {}", machine,
                                 about_.aarch64 ? "x86_64" : "aarch64"),
                     ExitCode::not_bootable};
    }

    [[nodiscard]] std::string program_hint(const Fetch& program) const {
        switch (program.content) {
            case Content::html:
                return "the server sent a page instead of the file: look at the URL in a browser";
            case Content::efi_x86_64:
            case Content::efi_aarch64:
                return about_.uefi ? "" : "it is for UEFI: --firmware uefi";
            case Content::x86_kernel:
                return "is it whole, and not too old or too new for this iPXE?";
            default:
                return "serve an iPXE script (it begins with #!ipxe), a kernel, or a boot program for this "
                       "firmware";
        }
    }

    const Boot& boot_;
    const Circumstances& about_;
};

}  // namespace

std::string seen_last(const Boot& boot) {
    if (boot.marks.empty()) {
        return "nothing was seen";
    }
    const Mark& last = boot.marks.back();
    return fmt::format("seen last: {}: {}, at {:.1f} s", title_of(last.stage), last.detail, last.at);
}

Fault judge(const std::vector<Boot>& boots, const Circumstances& circumstances) {
    return Judge{boots.back(), circumstances}.judge();
}

Fault judge_loop(const std::vector<Boot>& boots, unsigned count) {
    const auto ended =
        std::find_if(boots.rbegin(), boots.rend(), [](const Boot& boot) { return boot.ended.has_value(); });
    const Boot& last = ended == boots.rend() ? boots.back() : *ended;
    return {"the guest boots from the network again and again",
            fmt::format("{} boots in a row without an operating system that stayed up; the last one: {}",
                        count, seen_last(last)),
            "an installer that should boot from disk next: --boot-once network, or `exit` in the iPXE script",
            ExitCode::reboot_loop};
}

}  // namespace vml::boot
