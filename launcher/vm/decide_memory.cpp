#include <algorithm>

#include <fmt/format.h>

#include "launcher/vm/decide_parts.h"
#include "launcher/vm/memory_need.h"

namespace vml {

namespace {

constexpr std::uint64_t smallest_guest_mib = 16;  // as the setting's own least

std::string limit_words(const HostFacts& facts) {
    return facts.memory_limit_mib
               ? fmt::format("the control group's limit of {} MiB", *facts.memory_limit_mib)
               : fmt::format("this host's memory, {} MiB", facts.memory_mib);
}

// Huge pages, a file: nothing that the kernel would promise as it does other memory.
bool has_memory_of_its_own(const Settings& settings) {
    return std::any_of(settings.extra_args.begin(), settings.extra_args.end(), [](const std::string& word) {
        return word.find("mem-path") != std::string::npos || word.find("memory-backend") != std::string::npos;
    });
}

}  // namespace

MemoryChoice decide_memory(const DecideInput& in, Accelerator accelerator, std::uint64_t cpus,
                           Findings& findings) {
    const std::uint64_t whole = in.facts.memory_mib;
    MemoryChoice choice;
    MemoryNeed need{cpus, 0};
    if (accelerator == Accelerator::tcg) {
        need.translation_mib = translation_buffer_mib(whole);
        if (in.facts.memory_limit_mib) {  // QEMU sees the host's memory, not the limit
            choice.translation_mib = need.translation_mib;
        }
    }
    const std::uint64_t room = largest_guest_mib(need, whole);
    const Amount& wanted = in.settings.memory_mib;
    if (wanted.share) {
        choice.guest_mib = std::min(*wanted.share == Share::half ? whole / 2 : whole, room);
        if (choice.guest_mib < smallest_guest_mib) {
            findings.host_fault(fmt::format("{}: there is no room for a guest", in.origin("memory")),
                                fmt::format("QEMU itself needs about {} MiB of {}", own_need_mib(need, 0),
                                            limit_words(in.facts)),
                                "raise the limit");
        }
        return choice;
    }
    choice.guest_mib = *wanted.number;
    if (in.facts.memory_error != 0 && !has_memory_of_its_own(in.settings)) {
        const bool less_helps = room >= smallest_guest_mib && room < choice.guest_mib;
        findings.host_fault(
            fmt::format("{}: the kernel does not promise {} MiB to a guest", in.origin("memory"),
                        choice.guest_mib),
            fmt::format("{} ({})", errno_text(in.facts.memory_error), limit_words(in.facts)),
            (less_helps ? fmt::format("--memory=max is {} MiB here; what", room)
                        : std::string{"ask for less: what"}) +
                " is promised is also bounded by `ulimit -v` and `sysctl vm.overcommit_memory`");
    }
    if (whole != 0 && choice.guest_mib > room) {
        const std::string best = room < smallest_guest_mib ? "QEMU alone has no room in it"
                                                           : fmt::format("--memory=max is {} MiB here", room);
        findings.note(
            fmt::format("{}: a guest of {} MiB and QEMU's own need, about {} MiB, are more than {}: the "
                        "kernel will kill QEMU once "
                        "the guest uses it all ({})",
                        in.origin("memory"), choice.guest_mib, own_need_mib(need, choice.guest_mib),
                        limit_words(in.facts), best));
    }
    return choice;
}

}  // namespace vml
