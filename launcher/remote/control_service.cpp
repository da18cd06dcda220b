#include "launcher/remote/control_service.h"

#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"
#include "launcher/remote/control_verbs.h"
#include "rom/variable_store.h"

namespace vml {

namespace {

using nlohmann::json;

Fault qmp_fault(std::string what, const qmp::Failure& failure) {
    return {std::move(what), failure.description, "is QEMU about to end?", ExitCode::failed};
}

// QEMU's own word for the guest's state, unless the guest only runs between two attempts to write to a disk.
std::string run_state_in(const qmp::Result& result, const std::string& pause) {
    const auto* value = std::get_if<json>(&result);
    const std::string state = value == nullptr ? "unknown" : value->value("status", "unknown");
    return state == "running" && !pause.empty() ? pause : state;
}

// The guest's firmware may have changed it meanwhile.
json secure_boot_in(const OwnedFd& nvram) {
    std::vector<std::uint8_t> bytes(rom::most_of_a_store);
    const ssize_t got = ::pread(nvram.get(), bytes.data(), bytes.size(), 0);
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    const auto store = rom::read_variable_store(Bytes{bytes});
    const auto* content = std::get_if<rom::VariableStore>(&store);
    return content == nullptr ? json() : json(content->secure_boot());
}

}  // namespace

ControlService::ControlService(Vm vm, json description, ToldFiles files, ConsoleViewers& viewers,
                               GuestAgent& agent)
    : vm_{std::move(vm)},
      description_(std::move(description)),  // braces would make a list of it
      nvram_{std::move(files.nvram)},
      screenshots_{std::move(files.screenshot), vm_.qmp},
      viewers_{viewers},
      agent_{agent} {}

void ControlService::listen(boost::asio::io_context& io, const std::vector<control::Folder>& folders,
                            const std::string& name, Log& log) {
    try {
        server_.emplace(io, folders, name, [this](const control::Request& request, const Exchange& exchange) {
            handle(request, exchange);
        });
    } catch (const Error& error) {
        const Fault& fault = error.faults().front();
        log.warning(fmt::format("{}; `vm-launch stop` and its like will not reach this VM", one_line(fault)));
    }
}

void ControlService::ended(int exit_code, const std::string& summary) {
    for (const Exchange& exchange : std::exchange(waiting_for_end_, {})) {
        exchange.answer({{"exit_code", exit_code}, {"summary", summary}});
    }
    resumed("the VM has ended");
    viewers_.close_all();
}

void ControlService::resumed(const std::string& why_not) {
    for (const Exchange& exchange : std::exchange(waiting_for_resume_, {})) {
        if (why_not.empty()) {
            exchange.answer(json::object());
        } else {
            exchange.refuse({"cannot let the guest go on", why_not, "", ExitCode::failed});
        }
    }
}

void ControlService::handle(const control::Request& request, const Exchange& exchange) {
    if (const ControlVerb* verb = find_verb(request.command)) {
        (this->*verb->serve)(request, exchange);
        return;
    }
    std::vector<std::string> names;
    for (const ControlVerb& verb : control_verbs()) {
        names.emplace_back(verb.name);
    }
    exchange.refuse({fmt::format("unknown command '{}'", request.command), "",
                     fmt::format("expected {}", listed(names)), ExitCode::failed});
}

// Answered by what vm-launch knows, so that it works also where QEMU hangs; for what an agent knows besides
// it waits a second at most.
void ControlService::status(const control::Request& /*request*/, const Exchange& exchange) {
    const VmSnapshot now = vm_.snapshot();
    json answer = description_;
    answer["phase"] = now.phase;
    answer["paused"] = now.pause.empty() ? json() : json(now.pause);
    answer["uptime"] = now.uptime;
    answer["stage"] = now.stage ? json(*now.stage) : json();
    answer["stage_detail"] = now.stage_detail;
    if (nvram_) {
        answer["secure_boot"] = secure_boot_in(nvram_);
    }
    answer["guest_agent"] = agent_.answers();
    add_leases(answer["nics"], now.leases);
    if (!agent_.answers()) {
        exchange.answer(answer);
        return;
    }
    agent_.ask_interfaces([answer, exchange](const json& interfaces) mutable {
        add_told_by_agent(answer["nics"], interfaces);
        exchange.answer(answer);
    });
}

void ControlService::health(const control::Request& /*request*/, const Exchange& exchange) {
    vm_.qmp({"query-status"}, [this, exchange](const qmp::Result& result) {
        if (const auto* failure = std::get_if<qmp::Failure>(&result)) {
            exchange.refuse(qmp_fault("QEMU does not answer", *failure));
            return;
        }
        const VmSnapshot now = vm_.snapshot();
        exchange.answer(
            {{"state", run_state_in(result, now.pause)}, {"phase", now.phase}, {"reached", now.reached}});
    });
}

void ControlService::stop(const control::Request& /*request*/, const Exchange& exchange) {
    waiting_for_end_.push_back(exchange);
    vm_.stop();
}

void ControlService::resume(const control::Request& /*request*/, const Exchange& exchange) {
    waiting_for_resume_.push_back(exchange);
    vm_.resume();
}

// NOLINTNEXTLINE(readability-make-member-function-const): a row of verbs takes one kind of function
void ControlService::reset(const control::Request& /*request*/, const Exchange& exchange) {
    vm_.reset();
    vm_.qmp({"system_reset"}, [exchange](const qmp::Result& result) {
        if (const auto* failure = std::get_if<qmp::Failure>(&result)) {
            exchange.refuse(qmp_fault("cannot reset the VM", *failure));
        } else {
            exchange.answer(json::object());
        }
    });
}

void ControlService::console(const control::Request& request, const Exchange& exchange) {
    viewers_.add(exchange, request.arguments.value("keyboard", false));
}

// NOLINTNEXTLINE(readability-make-member-function-const): as reset
void ControlService::events(const control::Request& /*request*/, const Exchange& exchange) {
    vm_.follow(exchange);
}

void ControlService::screenshot(const control::Request& /*request*/, const Exchange& exchange) {
    screenshots_.take(exchange);
}

void ControlService::exec(const control::Request& request, const Exchange& exchange) {
    const auto command = request.arguments.at("command").get<std::vector<std::string>>();
    if (command.empty() || command.front().empty()) {
        exchange.refuse(
            {"exec: name a command", "", "for example: vm-launch exec -- uname -a", ExitCode::exec_failed});
        return;
    }
    agent_.exec(command, [exchange](const GuestAgent::Result& result) {
        if (const auto* fault = std::get_if<Fault>(&result)) {
            exchange.refuse(*fault);
            return;
        }
        const auto& exit = std::get<GuestExit>(result);
        exchange.answer({{"exit_code", exit.code ? json(*exit.code) : json()},
                         {"signal", exit.signal ? json(*exit.signal) : json()},
                         {"output", exit.output},
                         {"errors", exit.errors},
                         {"truncated", exit.truncated}});
    });
}

}  // namespace vml
