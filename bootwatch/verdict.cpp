#include "bootwatch/verdict.h"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

#include "bootwatch/hints.h"
#include "bootwatch/timeline.h"
#include "bootwatch/verdict_scene.h"

namespace vml::boot {

namespace {

using Rule = Verdict (*)(const Scene& scene);

// In the order in which a boot goes wrong: the first that applies is the verdict.
constexpr std::array while_it_booted{
    panic,          stub_failed,  secure_boot,      still_fetching, rom_never_ran, no_link,      no_offer,
    no_name_server, no_address,   no_server_in_url, unknown_name,   no_protocol,   nobody_there, no_file,
    no_fetch,       quiet_kernel, fetch_failed,     script_failed,  no_magic,      not_bootable};
// What the network lacked does not matter once a kernel runs.
constexpr std::array once_a_kernel_runs{panic};

Verdict first_of(const auto& rules, const Scene& scene) {
    for (const Rule rule : rules) {
        if (auto verdict = rule(scene)) {
            return verdict;
        }
    }
    return std::nullopt;
}

// It waits, for whatever it is.
Fault no_further(const Scene& scene) {
    const Boot& boot = scene.boot;
    const std::string why = seen_last(boot) + (boot.reached_or_passed(Stage::kernel) ? "" : scene.notes());
    if (boot.outcome == Outcome::silent) {
        return told("silent", boot.outcome_text, why,
                    "does it wait for somebody at its menu or prompt? The console has its last words; "
                    "--boot-timeout sets how long to wait");
    }
    return told("stalled", "", why, "the console may say more; --log-level debug shows everything");
}

// Two machines with one address can break anything that the network does.
Fault with_twin(Fault fault, const Boot& boot) {
    if (!boot.twins.empty()) {
        fault.why += (fault.why.empty() ? "" : "; ") + describe(boot.twins.front());
        fault.hint = fmt::format("{}; then: {}", twin_remedy, fault.hint);
    }
    return fault;
}

}  // namespace

std::string seen_last(const Boot& boot) {
    if (boot.marks.empty()) {
        return "nothing was seen";
    }
    const Mark& last = boot.marks.back();
    return fmt::format("seen last: {}: {}, at {:.1f} s", title_of(last.stage), last.detail, last.at);
}

Fault judge(const std::vector<Boot>& boots, const Circumstances& circumstances) {
    const Scene scene{boots.back(), circumstances};
    if (scene.boot.reached_or_passed(Stage::kernel)) {
        return first_of(once_a_kernel_runs, scene).value_or(no_further(scene));
    }
    return with_twin(first_of(while_it_booted, scene).value_or(no_further(scene)), scene.boot);
}

Fault judge_loop(const std::vector<Boot>& boots, unsigned count) {
    const auto ended =
        std::find_if(boots.rbegin(), boots.rend(), [](const Boot& boot) { return boot.ended.has_value(); });
    const Boot& last = ended == boots.rend() ? boots.back() : *ended;
    const bool kernel = std::any_of(last.fetches.begin(), last.fetches.end(), [](const Fetch& fetch) {
        return fetch.state == FetchState::done &&
               (fetch.content == Content::x86_kernel || fetch.content == Content::aarch64_kernel);
    });
    return told(
        "network-loop", "",
        fmt::format("{} boots in a row without an operating system that stayed up; the last one: {}", count,
                    seen_last(last)),
        kernel && !last.reached_or_passed(Stage::kernel)
            ? "the kernel resets the machine before it says a word: is its file whole, and is there memory "
              "enough?"
            : "an installer that should boot from disk next: --boot-once network, or `exit` in the iPXE "
              "script");
}

Fault judge_chain(const Boot& boot) {
    const auto program = std::find_if(boot.fetches.rbegin(), boot.fetches.rend(), [](const Fetch& fetch) {
        return fetch.state == FetchState::done && may_be_program(fetch);
    });
    return told("chain-loop", program == boot.fetches.rend() ? "the boot program" : program->url,
                fmt::format("it was fetched {} times in one boot, each time after a new DHCP address",
                            boot.chain_rounds),
                "let the DHCP server give a script to who is iPXE already (option 77 \"iPXE\"; dnsmasq: "
                "dhcp-match=set:ipxe,175 and dhcp-boot=tag:ipxe,boot.ipxe)");
}

}  // namespace vml::boot
