#include "launcher/remote/control_commands.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "control/client.h"
#include "launcher/console/console_client.h"
#include "launcher/remote/base64.h"
#include "launcher/remote/run_state.h"

namespace vml {

namespace {

using control::Address;
using control::Client;
using nlohmann::json;
using std::chrono::seconds;

constexpr seconds answer_limit{5};
constexpr seconds picture_limit{30};
// vm-launch waits a second to see whether the guest really goes on.
constexpr seconds resume_limit{10};

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

std::string first_word(const CommandLine& command) {
    return command.words.empty() ? std::string{} : command.words.front();
}

Client client_of(const std::string& name) {
    return Client{find_vm(name)};
}

void write_out(std::FILE* stream, std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stream) != text.size() || std::fflush(stream) != 0) {
        throw Error{{"cannot write what the command wrote", errno_text(errno), "", ExitCode::exec_failed}};
    }
}

bool contains(const json& list, const std::string& word) {
    return list.is_array() && std::find(list.begin(), list.end(), word) != list.end();
}

// A console on which nothing happens should not be a riddle.
void tell_pause(const Address& vm) {
    const json status = Client{vm}.ask({"status"}, answer_limit);
    const auto paused = status.find("paused");
    if (paused != status.end() && paused->is_string()) {
        const auto state = paused->get<std::string>();
        write_out(stderr, fmt::format("vm-launch: warning: {}; {}\n", why_not_running(state).value_or(state),
                                      remedy_for(state)));
    }
}

}  // namespace

std::vector<json> told_by_vms() {
    std::vector<json> told;
    for (const Address& vm : control::reachable_vms()) {
        try {
            told.push_back(Client{vm}.ask({"status"}, answer_limit));
        } catch (const Error&) {
            continue;  // it ended meanwhile, or hangs: the kernel's view of it is shown all the same
        }
    }
    return told;
}

std::string stop_vm(const CommandLine& command) {
    const Address vm = find_vm(first_word(command));
    const json end = Client{vm}.ask({"stop"}, std::nullopt);
    return fmt::format("{}: {} (exit code {})\n", vm.name, end.value("summary", ""),
                       end.value("exit_code", -1));
}

void reset_vm(const CommandLine& command) {
    std::ignore = client_of(first_word(command)).ask({"reset"}, answer_limit);
}

void resume_vm(const CommandLine& command) {
    std::ignore = client_of(first_word(command)).ask({"resume"}, resume_limit);
}

void watch_console(const CommandLine& command, bool raw) {
    const Address vm = find_vm(first_word(command));
    tell_pause(vm);
    attach_console(Client{vm}, raw);
}

void take_screenshot(const CommandLine& command) {
    if (command.words.empty() || command.words.size() > 2) {
        throw Error{{"screenshot: name the file", "", "for example: vm-launch screenshot [NAME] screen.png",
                     ExitCode::settings}};
    }
    const std::string& path = command.words.back();
    Client client = client_of(command.words.size() == 2 ? command.words.front() : "");
    const json answer = client.ask({"screenshot"}, picture_limit);
    const std::string picture = client.read_bytes(answer.value("bytes", std::size_t{0}), picture_limit);
    std::ofstream file{path, std::ios::binary | std::ios::trunc};
    file << picture << std::flush;
    if (!file) {
        throw Error{{fmt::format("cannot write {}", path), errno_text(errno), "", ExitCode::failed}};
    }
}

std::string check_health(const CommandLine& command, const std::optional<std::string>& stage) {
    const Address vm = find_vm(first_word(command));
    const json health = Client{vm}.ask({"health"}, answer_limit);
    const std::string state = health.value("state", "unknown");
    const std::string what = fmt::format("{} is not healthy", vm.name);
    const auto why = why_not_running(state);
    if (why && health.value("phase", "") != "starting") {
        throw Error{{what, *why, remedy_for(state), ExitCode::failed}};
    }
    if (stage && !contains(health.value("reached", json()), *stage)) {
        throw Error{{what, fmt::format("its boot has not reached '{}'", *stage), "", ExitCode::failed}};
    }
    return fmt::format("{}: healthy ({})\n", vm.name, state);
}

int exec_in_guest(const CommandLine& command) {
    try {
        const json exit =
            client_of(first_word(command)).ask({"exec", {{"command", command.guest_command}}}, std::nullopt);
        write_out(stdout, from_base64(exit.value("output", "")));
        write_out(stderr, from_base64(exit.value("errors", "")));
        constexpr int shell_signal_base = 128;
        return exit.at("exit_code").is_number() ? exit["exit_code"].get<int>()
                                                : shell_signal_base + exit.at("signal").get<int>();
    } catch (const Error& error) {
        std::vector<Fault> faults = error.faults();
        for (Fault& fault : faults) {
            fault.code = ExitCode::exec_failed;
        }
        throw Error{std::move(faults)};
    }
}

}  // namespace vml
