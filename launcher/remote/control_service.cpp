#include "launcher/remote/control_service.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace vml {

namespace {

using nlohmann::json;

constexpr std::string_view commands = "status, health, stop, reset, resume, console, screenshot, exec";
// A picture of 8K by 8K pixels; QEMU, which writes it, is not to be believed blindly.
constexpr std::size_t largest_picture = std::size_t{48} << 20;

Fault qmp_fault(std::string what, const qmp::Failure& failure) {
    return {std::move(what), failure.description, "is QEMU about to end?", ExitCode::failed};
}

}  // namespace

ControlService::ControlService(Vm vm, json description, ScreenshotFile screenshot, ConsoleViewers& viewers,
                               GuestAgent& agent)
    : vm_{std::move(vm)},
      description_(std::move(description)),  // braces would make a list of it
      screenshot_{std::move(screenshot)},
      viewers_{viewers},
      agent_{agent} {}

void ControlService::listen(boost::asio::io_context& io, const control::Address& address) {
    server_.emplace(io, address, [this](const control::Request& request, const Exchange& exchange) {
        handle(request, exchange);
    });
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
    if (request.command == "status") {
        status(exchange);
    } else if (request.command == "health") {
        health(exchange);
    } else if (request.command == "stop") {
        stop(exchange);
    } else if (request.command == "reset") {
        reset(exchange);
    } else if (request.command == "resume") {
        resume(exchange);
    } else if (request.command == "console") {
        console(request, exchange);
    } else if (request.command == "screenshot") {
        screenshot(exchange);
    } else if (request.command == "exec") {
        exec(request, exchange);
    } else {
        exchange.refuse({fmt::format("unknown command '{}'", request.command), "",
                         fmt::format("expected {}", commands), ExitCode::failed});
    }
}

// QEMU's own word for the guest's state, unless the guest only runs between two attempts to write to a disk.
std::string ControlService::run_state_in(const qmp::Result& result) const {
    const auto* value = std::get_if<json>(&result);
    const std::string state = value == nullptr ? "unknown" : value->value("status", "unknown");
    const std::string pause = vm_.snapshot().pause;
    return state == "running" && !pause.empty() ? pause : state;
}

// Answered by what vm-launch knows, so that it works also where QEMU hangs.
void ControlService::status(const Exchange& exchange) {
    const VmSnapshot now = vm_.snapshot();
    json answer = description_;
    answer["phase"] = now.phase;
    answer["paused"] = now.pause.empty() ? json() : json(now.pause);
    answer["uptime"] = now.uptime;
    answer["stage"] = now.stage ? json(*now.stage) : json();
    answer["stage_detail"] = now.stage_detail;
    answer["guest_agent"] = agent_.answers();
    exchange.answer(answer);
}

void ControlService::health(const Exchange& exchange) {
    vm_.qmp({"query-status"}, [this, exchange](const qmp::Result& result) {
        if (const auto* failure = std::get_if<qmp::Failure>(&result)) {
            exchange.refuse(qmp_fault("QEMU does not answer", *failure));
            return;
        }
        const VmSnapshot now = vm_.snapshot();
        exchange.answer({{"state", run_state_in(result)}, {"phase", now.phase}, {"reached", now.reached}});
    });
}

void ControlService::stop(const Exchange& exchange) {
    waiting_for_end_.push_back(exchange);
    vm_.stop();
}

void ControlService::resume(const Exchange& exchange) {
    waiting_for_resume_.push_back(exchange);
    vm_.resume();
}

void ControlService::reset(const Exchange& exchange) const {
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

void ControlService::screenshot(const Exchange& exchange) {
    const std::string what = "cannot take a screenshot";
    if (!screenshot_) {
        exchange.refuse(
            {what, "the VM has no screen", "start it with --graphics vnc (GRAPHICS=vnc)", ExitCode::failed});
        return;
    }
    if (std::exchange(taking_screenshot_, true)) {
        exchange.refuse({what, "another one is being taken", "try again", ExitCode::failed});
        return;
    }
    // QEMU's descriptor has the same offset, and it does not empty the file by itself.
    std::ignore = ::ftruncate(screenshot_.writable.get(), 0);
    ::lseek(screenshot_.writable.get(), 0, SEEK_SET);
    vm_.qmp(
        {"screendump", {{"filename", fmt::format("/dev/fdset/{}", screenshot_.fdset)}, {"format", "png"}}},
        [this, exchange](const qmp::Result& result) {
            taking_screenshot_ = false;
            screen_dumped(exchange, result);
        });
}

void ControlService::screen_dumped(const Exchange& exchange, const qmp::Result& result) {
    if (const auto* failure = std::get_if<qmp::Failure>(&result)) {
        exchange.refuse(qmp_fault("cannot take a screenshot", *failure));
    } else {
        exchange.answer(json::object(), picture());
    }
}

std::string ControlService::picture() const {
    std::string bytes;
    std::array<char, 65536> chunk{};
    while (bytes.size() < largest_picture) {
        const ssize_t count =
            ::pread(screenshot_.readable.get(), chunk.data(), chunk.size(), static_cast<off_t>(bytes.size()));
        if (count <= 0) {
            break;
        }
        bytes.append(chunk.data(), static_cast<std::size_t>(count));
    }
    return bytes;
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
