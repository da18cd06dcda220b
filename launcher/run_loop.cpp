#include "launcher/run_loop.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <ctime>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bootwatch/hints.h"
#include "bootwatch/packet.h"
#include "bootwatch/progress.h"
#include "bootwatch/report.h"
#include "launcher/boot_observer.h"
#include "launcher/console_viewers.h"
#include "launcher/control_service.h"
#include "launcher/guest_agent.h"
#include "launcher/kept_files.h"
#include "launcher/link_looks.h"
#include "launcher/own_lines.h"
#include "launcher/privileges.h"
#include "launcher/shortcuts.h"
#include "launcher/supervisor.h"
#include "netserve/http_server.h"
#include "netserve/router_advertisement.h"
#include "qmp/client.h"

namespace vml {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr std::size_t last_words_kept = 12;
constexpr int slow_reader_ms = 2000;
// QEMU's end of the QMP socket closes with QEMU; should somebody else hold it open, the end is not put off
// for long.
constexpr std::chrono::seconds last_words_limit{1};

sigset_t our_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGCHLD}) {
        sigaddset(&set, number);
    }
    return set;
}

// Those that came meanwhile are delivered now, to the loop's signal set.
void release_signals() {
    const sigset_t set = our_signals();
    ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

std::string utc_now() {
    const std::time_t seconds = std::time(nullptr);
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(seconds));
}

// What QEMU writes to a pipe or socket, line by line: told as it comes, and the last lines kept.
class QemuOutput {
  public:
    using OnLine = std::function<void(const std::string& line)>;

    QemuOutput(asio::io_context& io, OwnedFd pipe, OnLine on_line) : pipe_{io}, on_line_{std::move(on_line)} {
        if (pipe) {
            pipe_.assign(pipe.release());
            pipe_.non_blocking(true);
            read();
        }
    }

    // What is still in the pipe, then the last lines.
    std::vector<std::string> last_words() {
        error_code error;
        while (!error) {
            const std::size_t count = pipe_.read_some(asio::buffer(bytes_), error);
            took({bytes_.data(), count});
        }
        return {lines_.begin(), lines_.end()};
    }

  private:
    void read() {
        pipe_.async_read_some(asio::buffer(bytes_), [this](const error_code& error, std::size_t count) {
            if (!error) {
                took({bytes_.data(), count});
                read();
            }
        });
    }

    void took(std::string_view bytes) {
        for (const std::string& line : text_.feed(bytes)) {
            on_line_(line);
            lines_.push_back(line);
            if (lines_.size() > last_words_kept) {
                lines_.pop_front();
            }
        }
    }

    asio::posix::stream_descriptor pipe_;
    OnLine on_line_;
    std::array<char, 4096> bytes_{};
    boot::ConsoleText text_;
    std::deque<std::string> lines_;
};

// A command that got no answer because QEMU has gone says nothing of QEMU's opinion.
bool is_disconnected(const qmp::Result& result) {
    const auto* failure = std::get_if<qmp::Failure>(&result);
    return failure != nullptr && failure->error_class == qmp::disconnected;
}

// What QEMU said against a command; null when it obeyed, or has gone.
const qmp::Failure* refusal_in(const qmp::Result& result) {
    return is_disconnected(result) ? nullptr : std::get_if<qmp::Failure>(&result);
}

// Of all disks (QEMU qapi/block-core.json, BlockDeviceStats).
std::uint64_t disk_requests_in(const nlohmann::json& disks) {
    std::uint64_t count = 0;
    for (const nlohmann::json& disk : disks.is_array() ? disks : nlohmann::json::array()) {
        const nlohmann::json stats =
            disk.is_object() ? disk.value("stats", nlohmann::json{}) : nlohmann::json{};
        for (const char* key : {"rd_operations", "wr_operations"}) {
            const auto found = stats.find(key);
            count += found != stats.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
        }
    }
    return count;
}

supervise::Config supervisor_config(const Plan& plan, const RunOptions& options,
                                    const ObserverConfig& observer) {
    supervise::Config config;
    config.checks = plan.checks;
    config.ports = plan.port_waits;
    config.stop_timeout = options.stop_timeout;
    config.until = observer.until ? observer.until->text : "";
    config.until_stage = observer.until && observer.until->stage;
    config.boot_timeout = options.boot_timeout;
    // Who sits at the console may want to look around; everybody else is told by the exit code.
    config.ends_on_failure =
        observer.until || options.boot_timeout || options.console != ConsoleMode::attached;
    config.kvm = options.kvm;
    config.keeps_disks = options.keeps_disks;
    config.resumes = options.resumes;
    config.program = plan.program.filename().string();
    config.after_first_boot = plan.after_first_boot;
    config.remember_first_boot = plan.state_folder && !plan.first_boot.empty();
    for (const PlannedFd& fd : plan.fds) {
        const std::filesystem::path& file = fd.kept.empty() ? fd.source : fd.kept;
        if (!file.empty()) {
            config.files.emplace_back(fd.number, file);
        }
    }
    return config;
}

class RunLoop {
  public:
    RunLoop(const Plan& plan, RunningVm vm, const RunOptions& options, BootStory story)
        : config_{supervisor_config(plan, options, story.observer)},
          shortcuts_{story.shortcuts, story.observer.nics},
          link_rest_{std::move(story.resting_nics)},
          observer_{attended(std::move(story.observer))},
          head_{std::move(story.head)},
          reports_{std::move(vm.reports)},
          out_{io_, STDOUT_FILENO},
          err_{io_, STDERR_FILENO},
          own_lines_{io_, out_, err_, sharing_of(STDOUT_FILENO, STDERR_FILENO)},
          log_{options.log_level, options.log_format,
               [this](std::string_view line) { own_lines_.print(line); }},
          signals_{io_, SIGINT, SIGTERM, SIGHUP},
          pid_{vm.pid},
          tpm_pid_{vm.tpm_pid},
          links_{std::move(vm.links)},
          state_folder_{std::move(vm.state_folder)},
          ports_{std::move(vm.port_watches)},
          qemu_output_{io_, std::move(vm.output),
                       [this](const std::string& line) { log_.debug("qemu: " + line); }},
          firmware_log_{io_, std::move(vm.firmware_log),
                        [this](const std::string& line) { firmware_line(line); }},
          console_{io_,
                   std::move(vm.console),
                   options.console,
                   out_,
                   output_kind(STDOUT_FILENO, options.console == ConsoleMode::attached, options.console_raw),
                   {[this](const std::string& line) { console_line(line); },
                    [this](const std::string& line) { console_partial(line); },
                    [this] { own_lines_.guest_wrote(); }, [this](bool attached) { attach_changed(attached); },
                    [this](std::string_view bytes) { console_bytes(bytes); }}},
          agent_{io_, std::move(vm.agent), [this] { observed(observer_.agent_answered(now())); }},
          wire_{io_,
                std::move(vm.wire),
                {[this](std::size_t nic, Bytes frame) { frame_seen(nic, frame); },
                 [this](const std::string& filter, bool on) { switch_dump(filter, on); }}},
          qmp_{io_, std::move(vm.qmp), qmp_handlers()},
          power_{qmp_, !observer_.config().about.aarch64},
          control_{control_vm(), described(options.description), std::move(vm.screenshot), viewers_, agent_} {
        listen(plan.name);
        if (vm.http) {
            http_.emplace(io_, std::move(*vm.http), [this](const std::string& line) { log_.debug(line); });
        }
    }

    int run() {
        for (const int number : {SIGQUIT, SIGUSR1, SIGCHLD}) {
            signals_.add(number);
        }
        wait_for_signal();
        release_signals();
        take(supervise::start(config_));
        watch_ports();
        reap();  // the child may have ended before its signal could be caught
        io_.run();
        end_tpm();
        undo_links();
        console_.drain();
        console_.release_terminal();
        control_.ended(end_->exit_code, end_->fault ? end_->fault->what : end_->summary);
        report();
        write_reports();
        own_lines_.show();
        out_.flush(slow_reader_ms);
        err_.flush(slow_reader_ms);
        return end_->exit_code;
    }

  private:
    qmp::Handlers qmp_handlers() {
        own_lines_.beside(&console_);  // the members before qmp_ are complete
        return {[this](const qmp::Greeting& greeting) {
                    log_.debug(
                        fmt::format("QEMU {}.{}.{} answers", greeting.major, greeting.minor, greeting.micro));
                    feed(supervise::QmpReady{});
                },
                [this](const qmp::Event& event) { qemu_event(event); },
                [this](const qmp::ProtocolFault& fault) { log_.debug(fmt::format("QMP: {}", fault.why)); },
                [this] {
                    qmp_closed_ = true;
                    feed(supervise::QmpClosed{});
                    end_if_all_is_said();
                }};
    }

    // Somebody may type: at the terminal that vm-launch runs on, or over the control socket.
    ObserverConfig attended(ObserverConfig observer) {
        observer.attended = [this] { return console_.has_keyboard() || viewers_.has_keyboard(); };
        return observer;
    }

    // What the VM is, with what only its start could tell.
    [[nodiscard]] nlohmann::json described(nlohmann::json description) const {
        description["pid"] = ::getpid();
        description["qemu_pid"] = pid_;
        return description;
    }

    ControlService::Vm control_vm() {
        return {[this] { return snapshot(); }, [this] { feed(supervise::StopAsked{}); },
                [this] { feed(supervise::ResumeAsked{}); }, [this] { feed(supervise::ResetAsked{}); },
                [this](const qmp::Command& command, qmp::Callback callback) {
                    qmp_.send(command, std::move(callback));
                }};
    }

    // A VM whose name is taken runs all the same; it only cannot be talked to.
    void listen(const std::string& name) {
        try {
            control_.listen(io_, {control::own_space(), ::geteuid(), name});
        } catch (const Error& error) {
            const Fault& fault = error.faults().front();
            log_.warning(fmt::format("{}: {} ({}); `vm-launch stop` and its like will not reach this VM",
                                     fault.what, fault.why, fault.hint));
        }
    }

    [[nodiscard]] VmSnapshot snapshot() const {
        using supervise::Phase;
        VmSnapshot now;
        now.phase = state_.phase < Phase::running    ? "starting"
                    : state_.phase == Phase::running ? "running"
                                                     : "stopping";
        if (const auto stage = observer_.stage()) {
            now.stage = boot::name_of(*stage);
            now.stage_detail = latest_;
        }
        now.reached = observer_.reached();
        now.pause = state_.pause.state;
        now.uptime = std::chrono::duration<double>(Clock::now() - resumed_.value_or(Clock::now())).count();
        return now;
    }

    // SIGUSR1: where are we?
    void tell() {
        const VmSnapshot now = snapshot();
        log_.info(fmt::format("{} for {:.0f} s; stage: {}", now.phase, now.uptime,
                              now.stage ? fmt::format("{} ({})", *now.stage, now.stage_detail) : "none yet"));
    }

    void feed(const supervise::Event& event) {
        if (!end_) {
            take(supervise::step(config_, state_, event));
        }
    }

    void take(supervise::Step step) {
        state_ = std::move(step.state);
        for (const supervise::Action& action : step.actions) {
            std::visit([this](const auto& act) { carry_out(act); }, action);
        }
    }

    void carry_out(const supervise::SendChecks& /*action*/) {
        for (std::size_t index = 0; index < config_.checks.size(); ++index) {
            const PropertyCheck& check = config_.checks[index];
            qmp_.send({"qom-get", {{"path", check.path}, {"property", check.property}}},
                      [this, index](const qmp::Result& result) {
                          if (is_disconnected(result)) {
                              return;  // QEMU's end tells why
                          }
                          const auto* value = std::get_if<nlohmann::json>(&result);
                          const bool text = value != nullptr && value->is_string();
                          feed(supervise::CheckAnswered{
                              index, text ? std::optional{value->get<std::string>()} : std::nullopt});
                      });
        }
    }

    void carry_out(const supervise::SendBootOrder& /*action*/) {
        for (const BootindexChange& change : config_.after_first_boot) {
            qmp_.send(
                {"qom-set", {{"path", change.path}, {"property", "bootindex"}, {"value", change.bootindex}}},
                [this, last = &change == &config_.after_first_boot.back()](const qmp::Result& result) {
                    if (const auto* refusal = refusal_in(result)) {
                        feed(supervise::BootOrderRefused{refusal->description});
                    } else if (last) {
                        feed(supervise::BootOrderChanged{});
                    }
                });
        }
    }

    void carry_out(const supervise::RememberFirstBoot& /*action*/) {
        if (const int error = write_first_boot_mark(state_folder_.get()); error != 0) {
            log_.warning(fmt::format("it cannot be kept that the first boot is over: {}", errno_text(error)));
        }
    }

    void carry_out(const supervise::SendCommand& action) {
        switch (action.command) {
            case supervise::Command::cont:
                qmp_.send({"cont"}, [this](const qmp::Result& result) {
                    if (const auto* refusal = refusal_in(result)) {
                        feed(supervise::ContinueRefused{refusal->description});
                    }
                });
                break;
            case supervise::Command::resume:
                qmp_.send({"cont"}, [this](const qmp::Result& result) {
                    if (const auto* refusal = refusal_in(result)) {
                        feed(supervise::ResumeRefused{refusal->description});
                    }
                });
                break;
            case supervise::Command::query_status:
                qmp_.send({"query-status"}, [this](const qmp::Result& result) { status_answered(result); });
                break;
            case supervise::Command::system_powerdown:
                qmp_.send({"system_powerdown"}, {});
                break;
            case supervise::Command::system_reset:
                qmp_.send({"system_reset"}, {});
                break;
            case supervise::Command::quit:
                qmp_.send({"quit"}, {});
                break;
        }
    }

    void carry_out(const supervise::KillQemu& action) const { ::kill(pid_, action.signal); }

    void carry_out(const supervise::StartDeadline& action) {
        auto [timer, is_new] = deadlines_.try_emplace(action.deadline, io_);
        timer->second.expires_after(action.after);
        timer->second.async_wait([this, deadline = action.deadline](const error_code& error) {
            if (!error) {
                feed(supervise::DeadlinePassed{deadline});
            }
        });
    }

    void carry_out(const supervise::CancelDeadline& action) { deadlines_.erase(action.deadline); }

    void carry_out(const supervise::Say& action) {
        action.level == LogLevel::warning ? log_.warning(action.text) : log_.info(action.text);
    }

    void carry_out(const supervise::AskVerdict& /*action*/) {
        tell_help();
        feed(supervise::VerdictGiven{observer_.verdict(std::nullopt, looks(), now())});
    }

    void carry_out(const supervise::AskPower& /*action*/) {
        power_.ask([this](const GuestSigns& signs) {
            log_.debug(description_of(signs));
            feed(supervise::PowerTold{signs});
        });
    }

    void carry_out(const supervise::TellResumed& action) { control_.resumed(action.why_not); }

    // A guest that reads its disk lives.
    void carry_out(const supervise::TellSilence& /*action*/) {
        qmp_.send({"query-blockstats"}, [this](const qmp::Result& result) {
            const auto* disks = std::get_if<nlohmann::json>(&result);
            observed(observer_.silence(now(), disks == nullptr ? 0 : disk_requests_in(*disks)));
        });
    }

    void carry_out(const supervise::Finish& action) {
        end_ = action;
        io_.stop();
    }

    void status_answered(const qmp::Result& result) {
        if (const auto* value = std::get_if<nlohmann::json>(&result);
            value != nullptr && value->contains("status")) {
            feed(supervise::StatusAnswered{(*value)["status"].get<std::string>()});
        }
    }

    void qemu_event(const qmp::Event& event) {
        log_.debug(fmt::format("QMP event {} {}", event.name, event.data.dump()));
        if (event.name == "RESUME" && !resumed_) {
            resumed_ = Clock::now();
            head_.started = utc_now();
            observed(observer_.started(0));
        } else if (event.name == "RESET") {
            guest_reset();
        } else if (event.name == "VSERPORT_CHANGE") {
            port_changed(event);
        }
        const auto reason = event.data.find("reason");
        feed(supervise::QemuEvent{
            event.name, reason != event.data.end() && reason->is_string() ? reason->get<std::string>() : "",
            event.data.value("nospace", false)});
        if (event.name != "VSERPORT_CHANGE") {
            observed(observer_.event(now(), event.name));
        }
    }

    void port_changed(const qmp::Event& event) {
        const bool open = event.data.value("open", false);
        if (event.data.value("id", "") == "agent") {
            agent_.port_changed(open);
        }
    }

    void switch_dump(const std::string& filter, bool on) {
        qmp_.send({"qom-set",
                   {{"path", "/objects/" + filter}, {"property", "status"}, {"value", on ? "on" : "off"}}},
                  [this, filter](const qmp::Result& result) {
                      if (const auto* refusal = refusal_in(result)) {
                          log_.debug(fmt::format("cannot switch {}: {}", filter, refusal->description));
                      }
                  });
    }

    // Seconds since the guest began to run.
    [[nodiscard]] double now() const {
        return resumed_ ? std::chrono::duration<double>(Clock::now() - *resumed_).count() : 0;
    }

    void firmware_line(const std::string& line) {
        log_.debug("firmware: " + line);
        observed(observer_.firmware_line(now(), line));
    }

    void console_bytes(std::string_view bytes) {
        console_quiet_s_ = now() - std::exchange(console_heard_at_, now());
        viewers_.show(bytes);
    }

    void console_line(const std::string& line) {
        wire_.catch_up();
        observed(observer_.line(now(), line));
        shortcuts_.line(line, observer_.boot());
        switch_links(link_rest_.line(line));
    }

    void switch_links(const std::vector<LinkSwitch>& switches) {
        for (const LinkSwitch& link : switches) {
            qmp_.send({"set_link", {{"name", link.nic}, {"up", link.up}}}, {});
            log_.debug(link.up ? fmt::format("the link of {} is up again", link.nic)
                               : shortcuts_.link_taken_down(link.nic, now()));
        }
        if (!switches.empty()) {
            longest_rest_.expires_after(std::chrono::duration_cast<Clock::duration>(
                std::chrono::duration<double>{LinkRest::longest_s}));
            longest_rest_.async_wait([this](const error_code& error) {
                if (!error) {
                    switch_links(link_rest_.reset());
                }
            });
        }
    }

    void console_partial(const std::string& line) {
        observed(observer_.partial(now(), line));
        if (!shortcuts_.is_prompt(line)) {
            return;
        }
        wire_.catch_up();  // iPXE may be further than its console shows
        if (shortcuts_.may_press(observer_.boot(), console_quiet_s_)) {
            qmp_.send({"send-key", {{"keys", {{{"type", "qcode"}, {"data", "spc"}}}}}}, {});
            log_.debug(shortcuts_.key_pressed(now()));
        } else {
            shortcuts_.leave_prompt();
        }
    }

    void frame_seen(std::size_t nic, Bytes frame) {
        const auto packet = boot::decode_frame(frame);
        if (!packet) {
            return;
        }
        observed(observer_.packet(now(), nic, *packet));
        if (const double rest = boot::uneventful_s(observer_.fetches()); rest > 0) {
            wire_.rest(nic, std::chrono::duration<double>{rest});
        }
        shortcuts_.frame(nic, *packet, frame, now());
        answer_search(nic);
    }

    // A router goes first, and so does DHCP: see Shortcuts.
    void answer_search(std::size_t nic) {
        const std::optional<double> wait = shortcuts_.answer_in(nic, observer_.boot(), now());
        const auto [waiting, is_new] =
            wait ? patience_.try_emplace(nic, io_) : std::pair{patience_.end(), false};
        if (!is_new) {
            return;
        }
        asio::steady_timer& timer = waiting->second;
        timer.expires_after(
            std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>{*wait}));
        timer.async_wait([this, nic](const error_code& error) {
            patience_.erase(nic);
            if (!error) {
                wire_.catch_up();  // the router's answer may lie there already
                advertise(nic);
            }
        });
    }

    void advertise(std::size_t nic) {
        if (shortcuts_.answer_in(nic, observer_.boot(), now()) &&
            wire_.send(nic, serve::router_advertisement())) {
            log_.debug(shortcuts_.advertised(nic, now()));
        }
    }

    // Tells what is new of the boot, and lets the supervisor decide what follows from it.
    void observed(const Observed& seen) {
        if (seen.progress) {
            log_.info(fmt::format("[{:6.2f} s] {}", now(), *seen.progress));
        }
        for (const boot::Mark& mark : seen.marks) {
            log_.info(fmt::format("[{:6.2f} s] {}: {}", mark.at, boot::title_of(mark.stage), mark.detail));
        }
        if (!seen.marks.empty()) {
            stage_seen(seen.marks.back());
        }
        if (seen.wait_for_silence) {
            feed(supervise::WaitForSilence{});
        }
        if (seen.end) {
            const bool failed = *seen.end != BootEnd::until_reached;
            if (failed) {
                tell_help();
            }
            feed(supervise::BootEnded{*seen.end, failed ? observer_.verdict(seen.end, looks()) : Fault{}});
        }
    }

    // Before the verdict on a boot that failed: what vm-launch did that the network and the guest did not ask
    // for.
    void tell_help() {
        if (!shortcuts_.done_in_boot().empty()) {
            log_.warning(
                fmt::format("vm-launch had a hand in this boot: {}; --fast-boot=off shows whether it fails "
                            "without, too",
                            fmt::join(shortcuts_.done_in_boot(), "; ")));
        }
    }

    void stage_seen(const boot::Mark& mark) {
        const bool kernel = observer_.has_reached(boot::Stage::kernel);
        const bool up = observer_.has_reached(boot::Stage::os);
        latest_ = mark.detail;
        feed(supervise::OsSeen{kernel, up,
                               fmt::format("seen last: {}: {}", boot::title_of(mark.stage), mark.detail)});
        if (kernel) {
            console_.system_runs(true);
            tell_hints();
        }
        if (up) {
            wire_.pause();
        }
    }

    // Once: what the network costs every iPXE. A user-mode network is nobody's to mend.
    void tell_hints() {
        if (observer_.config().about.network == boot::Network::nat) {
            return;
        }
        for (std::string& hint : boot::network_hints(observer_.boot(), shortcuts_.spared_router())) {
            if (std::find(head_.hints.begin(), head_.hints.end(), hint) == head_.hints.end()) {
                log_.info("hint: " + hint);
                head_.hints.push_back(std::move(hint));
            }
        }
    }

    void guest_reset() {
        const Observed seen = observer_.reset(now());
        if (seen.marks.empty()) {
            return;
        }
        power_.reset([this](bool wrote) { feed(supervise::WritesTold{wrote}); });
        shortcuts_.reset();
        console_.system_runs(false);
        switch_links(link_rest_.reset());
        wire_.resume();
        qmp_.send({"query-rx-filter"},
                  {});  // the event of the guest's own driver comes once for each such question
        observed(seen);
    }

    // What the guest's network looks like from outside, now.
    [[nodiscard]] std::vector<std::string> looks() const {
        const boot::Circumstances& about = observer_.config().about;
        if (about.network == boot::Network::nat) {
            return {};
        }
        try {
            const net::HostNetworkFacts facts = net::host_network_facts();
            return about.network == boot::Network::bridge ? looks_of_bridge(about.upper, own_port(), facts)
                                                          : looks_of_device(about.upper, facts);
        } catch (const Error&) {
            return {};  // the verdict does without
        }
    }

    [[nodiscard]] std::string own_port() const { return links_ ? links_->executor().link_name(1) : ""; }

    void write_reports() {
        head_.helped.insert(head_.helped.end(), shortcuts_.done().begin(), shortcuts_.done().end());
        head_.lasted = now();
        head_.lost_frames = wire_.lost();
        head_.exit_code = end_->exit_code;
        head_.summary = end_->fault ? end_->fault->what : end_->summary;
        head_.fault = end_->fault;
        for (const ReportFile& file : reports_) {
            try {
                write_report(file, file.path.extension() == ".html"
                                       ? boot::report_as_html(head_, observer_.boots())
                                       : boot::report_as_json(head_, observer_.boots())
                                                 .dump(2, ' ', false,
                                                       nlohmann::ordered_json::error_handler_t::replace) +
                                             "\n");
            } catch (const Error& error) {
                log_.fault(error.faults().front());
            }
        }
    }

    void attach_changed(bool attached) {
        log_.info(
            attached
                ? "attached to the console; Ctrl-] detaches"
                : "detached from the console: the VM runs on; Enter attaches again, Ctrl-C stops the VM");
    }

    // A port forwards only after QEMU has attached to its tap, which may be long before or after QMP answers.
    void watch_ports() {
        for (const PortWatch& port : ports_) {
            port_ready_.emplace_back(io_, ::fcntl(port.watcher.fd(), F_DUPFD_CLOEXEC, 0));
        }
        for (std::size_t i = 0; i < ports_.size(); ++i) {
            look_at_port(i);
        }
    }

    void look_at_port(std::size_t index) {
        for (const net::LinkEvent& event : ports_[index].watcher.read()) {
            if (event.link.port_state == net::PortState::forwarding) {
                feed(supervise::PortForwards{});
                return;  // seen once is enough
            }
        }
        port_ready_[index].async_wait(asio::posix::stream_descriptor::wait_read,
                                      [this, index](const error_code& error) {
                                          if (!error) {
                                              look_at_port(index);
                                          }
                                      });
    }

    void wait_for_signal() {
        signals_.async_wait([this](const error_code& error, int number) {
            if (error) {
                return;
            }
            if (number == SIGCHLD) {
                reap();
            } else if (number == SIGUSR1) {
                tell();
            } else {
                feed(supervise::SignalReceived{number});
            }
            wait_for_signal();
        });
    }

    // The one place that waits for children; as PID 1 that includes everybody's orphans.
    void reap() {
        int status = 0;
        pid_t pid = 0;
        while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
            if (pid == tpm_pid_) {
                tpm_ended();
            }
            if (pid == pid_) {
                ended_status_ = status;
                last_wait_.expires_after(last_words_limit);
                last_wait_.async_wait([this](const error_code& error) { error ? void() : child_ended(); });
                end_if_all_is_said();
            }
        }
    }

    // swtpm ends after QEMU, by itself; before, the guest has lost its TPM.
    void tpm_ended() {
        tpm_pid_ = -1;
        if (!ended_status_ && !qmp_closed_ && state_.phase < supervise::Phase::quitting) {
            log_.warning("swtpm ended: the guest has no TPM any more");
        }
    }

    // It has nothing to do any more; it is waited for, so that nothing is left behind.
    void end_tpm() const {
        if (tpm_pid_ > 0) {
            ::kill(tpm_pid_, SIGTERM);
            ::waitpid(tpm_pid_, nullptr, 0);
        }
    }

    // QMP's last word, SHUTDOWN above all, may lie in the socket still when the child has been reaped.
    void end_if_all_is_said() {
        if (ended_status_ && qmp_closed_) {
            child_ended();
        }
    }

    void child_ended() { feed(supervise::ChildEnded{*ended_status_, qemu_output_.last_words()}); }

    void undo_links() {
        if (links_) {
            for (const Fault& fault : links_->undo()) {
                log_.fault(fault);
            }
        }
    }

    void report() {
        if (end_->fault) {
            log_.fault(*end_->fault);
        } else {
            log_.info(end_->summary);
        }
    }

    supervise::Config config_;
    Shortcuts shortcuts_;
    LinkRest link_rest_;
    BootObserver observer_;
    boot::ReportHead head_;
    std::vector<ReportFile> reports_;
    asio::io_context io_;
    OutputQueue out_;
    OutputQueue err_;
    OwnLines own_lines_;
    Log log_;
    asio::signal_set signals_;
    pid_t pid_;
    pid_t tpm_pid_;  // -1: there is none (any more)
    std::unique_ptr<HostLinks> links_;
    OwnedFd state_folder_;
    std::vector<PortWatch> ports_;
    std::deque<asio::posix::stream_descriptor> port_ready_;
    supervise::State state_;
    std::optional<Clock::time_point> resumed_;
    std::string latest_;  // the detail of the latest mark
    std::map<supervise::Deadline, asio::steady_timer> deadlines_;
    std::optional<supervise::Finish> end_;
    bool qmp_closed_ = false;
    std::optional<int> ended_status_;  // QEMU's, as waitpid gives it
    asio::steady_timer last_wait_{io_};
    QemuOutput qemu_output_;
    QemuOutput firmware_log_;
    ConsoleViewers viewers_{{[this](std::string_view bytes) { console_.type(bytes); },
                             [this] { return console_.has_keyboard(); }}};
    double console_heard_at_ = 0;  // the latest piece
    double console_quiet_s_ = 0;   // before it
    Console console_;
    GuestAgent agent_;
    WireWatch wire_;
    asio::steady_timer longest_rest_{io_};
    std::map<std::size_t, asio::steady_timer> patience_;  // until a NIC's search for a router is answered
    qmp::Client qmp_;
    GuestPower power_;
    ControlService control_;
    std::optional<serve::HttpServer> http_;
};

}  // namespace

void hold_signals() {
    std::ignore = ::signal(SIGPIPE, SIG_IGN);
    const sigset_t set = our_signals();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

int supervise_vm(const Plan& plan, RunningVm vm, const RunOptions& options, BootStory story) {
    RunLoop loop{plan, std::move(vm), options,
                 std::move(story)};  // opens the terminal, which may be another user's
    drop_privileges(options.keep_net_admin);
    return loop.run();
}

}  // namespace vml
