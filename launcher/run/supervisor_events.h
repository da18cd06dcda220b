// What happens to a running VM. Plain values.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "launcher/run/guest_power.h"
#include "launcher/run/supervisor_state.h"
#include "launcher/watch/boot_observer.h"

namespace vml::supervise {

struct QmpReady {};
struct CheckAnswered {
    std::size_t index = 0;
    std::optional<std::string> value;  // none: the property could not be read
};
struct PortForwards {};  // one more of Config::ports
struct ContinueRefused {
    std::string why;
};
struct BootOrderChanged {};  // QEMU has carried SendBootOrder out
struct BootOrderRefused {
    std::string why;
};
// After a reset: what the guest has done to its disks before.
struct WritesTold {
    bool wrote = false;
};
struct QemuEvent {
    std::string name;
    std::string reason;     // SHUTDOWN's reason, GUEST_PANICKED's action; else empty
    bool no_space = false;  // of BLOCK_IO_ERROR
};
struct StatusAnswered {
    std::string status;  // QEMU qapi/run-state.json, RunState
};
// The answer to AskPower.
struct PowerTold {
    GuestSigns signs;
};
struct ResumeAsked {};  // by `vm-launch resume`
struct ResumeRefused {
    std::string why;
};
struct ResetAsked {};  // by `vm-launch reset`
struct OsSeen {
    bool runs = false;   // a kernel was started, so that the power button means something
    bool up = false;     // and its system runs
    std::string last{};  // the latest sign of the boot
};
struct BootEnded {
    BootEnd end = BootEnd::dead_end;
    Fault verdict;  // of a boot that failed
};
// The answer to AskVerdict.
struct VerdictGiven {
    Fault verdict;
};
// Something was started that may have crashed: wait whether it gives a sign of life.
struct WaitForSilence {
    std::chrono::seconds time{static_cast<int>(BootObserver::silence_s)};
};
struct SignalReceived {
    int number = 0;  // SIGQUIT asks for the end at once
};
struct StopAsked {};  // by `vm-launch stop`
struct DeadlinePassed {
    Deadline deadline = Deadline::start;
};
struct QmpClosed {};
struct ChildEnded {
    int wait_status = 0;                  // as waitpid gives it
    std::vector<std::string> last_words;  // QEMU's last lines on standard error
    bool out_of_memory = false;           // the kernel killed in our control group meanwhile
};
using Event = std::variant<QmpReady, CheckAnswered, PortForwards, ContinueRefused, BootOrderChanged,
                           BootOrderRefused, WritesTold, QemuEvent, StatusAnswered, PowerTold, ResumeAsked,
                           ResumeRefused, ResetAsked, OsSeen, BootEnded, VerdictGiven, WaitForSilence,
                           SignalReceived, StopAsked, DeadlinePassed, QmpClosed, ChildEnded>;

}  // namespace vml::supervise
