#include "launcher/run/outcome.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <sys/wait.h>

#include "launcher/run/qemu_stderr.h"

namespace vml::supervise {

namespace {

std::string end_of_process(int wait_status) {
    if (WIFSIGNALED(wait_status)) {
        return fmt::format("killed by {}", signal_name(WTERMSIG(wait_status)));
    }
    return fmt::format("exit status {}", WEXITSTATUS(wait_status));
}

std::string why_of(const ChildEnded& end) {
    constexpr std::size_t most_words = 6;  // with the rest of what is told at the end: RunSummary
    const std::size_t left_out = end.last_words.size() - std::min(end.last_words.size(), most_words);
    std::string why = end_of_process(end.wait_status);
    for (std::size_t at = left_out; at < end.last_words.size(); ++at) {
        why += "\n        " + end.last_words[at];
    }
    return why;
}

constexpr int killed_by_seccomp = SIGSYS;

bool was_killed(const ChildEnded& end) {
    return WIFSIGNALED(end.wait_status) && WTERMSIG(end.wait_status) == SIGKILL;
}

Fault died(const Config& config, const State& state, const ChildEnded& end) {
    if (was_killed(end) && end.out_of_memory) {
        return {
            fmt::format("the kernel's out-of-memory killer ended {}", config.program),
            "the control group counts one kill more (oom_kill in memory.events): the guest and QEMU itself "
            "need "
            "more than its limit",
            "a smaller guest (--memory=max leaves QEMU its own need), or a higher limit of the "
            "container",
            ExitCode::qemu};
    }
    if (auto explained = explain_qemu_stderr(end.last_words, config.files)) {
        return *explained;
    }
    const bool early = state.phase < Phase::running;
    std::string hint =
        early ? "`vm-launch plan` shows what was asked of it" : "see QEMU's messages above, if any";
    if (was_killed(end)) {
        hint = "was it the host's out-of-memory killer? See dmesg; --memory makes the guest smaller";
    } else if (WIFSIGNALED(end.wait_status) && WTERMSIG(end.wait_status) == killed_by_seccomp) {
        hint = "QEMU's sandbox forbids something that your own QEMU arguments need";
    }
    return {fmt::format("{} {}", config.program, early ? "could not start" : "died"), why_of(end),
            std::move(hint), ExitCode::qemu};
}

Finish finished(ExitCode code, std::string summary) {
    return {static_cast<int>(code), std::nullopt, std::move(summary)};
}

Finish failed(Fault fault) {
    const int code = static_cast<int>(fault.code);
    return {code, std::move(fault), ""};
}

// The end when a stop was asked for by a signal.
Finish stopped(const State& state) {
    constexpr int shell_signal_base = 128;
    if (state.forced) {
        return {shell_signal_base + *state.stop_signal, std::nullopt,
                fmt::format("forced to stop after {}", state.stop_words)};
    }
    return finished(ExitCode::ok, fmt::format("stopped by {}", state.stop_words));
}

Finish by_shutdown_reason(const Config& config, const State& state, const ChildEnded& end) {
    const std::string& reason = *state.shutdown_reason;
    if (reason == "guest-shutdown") {
        if (!config.until.empty()) {
            return failed({fmt::format("the guest powered off before it came to {}", config.until),
                           state.seen_last, "the console has its last words", ExitCode::boot_timeout});
        }
        return finished(ExitCode::ok, "the guest powered off");
    }
    if (reason == "guest-reset") {  // with -no-reboot among the user's own arguments
        return finished(ExitCode::ok, "the guest rebooted, and QEMU was told not to");
    }
    if (reason == "guest-panic") {
        return failed({"the guest panicked", "QEMU's SHUTDOWN event says guest-panic",
                       "the serial console has the guest's own words", ExitCode::guest_panicked});
    }
    if (reason == "host-qmp-quit") {
        return finished(ExitCode::ok, "QEMU was told to quit");
    }
    if (reason == "host-signal") {
        return failed({fmt::format("{} was ended from outside", config.program),
                       "it got a signal that was not vm-launch's", "stop the VM through vm-launch",
                       ExitCode::qemu});
    }
    return failed({fmt::format("{} ended", config.program),
                   fmt::format("its reason: {}; {}", reason, why_of(end)), "", ExitCode::qemu});
}

}  // namespace

std::string signal_name(int number) {
    const char* name = ::sigabbrev_np(number);
    return name == nullptr ? fmt::format("signal {}", number) : fmt::format("SIG{}", name);
}

Finish outcome(const Config& config, const State& state, const ChildEnded& end) {
    if (state.fault) {
        return failed(*state.fault);
    }
    if (state.stop_signal) {
        return stopped(state);
    }
    if (state.until_reached) {
        return finished(ExitCode::ok, fmt::format("the guest came to {}{}", config.until,
                                                  state.forced ? "; it had to be forced to stop" : ""));
    }
    if (state.shutdown_reason) {
        return by_shutdown_reason(config, state, end);
    }
    return failed(died(config, state, end));
}

}  // namespace vml::supervise
