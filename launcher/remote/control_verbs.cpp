#include "launcher/remote/control_verbs.h"

#include <algorithm>

#include "launcher/remote/control_client.h"
#include "launcher/remote/event_client.h"
#include "launcher/settings/values.h"

namespace vml {

namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr seconds answer_limit{5};
constexpr seconds picture_limit{30};
// vm-launch waits a second to see whether the guest really goes on.
constexpr seconds resume_limit{10};

json no_arguments(const CommandLine& /*command*/) {
    return json::object();
}

constexpr VerbWords words_on_status{
    "status",
    "[NAME] [--follow]",
    "text, json",
    "what a running VM is, how far its boot got, and what it may do, as the kernel tells it",
    "what the VM is, how far its boot got, and what QEMU and vm-launch may do, as the kernel shows it; "
    "`--format json`; with `--follow` then what happens, until the VM has ended",
    "0; 1: none runs",
    "status web --format json"};
constexpr VerbWords words_on_stop{
    "stop",
    "[NAME]",
    "",
    "stop a VM: the guest's power button, then by force; waits for the end",
    "the guest's power button, unless firmware or iPXE is known to have the machine "
    "([stop.md](stop.md)); "
    "forced after `--stop-timeout`; returns when the VM has ended, and tells its exit code",
    "0",
    "stop web"};
constexpr VerbWords words_on_reset{"reset",
                                   "[NAME]",
                                   "",
                                   "press a VM's reset button",
                                   "the reset button; a guest that was paused runs again",
                                   "0",
                                   "reset web"};
constexpr VerbWords words_on_resume{
    "resume",
    "[NAME]",
    "",
    "let a VM go on that is paused, for example by a full disk",
    "lets a guest go on that is paused, by a full disk for example; returns once it is seen to run",
    "0; 1: it does not, and why",
    "resume web"};
constexpr VerbWords words_on_screenshot{"screenshot",
                                        "[NAME] FILE.png",
                                        "",
                                        "a picture of a VM's screen (--graphics vnc)",
                                        "a picture of the screen; needs `--graphics vnc`",
                                        "0",
                                        "screenshot web screen.png"};
constexpr VerbWords words_on_events{
    "events",
    "[NAME]",
    "",
    "what happens to a VM, as it happens: one JSON object a line",
    "what is so now and then what happens, as it happens, until the VM has ended: one JSON object a line "
    "([events.md](events.md))",
    "0; 1: its vm-launch was killed",
    "events web"};
constexpr VerbWords words_on_exec{
    "exec",
    "[NAME] -- COMMAND…",
    "",
    "run a command in the guest by its agent, qemu-ga; its output and exit status",
    "runs a program in the guest through its QEMU guest agent",
    "the command's; 128+n when signal n killed it; 125 when it could not be run",
    "exec web -- uname -a"};
constexpr VerbWords words_on_console{
    "console",
    "[NAME]",
    "",
    "this terminal on a VM's serial console; Ctrl-] detaches",
    "this terminal on the serial console; Ctrl-] detaches; a pipe gets plain text, with `--console raw` "
    "every byte. Any number may watch, the first one writes; when it leaves, the next one does",
    "0",
    "console web"};
constexpr VerbWords words_on_health{
    "health",
    "[NAME]",
    "",
    "0 while QEMU answers and no error stopped the VM; with --health-stage, once its boot got there",
    "asks QEMU how the VM is",
    "0: QEMU answers and the guest runs (or is about to be started); with `--health-stage STAGE` "
    "(`HEALTH_STAGE`): and this boot reached the stage. Else 1, and why; 2: which VM or stage is meant is "
    "not clear",
    "health web --health-stage os"};

}  // namespace

const std::vector<ControlVerb>& control_verbs() {
    static const std::vector<ControlVerb> verbs{
        {words_on_status,
         &ControlService::status,
         answer_limit,
         no_arguments,
         nullptr,
         print_status,
         ExitCode::failed,
         control::longest_answer,
         {{"follow", "go on with what happens, as it happens, until the VM has ended",
           [](CommandLine& command, std::string_view value) { command.follow = parse_value<bool>(value); }}}},
        {words_on_stop, &ControlService::stop, std::nullopt, no_arguments, show_end},
        {words_on_reset, &ControlService::reset, answer_limit, no_arguments, show_nothing},
        {words_on_resume, &ControlService::resume, resume_limit, no_arguments, show_nothing},
        {words_on_console,
         &ControlService::console,
         answer_limit,
         no_arguments,
         nullptr,
         watch_console,
         ExitCode::failed,
         control::longest_answer,
         {{"console", "plain: text alone, on a terminal too; raw: every byte, also for a pipe"},
          {"console-raw", "the older name of --console raw"}}},
        {words_on_screenshot, &ControlService::screenshot, picture_limit, no_arguments, nullptr,
         take_screenshot},
        {words_on_health,
         &ControlService::health,
         answer_limit,
         no_arguments,
         show_health,
         nullptr,
         ExitCode::failed,
         control::longest_answer,
         {{"health-stage", "healthy is only what reached this stage of the boot"}}},
        {words_on_events, &ControlService::events, answer_limit, no_arguments, nullptr, print_events},
        {words_on_exec, &ControlService::exec, std::nullopt,
         [](const CommandLine& command) {
             return json{{"command", command.rest}};
         },
         show_exec, nullptr, ExitCode::exec_failed, control::longest_output},
    };
    return verbs;
}

const ControlVerb* find_verb(std::string_view name) {
    const auto& verbs = control_verbs();
    const auto found =
        std::find_if(verbs.begin(), verbs.end(), [&](const ControlVerb& verb) { return verb.name == name; });
    return found == verbs.end() ? nullptr : &*found;
}

}  // namespace vml
