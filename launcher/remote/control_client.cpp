#include "launcher/remote/control_client.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <map>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.h"
#include "base/log.h"
#include "base/output.h"
#include "base/text.h"
#include "control/folder.h"
#include "launcher/console/console_client.h"
#include "launcher/remote/base64.h"
#include "launcher/remote/event_client.h"
#include "launcher/remote/run_state.h"
#include "launcher/remote/shown_bytes.h"
#include "launcher/remote/told.h"

namespace vml {

namespace {

using control::Address;
using control::Client;
using nlohmann::json;

std::string names_of(const std::vector<Address>& vms) {
    std::vector<std::string> names;
    names.reserve(vms.size());
    for (const Address& vm : vms) {
        names.push_back(vm.name);
    }
    return fmt::format("{}", fmt::join(names, ", "));
}

Error no_such_vm(const std::string& name, const std::vector<Address>& vms) {
    return Error{{name.empty() ? "no running VMs" : fmt::format("no running VM named {}", name),
                  vms.empty() ? "" : fmt::format("running: {}", names_of(vms)),
                  "a container's VM is reached from inside: docker exec NAME vm-launch …", ExitCode::failed}};
}

// Another user's VM is only meant where it is named, or where there is none of one's own.
std::vector<Address> meant_without_name(const Question& question) {
    std::vector<Address> vms = control::running_in(question.folders);
    const uid_t own = question.folders.front().owner;
    const auto is_own = [&](const Address& vm) { return vm.folder.owner == own; };
    if (std::any_of(vms.begin(), vms.end(), is_own)) {
        std::erase_if(vms, [&](const Address& vm) { return !is_own(vm); });
    }
    return vms;
}

// The named VM, or the only one. One's own is the first of those of that name.
Address find_vm(const std::string& name, const Question& question) {
    const std::vector<Address> meant =
        name.empty() ? meant_without_name(question) : control::running_in(question.folders, name);
    if (meant.size() == 1 || (!name.empty() && !meant.empty())) {
        return meant.front();
    }
    if (!meant.empty()) {
        throw Error{{"several VMs are running: name one", "", names_of(meant), ExitCode::settings}};
    }
    throw no_such_vm(name, control::running_in(question.folders));
}

// With one user's VMs that do not answer, or not as they should: anybody can make a thousand of them.
class Patience {
  public:
    [[nodiscard]] bool is_out(uid_t user) const {
        const auto found = failures_.find(user);
        return found != failures_.end() && found->second >= most;
    }
    void failed(uid_t user) { ++failures_[user]; }

  private:
    static constexpr int most = 3;
    std::map<uid_t, int> failures_;
};

// What is for one VM names no more than that.
void refuse_more_words(const CommandLine& command) {
    if (command.words.size() > 1) {
        throw Error{{fmt::format("unexpected argument '{}'", visible(command.words[1])), "",
                     command.subcommand == "wait" ? "name one VM; the stage is said by --stage"
                     : command.subcommand == "exec"
                         ? "the command goes after --: vm-launch exec [NAME] -- COMMAND"
                         : "name one VM",
                     ExitCode::settings}};
    }
}

}  // namespace

Address named_vm(const Question& question) {
    const std::vector<std::string>& words = question.read.command.words;
    refuse_more_words(question.read.command);
    return find_vm(words.empty() ? "" : words.front(), question);
}

namespace {

json ask(Client& client, const ControlVerb& verb, const CommandLine& command) {
    return client.ask({std::string{verb.name}, verb.request(command)}, verb.limit, verb.longest);
}

Told status_of(const Address& vm) {
    Client client{vm};
    return {client.peer().pid, ask(client, *find_verb("status"), {})};
}

bool contains(const json& list, const std::string& word) {
    return list.is_array() && std::find(list.begin(), list.end(), word) != list.end();
}

// A console on which nothing happens should not be a riddle.
void tell_pause(const Address& vm, Log& log) {
    const std::string state = text_at(status_of(vm).words, "paused");
    if (!state.empty()) {
        log.warning(fmt::format("{}; {}", why_not_running(state).value_or(state), remedy_for(state)));
    }
}

std::string who_is(const Address& vm, const Question& question) {
    const uid_t owner = vm.folder.owner;
    return owner == question.folders.front().owner ? vm.name : fmt::format("{} of user {}", vm.name, owner);
}

// What it tells of itself, if that can be used; else a line on why not.
std::variant<Told, std::string> answer_of(const Address& vm) {
    try {
        Told told = status_of(vm);
        const std::string oddity = oddity_of(told.words);
        return oddity.empty() ? std::variant<Told, std::string>{std::move(told)}
                              : fmt::format("its answer makes no sense: {}", oddity);
    } catch (const Error& error) {
        return one_line(error.faults().front());
    }
}

// What the VMs that can be reached tell of themselves (control.md, "status"). One that ended meanwhile, hangs
// or lies costs a line: the kernel's view of it is shown all the same.
std::vector<Told> told_by_vms(const Question& question) {
    const std::vector<std::string>& words = question.read.command.words;
    Patience patience;
    std::vector<Told> told;
    for (const Address& vm : words.empty() ? control::running_in(question.folders)
                                           : control::running_in(question.folders, words.front())) {
        if (patience.is_out(vm.folder.owner)) {
            continue;
        }
        auto answer = answer_of(vm);
        if (const auto* why = std::get_if<std::string>(&answer)) {
            patience.failed(vm.folder.owner);
            write_out(stderr, fmt::format("vm-launch: warning: {}: {}\n", who_is(vm, question), *why),
                      "cannot write to standard error");
        } else {
            told.push_back(std::get<Told>(std::move(answer)));
        }
    }
    return told;
}

int ask_by(const ControlVerb& verb, const Question& question) {
    if (verb.client != nullptr) {
        return verb.client(question);
    }
    const Address vm = named_vm(question);
    Client client{vm};
    const json answer = ask(client, verb, question.read.command);
    return verb.show({question.read, vm, client, answer});
}

}  // namespace

int ask_vm(const ReadResult& read, std::string_view runtime_dir, bool colour) {
    const ControlVerb& verb = *find_verb(read.command.subcommand);
    try {
        return ask_by(verb, {read, control::folders_in_reach(runtime_dir), colour});
    } catch (const Error& error) {
        std::vector<Fault> faults = error.faults();
        for (Fault& fault : faults) {
            fault.code = verb.failure == ExitCode::failed ? fault.code : verb.failure;
        }
        throw Error{std::move(faults)};
    } catch (const json::exception& error) {
        throw Error{{"the VM's answer makes no sense", error.what(), "", verb.failure}};
    }
}

json status_words(const Address& vm) {
    return status_of(vm).words;
}

std::vector<RunningStatus> vms_with_told(const Question& question) {
    const std::vector<std::string>& words = question.read.command.words;
    std::vector<RunningStatus> vms = with_told(running_vms(), told_by_vms(question));
    if (!words.empty()) {
        std::erase_if(vms, [&](const RunningStatus& vm) { return vm.name != words.front(); });
    }
    return vms;
}

int print_status(const Question& question) {
    const CommandLine& command = question.read.command;
    refuse_more_words(command);
    if (command.follow) {
        (void)named_vm(question);  // one is followed
    }
    const std::vector<RunningStatus> vms = vms_with_told(question);
    if (vms.empty()) {
        throw no_such_vm(command.words.empty() ? "" : command.words.front(),
                         control::running_in(question.folders));
    }
    if (command.format != OutputFormat::json) {
        print(status_as_text(vms));
    } else if (!command.follow) {
        print(status_as_json(vms));
    }
    return command.follow ? follow_status(question) : 0;
}

int show_end(const Dialogue& dialogue) {
    print(fmt::format("{}: {} (exit code {})\n", dialogue.vm.name, dialogue.answer.value("summary", ""),
                      dialogue.answer.value("exit_code", -1)));
    return 0;
}

int show_nothing(const Dialogue& /*dialogue*/) {
    return 0;
}

int watch_console(const Question& question) {
    const ConsoleView view = console_view(question.read.settings, question.read.origins);
    if (view == ConsoleView::quiet && origin_of(question.read.origins, "console") == "--console") {
        throw Error{{"--console: console shows the console: quiet has no meaning here", "",
                     "auto, plain or raw", ExitCode::settings}};
    }
    const Address vm = named_vm(question);
    Log log{LogLevel::info, LogFormat::text, stderr_sink(), {}, question.colour};
    tell_pause(vm, log);
    attach_console(Client{vm}, console_bytes(view), log);
    return 0;
}

int take_screenshot(const Question& question) {
    const std::vector<std::string>& words = question.read.command.words;
    constexpr std::string_view usage = "for example: vm-launch screenshot [NAME] screen.png";
    if (words.size() > 2) {
        throw Error{{fmt::format("unexpected argument '{}'", visible(words[2])), "", std::string{usage},
                     ExitCode::settings}};
    }
    if (words.empty() || (words.size() == 1 && !control::running_in(question.folders, words[0]).empty())) {
        throw Error{{"screenshot: name the file", "", std::string{usage}, ExitCode::settings}};
    }
    const std::string& path = words.back();
    const ControlVerb& verb = *find_verb(question.read.command.subcommand);
    Client client{find_vm(words.size() == 2 ? words.front() : "", question)};
    const json answer = ask(client, verb, question.read.command);
    const std::string picture = client.read_bytes(answer.value("bytes", std::size_t{0}), *verb.limit);
    std::ofstream file{path, std::ios::binary | std::ios::trunc};
    file << picture << std::flush;
    if (!file) {
        throw Error{{fmt::format("cannot write {}", path), errno_text(errno), "", ExitCode::failed}};
    }
    return 0;
}

int show_health(const Dialogue& dialogue) {
    const json& health = dialogue.answer;
    const std::optional<std::string>& stage = dialogue.read.settings.health_stage;
    const std::string state = health.value("state", "unknown");
    const std::string what = fmt::format("{} is not healthy", dialogue.vm.name);
    const auto why = why_not_running(state);
    if (why && health.value("phase", "") != "starting") {
        throw Error{{what, *why, remedy_for(state), ExitCode::failed}};
    }
    if (stage && !contains(health.value("reached", json()), *stage)) {
        throw Error{{what, fmt::format("its boot has not reached '{}'", *stage), "", ExitCode::failed}};
    }
    print(fmt::format("{}: healthy ({})\n", dialogue.vm.name, state));
    return 0;
}

int show_exec(const Dialogue& dialogue) {
    constexpr int shell_signal_base = 128;
    constexpr std::string_view what = "cannot write what the command wrote";
    const json& exit = dialogue.answer;
    write_out(stdout, from_base64(exit.value("output", "")), what);
    write_out(stderr, from_base64(exit.value("errors", "")), what);
    return exit.at("exit_code").is_number() ? exit["exit_code"].get<int>()
                                            : shell_signal_base + exit.at("signal").get<int>();
}

}  // namespace vml
