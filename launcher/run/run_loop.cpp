#include "launcher/run/run_loop.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "base/json.h"
#include "base/overloaded.h"
#include "launcher/broadcast/broadcast.h"
#include "launcher/console/qemu_output.h"
#include "launcher/console/screen_log.h"
#include "launcher/events/event.h"
#include "launcher/process/lock_down.h"
#include "launcher/remote/control_service.h"
#include "launcher/run/children.h"
#include "launcher/run/guest_ports.h"
#include "launcher/run/netboot_server.h"
#include "launcher/run/port_watches.h"
#include "launcher/run/qemu_link.h"
#include "launcher/run/record_file.h"
#include "launcher/run/run_report.h"
#include "launcher/run/run_status.h"
#include "launcher/run/signals.h"
#include "launcher/run/supervision.h"
#include "launcher/run/told_state.h"
#include "launcher/watch/boot_watch.h"
#include "launcher/watch/link_state.h"

namespace vml {

namespace {

// What is only held while the VM runs.
struct Held {
    std::unique_ptr<HostLinks> links;
    VmFiles& files;
    std::vector<std::filesystem::path> reports;
    boot::ReportHead head;
    bool quiet = false;  // the guest's own words stay out of what is told
    std::optional<NetbootServer> netboot;
};

// The parts of a run: none knows another. What they call here is guarded; what they throw ends at the loop.
class RunLoop {
  public:
    RunLoop(const Plan& plan, RunningVm vm, VmFiles& files, const RunOptions& options, RunInputs inputs);

    int run();

  private:
    Signals::Handlers signal_handlers();
    Children::Handlers child_handlers();
    GuestPorts::Handlers guest_handlers();
    BootWatch::Handlers watch_handlers();
    QemuLink::Handlers qemu_handlers();
    ControlService::Vm control_vm();
    ObserverConfig attended(ObserverConfig observer);

    void feed(supervise::Event event) { supervision_.feed(std::move(event)); }
    void carry_out(const supervise::Action& action);
    void qemu_event(const qmp::Event& event);
    [[nodiscard]] VmSnapshot snapshot();
    void end_of_run();
    RunSummary write_report();

    boost::asio::io_context io_;
    ScreenLog screen_;
    Log& log_;
    Guard guard_;
    Broadcast events_;
    Held held_;
    Supervision supervision_;
    Signals signals_;
    Children children_;
    PortWatches ports_;
    QemuOutput qemu_output_;
    QemuOutput firmware_log_;
    GuestPorts guest_;
    BootWatch watch_;
    QemuLink qemu_;
    ControlService control_;
    std::optional<supervise::Finish> end_;
};

RunLoop::RunLoop(const Plan& plan, RunningVm vm, VmFiles& files, const RunOptions& options, RunInputs inputs)
    : screen_{io_, options.log_level, options.log_format, options.wording, options.colour},
      log_{screen_.log()},
      guard_{[this](const Fault& fault) { log_.fault(fault); }},
      events_{io_, std::move(inputs.events), inputs.vm_launch_began,
              [this](int error) { log_.warning("no more events (--events): " + errno_text(error)); }},
      held_{std::move(vm.links), files, options.reports, std::move(inputs.head), inputs.quiet, {}},
      supervision_{io_, guard_, supervisor_config(plan, options, inputs.watch.observer),
                   [this](const supervise::Action& action) { carry_out(action); }},
      signals_{io_, signal_handlers()},
      children_{io_, vm.pid, vm.tpm_pid, child_handlers()},
      ports_{io_, std::move(vm.port_watches), guard_.around([this] { feed(supervise::PortForwards{}); }),
             guard_.around([this] { watch_.link_forwards(true); })},
      qemu_output_{io_, std::move(vm.output),
                   guard_.around([this](const std::string& line) { log_.debug("qemu: " + line); })},
      firmware_log_{io_, std::move(vm.firmware_log), guard_.around([this](const std::string& line) {
                        log_.debug("firmware: " + line);
                        watch_.firmware_line(line);
                    })},
      guest_{io_,
             {std::move(vm.console), std::move(vm.agent), std::move(inputs.console_log)},
             options,
             screen_,
             guest_handlers()},
      watch_{io_,
             {attended(std::move(inputs.watch.observer)), std::move(inputs.watch.shortcuts),
              std::move(inputs.watch.pausable_nics), std::move(inputs.watch.repeat_offers_to),
              own_service(plan, vm.http_port), std::move(inputs.watch.probe), own_url(plan, vm.http_port),
              record_for(options.reports, files, plan.name)},
             std::move(vm.wire),
             log_,
             watch_handlers()},
      qemu_{io_, std::move(vm.qmp), !watch_.observer().config().about.aarch64, log_, qemu_handlers()},
      control_{control_vm(), described(options.description, vm), std::move(vm.told), guest_.viewers(),
               guest_.agent()} {
    control_.listen(io_, control::folders_of(::geteuid(), options.runtime_dir), plan.name, log_);
    events_.tell(events::begins(held_.head));
    held_.netboot.emplace(io_, plan, vm, files,
                          guard_.around([this](const std::string& line) { log_.debug(line); }));
}

ObserverConfig RunLoop::attended(ObserverConfig observer) {
    observer.attended = [this] { return guest_.is_attended(); };
    return observer;
}

int RunLoop::run() {
    signals_.begin();
    supervision_.start();
    ports_.begin();
    children_.reap();  // the child may have ended before its signal could be caught
    while (!guard_.run([this] { io_.run(); })) {
    }
    end_of_run();
    screen_.flush();
    return end_->exit_code;
}

// Whatever becomes of one of these, the others are done.
void RunLoop::end_of_run() {
    guard_.run([this] { children_.end_tpm(); });
    guard_.run([this] { watch_.link_forwards(false); });
    guard_.run([this] {
        for (const Fault& fault : held_.links ? held_.links->undo() : std::vector<Fault>{}) {
            log_.fault(fault);
        }
    });
    guard_.run([this] { guest_.end(); });
    RunSummary told;
    guard_.run([&] { told = write_report(); });
    say_end(*end_, how_it_ended(*end_, supervision_.config(), supervision_.state()), told, log_);
    guard_.run([&] { control_.ended(end_->exit_code, summary_of(*end_)); });
    guard_.run([&] { events_.end(end_event(*end_, log_)); });
    while (!guard_.run([this] { events_.drain(); })) {
    }
}

RunSummary RunLoop::write_report() {
    boot::ReportHead& head = held_.head;
    head.lasted = watch_.now();
    tell_end(*end_, head);
    const FrameRecord::Rest record = watch_.end(head);
    ReportedRun run =
        write_reports(held_.reports, held_.files, head, watch_.observer().boots(), record, log_);
    end_->exit_code = run.exit_code;
    return held_.quiet ? without_console(std::move(run.summary)) : std::move(run.summary);
}

Signals::Handlers RunLoop::signal_handlers() {
    return {[this](int number) { feed(supervise::SignalReceived{number}); },
            guard_.around([this] { children_.reap(); }),
            guard_.around([this] { log_.info(in_words(snapshot())); })};
}

Children::Handlers RunLoop::child_handlers() {
    return {
        [this](int status) {
            guard_.run([this] { guest_.console().drain({}); });  // the guest's last words came before its end
            feed(supervise::ChildEnded{status, qemu_output_.last_words(), children_.out_of_memory()});
        },
        guard_.around([this] {
            if (supervision_.state().phase < supervise::Phase::quitting) {
                log_.warning("swtpm ended: the guest has no TPM any more");
            }
        })};
}

GuestPorts::Handlers RunLoop::guest_handlers() {
    return {guard_.around([this](const std::string& line) { watch_.console_line(line); }),
            guard_.around(
                [this](const std::string& line, double quiet_s) { watch_.console_partial(line, quiet_s); }),
            guard_.around([this](bool attached) {
                log_.info(attached
                              ? "attached to the console; Ctrl-] detaches"
                              : "detached from the console: the VM runs on; Enter attaches again, Ctrl-C "
                                "stops the VM");
            }),
            guard_.around([this] { watch_.agent_answered(); }), [this] { return status_of(watch_); }};
}

BootWatch::Handlers RunLoop::watch_handlers() {
    return {guard_.around([this](const events::Event& event) { events_.tell(event); }),
            guard_.around([this](const boot::Mark& mark) {
                const BootObserver& observer = watch_.observer();
                const bool kernel = observer.has_reached(boot::Stage::kernel);
                feed(supervise::OsSeen{
                    kernel, observer.has_reached(boot::Stage::os),
                    fmt::format("seen last: {}: {}", boot::title_of(mark.stage), mark.detail)});
                if (kernel) {
                    guest_.console().system_runs(true);
                }
            }),
            [this](BootEnd end, const Fault& verdict) {
                feed(supervise::BootEnded{end, verdict});
            },
            [this](std::chrono::seconds time) { feed(supervise::WaitForSilence{time}); },
            [this](const LinkSwitch& link) { qemu_.switch_link(link); },
            [this](const std::string& filter, bool on) { qemu_.switch_dump(filter, on); },
            [this] { qemu_.press_key(); },
            [this] {
                return link_state_now(watch_.observer().config().about,
                                      held_.links ? held_.links->executor().link_name(1) : "");
            },
            [this] { return guest_.tells_fetch(); }};
}

QemuLink::Handlers RunLoop::qemu_handlers() {
    return {guard_.around([this](const std::string& version) { held_.head.versions.qemu = version; }),
            [this](supervise::Event event) { feed(std::move(event)); },
            guard_.around([this](const qmp::Event& event) { qemu_event(event); }),
            guard_.around([this] { children_.qmp_closed(); })};
}

ControlService::Vm RunLoop::control_vm() {
    return {[this] { return snapshot(); },
            [this] { feed(supervise::StopAsked{}); },
            [this] { feed(supervise::ResumeAsked{}); },
            [this] { feed(supervise::ResetAsked{}); },
            [this](const qmp::Command& command, qmp::Callback callback) {
                qemu_.send(command, std::move(callback));
            },
            [this](const control::Exchange& exchange) { events_.add(exchange, snapshot().phase); }};
}

VmSnapshot RunLoop::snapshot() {
    const supervise::State& state = supervision_.state();
    VmSnapshot now;
    now.phase = phase_word(state.phase);
    if (const auto stage = watch_.observer().stage()) {
        now.stage = boot::name_of(*stage);
        now.stage_detail = events_.stage_detail();
    }
    now.reached = watch_.observer().reached();
    now.pause = state.pause.state;
    now.uptime = watch_.now();
    now.leases = leases_of(watch_.observer().current_boot());
    return now;
}

// A guest's last words belong to the boot that ends here; and a flood of them could take longer than QEMU is
// given to leave.
void RunLoop::qemu_event(const qmp::Event& event) {
    if (event.name == "RESET") {
        guest_.console().drain("SeaBIOS (version ");  // which speaks soon, should this loop be late
    } else if (event.name == "SHUTDOWN" && flag_at(event.data, "guest")) {
        guest_.console().drain({});
    }
    const events::Event told = events::qemu(event.name, event.data);
    events_.tell(told);
    log_.tell(LogLevel::debug, fmt::format("QMP event {} {}", event.name, event.data.dump()),
              {events::name_of(told.kind), told.fields});
    if (event.name == "RESUME" && held_.head.started.empty()) {
        held_.head.started = utc_now();
        watch_.started();
    } else if (event.name == "RESET" && watch_.was_reset()) {
        qemu_.was_reset();
        guest_.console().system_runs(false);
        held_.netboot->client_began_anew();
    } else if (event.name == "VSERPORT_CHANGE" && text_at(event.data, "id") == "agent") {
        guest_.agent().port_changed(flag_at(event.data, "open"));
    }
    feed(supervise::QemuEvent{event.name, text_at(event.data, "reason"), flag_at(event.data, "nospace")});
    if (event.name != "VSERPORT_CHANGE") {
        watch_.qemu_event(event.name);
    }
}

void RunLoop::carry_out(const supervise::Action& action) {
    std::visit(
        Overloaded{
            [](const supervise::StartDeadline& /*action*/) {},  // both are Supervision's own
            [](const supervise::CancelDeadline& /*action*/) {},
            [this](const supervise::SendChecks& /*action*/) { qemu_.check(supervision_.config().checks); },
            [this](const supervise::SendBootOrder& /*action*/) {
                qemu_.change_boot_order(supervision_.config().after_first_boot);
            },
            [this](const supervise::RememberFirstBoot& /*action*/) {
                remember_first_boot(held_.files, log_);
            },
            [this](const supervise::SendCommand& send) { qemu_.command(send.command); },
            [this](const supervise::KillQemu& kill) { children_.kill_qemu(kill.signal); },
            [this](const supervise::Say& say) {
                say.level == LogLevel::warning ? log_.warning(say.text) : log_.info(say.text);
            },
            [this](const supervise::AskVerdict& /*action*/) {
                feed(supervise::VerdictGiven{watch_.verdict_at_timeout()});
            },
            [this](const supervise::TellVerdict& tell) {
                events_.tell(events::verdict(worded(tell.verdict, log_)));
            },
            [this](const supervise::AskPower& /*action*/) { qemu_.ask_power(); },
            [this](const supervise::TellResumed& resumed) { control_.resumed(resumed.why_not); },
            [this](const supervise::TellSilence& /*action*/) {
                qemu_.ask_disk_requests(
                    guard_.around([this](std::uint64_t requests) { watch_.silence(requests); }));
            },
            [this](const supervise::Finish& finish) {
                end_ = finish;
                io_.stop();
            },
        },
        action);
}

}  // namespace

int supervise_vm(const Plan& plan, RunningVm vm, VmFiles& files, const RunOptions& options,
                 RunInputs inputs) {
    RunLoop loop{plan, std::move(vm), files, options,
                 std::move(inputs)};  // opens the terminal, which may be another user's
    lock_down(own_rights(options, files));
    return loop.run();
}

}  // namespace vml
