#include "launcher/remote/control_client.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.h"
#include "base/output.h"
#include "launcher/console/console_client.h"
#include "launcher/remote/base64.h"
#include "launcher/remote/run_state.h"
#include "launcher/remote/status.h"

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

// The named VM, or the only one.
Address find_vm(const std::string& name) {
    const std::vector<Address> vms = control::reachable_vms();
    if (name.empty() && vms.size() == 1) {
        return vms.front();
    }
    const auto found =
        std::find_if(vms.begin(), vms.end(), [&](const Address& vm) { return vm.name == name; });
    if (!name.empty() && found != vms.end()) {
        return *found;
    }
    if (name.empty() && vms.size() > 1) {
        throw Error{{"several VMs are running: name one", "", names_of(vms), ExitCode::settings}};
    }
    throw no_such_vm(name, vms);
}

// The VM that the command line names.
Address named_vm(const CommandLine& command) {
    return find_vm(command.words.empty() ? "" : command.words.front());
}

json ask(Client& client, const ControlVerb& verb, const CommandLine& command) {
    return client.ask({std::string{verb.name}, verb.request(command)}, verb.limit);
}

json status_of(const Address& vm) {
    Client client{vm};
    return ask(client, *find_verb("status"), {});
}

bool contains(const json& list, const std::string& word) {
    return list.is_array() && std::find(list.begin(), list.end(), word) != list.end();
}

// A console on which nothing happens should not be a riddle.
void tell_pause(const Address& vm) {
    const std::string state = text_at(status_of(vm), "paused");
    if (!state.empty()) {
        write_out(stderr,
                  fmt::format("vm-launch: warning: {}; {}\n", why_not_running(state).value_or(state),
                              remedy_for(state)),
                  "cannot write to standard error");
    }
}

// What the VMs that can be reached tell of themselves (control.md, "status").
std::vector<json> told_by_vms() {
    std::vector<json> told;
    for (const Address& vm : control::reachable_vms()) {
        try {
            told.push_back(status_of(vm));
        } catch (const Error&) {
            continue;  // it ended meanwhile, or hangs: the kernel's view of it is shown all the same
        }
    }
    return told;
}

int ask_by(const ControlVerb& verb, const ReadResult& read) {
    if (verb.client != nullptr) {
        return verb.client(read);
    }
    const Address vm = named_vm(read.command);
    Client client{vm};
    const json answer = ask(client, verb, read.command);
    return verb.show({read, vm, client, answer});
}

}  // namespace

int ask_vm(const ReadResult& read) {
    const ControlVerb& verb = *find_verb(read.command.subcommand);
    try {
        return ask_by(verb, read);
    } catch (const Error& error) {
        std::vector<Fault> faults = error.faults();
        for (Fault& fault : faults) {
            fault.code = verb.failure == ExitCode::failed ? fault.code : verb.failure;
        }
        throw Error{std::move(faults)};
    }
}

int print_status(const ReadResult& read) {
    const CommandLine& command = read.command;
    std::vector<RunningStatus> vms = with_told(running_vms(), told_by_vms());
    if (!command.words.empty()) {
        std::erase_if(vms, [&](const RunningStatus& vm) { return vm.name != command.words.front(); });
    }
    if (vms.empty()) {
        throw no_such_vm(command.words.empty() ? "" : command.words.front(), {});
    }
    print(command.format == OutputFormat::json ? status_as_json(vms) : status_as_text(vms));
    return 0;
}

int show_end(const Dialogue& dialogue) {
    print(fmt::format("{}: {} (exit code {})\n", dialogue.vm.name, dialogue.answer.value("summary", ""),
                      dialogue.answer.value("exit_code", -1)));
    return 0;
}

int show_nothing(const Dialogue& /*dialogue*/) {
    return 0;
}

int watch_console(const ReadResult& read) {
    const Address vm = named_vm(read.command);
    tell_pause(vm);
    attach_console(Client{vm}, read.settings.console_raw);
    return 0;
}

int take_screenshot(const ReadResult& read) {
    const std::vector<std::string>& words = read.command.words;
    if (words.empty() || words.size() > 2) {
        throw Error{{"screenshot: name the file", "", "for example: vm-launch screenshot [NAME] screen.png",
                     ExitCode::settings}};
    }
    const std::string& path = words.back();
    const ControlVerb& verb = *find_verb(read.command.subcommand);
    Client client{find_vm(words.size() == 2 ? words.front() : "")};
    const json answer = ask(client, verb, read.command);
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
