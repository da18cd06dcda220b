#include "launcher/run_loop.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
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
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bootwatch/stage.h"
#include "launcher/privileges.h"
#include "launcher/supervisor.h"
#include "qmp/client.h"

namespace vml {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr std::size_t last_words_kept = 12;
constexpr int slow_reader_ms = 2000;
constexpr std::chrono::milliseconds longest_hold{300};
// QEMU's end of the QMP socket closes with QEMU; should somebody else hold it open, the end is not put off
// for long.
constexpr std::chrono::seconds last_words_limit{1};

sigset_t our_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) {
        sigaddset(&set, number);
    }
    return set;
}

// Those that came meanwhile are delivered now, to the loop's signal set.
void release_signals() {
    const sigset_t set = our_signals();
    ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

// QEMU's standard output and error, line by line: logged as they come, and the last ones kept.
class QemuOutput {
  public:
    QemuOutput(asio::io_context& io, OwnedFd pipe, Log& log) : pipe_{io, pipe.release()}, log_{log} {
        pipe_.non_blocking(true);
        read();
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
            log_.debug("qemu: " + line);
            lines_.push_back(line);
            if (lines_.size() > last_words_kept) {
                lines_.pop_front();
            }
        }
    }

    asio::posix::stream_descriptor pipe_;
    Log& log_;
    std::array<char, 4096> bytes_{};
    boot::ConsoleText text_;
    std::deque<std::string> lines_;
};

// A command that got no answer because QEMU has gone says nothing of QEMU's opinion.
bool is_disconnected(const qmp::Result& result) {
    const auto* failure = std::get_if<qmp::Failure>(&result);
    return failure != nullptr && failure->error_class == qmp::disconnected;
}

class RunLoop {
  public:
    RunLoop(const Plan& plan, RunningVm vm, const RunOptions& options)
        : config_{plan.checks, plan.port_waits, options.stop_timeout, options.kvm,
                  plan.program.filename().string()},
          out_{io_, STDOUT_FILENO},
          err_{io_, STDERR_FILENO},
          log_{options.log_level, options.log_format, [this](std::string_view line) { print(line); }},
          signals_{io_, SIGINT, SIGTERM, SIGHUP},
          pid_{vm.pid},
          links_{std::move(vm.links)},
          ports_{std::move(vm.port_watches)},
          qemu_output_{io_, std::move(vm.output), log_},
          console_{io_,
                   std::move(vm.console),
                   options.console,
                   out_,
                   {[this](const std::string& line) { console_line(line); }, [this] { show_held(); },
                    [this](bool attached) { attach_changed(attached); }}},
          qmp_{io_, std::move(vm.qmp), qmp_handlers()} {}

    int run() {
        signals_.add(SIGCHLD);
        wait_for_signal();
        release_signals();
        take(supervise::start(config_));
        watch_ports();
        reap();  // the child may have ended before its signal could be caught
        io_.run();
        undo_links();
        console_.drain();
        console_.release_terminal();
        report();
        show_held();
        out_.flush(slow_reader_ms);
        err_.flush(slow_reader_ms);
        return end_->exit_code;
    }

  private:
    // On one screen a line of ours waits until the guest has ended its own, but not for long.
    void print(std::string_view line) {
        held_ += line;
        if (!one_screen_ || !console_ready_ || !console_.mid_line()) {
            show_held();
        } else if (held_.size() == line.size()) {
            hold_.expires_after(longest_hold);
            hold_.async_wait([this](const error_code& error) { error ? void() : show_held(); });
        }
    }

    void show_held() {
        if (held_.empty()) {
            return;
        }
        if (one_screen_ && console_ready_ && console_.mid_line()) {
            out_.write("\n");
            console_.at_line_start();
        }
        err_.write(held_);
        held_.clear();
        hold_.cancel();
    }

    qmp::Handlers qmp_handlers() {
        console_ready_ = true;  // the members before qmp_ are complete
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

    void carry_out(const supervise::SendCommand& action) {
        switch (action.command) {
            case supervise::Command::cont:
                qmp_.send({"cont"}, [this](const qmp::Result& result) {
                    const auto* failure = std::get_if<qmp::Failure>(&result);
                    if (failure != nullptr && !is_disconnected(result)) {
                        feed(supervise::ContinueRefused{failure->description});
                    }
                });
                break;
            case supervise::Command::query_status:
                qmp_.send({"query-status"}, [this](const qmp::Result& result) { status_answered(result); });
                break;
            case supervise::Command::system_powerdown:
                qmp_.send({"system_powerdown"}, {});
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
            show({boot::Stage::machine, "QEMU built the machine and runs it"});
        } else if (event.name == "RESET") {
            guest_reset();
        }
        const auto reason = event.data.find("reason");
        feed(supervise::QemuEvent{
            event.name, reason != event.data.end() && reason->is_string() ? reason->get<std::string>() : ""});
        if (const auto sighting = boot::sighting_in_event(event.name)) {
            show(*sighting);
        }
    }

    void console_line(const std::string& line) {
        if (const auto sighting = boot::sighting_in_line(line)) {
            show(*sighting);
        }
    }

    // A stage as one line, with its time since the guest began to run.
    void show(const boot::Sighting& sighting) {
        if (const auto news = progress_.see(sighting)) {
            const double elapsed =
                std::chrono::duration<double>(Clock::now() - resumed_.value_or(Clock::now())).count();
            log_.info(fmt::format("[{:6.2f} s] {}: {}", elapsed, boot::name_of(news->stage), news->detail));
            feed(supervise::OsSeen{progress_.os_runs()});
        }
    }

    // One reboot is one to five resets, and those before the firmware speaks again belong together.
    void guest_reset() {
        if (progress_.stage() && *progress_.stage() > boot::Stage::machine) {
            progress_.reset();
            log_.info("the guest rebooted");
            show({boot::Stage::machine, "reset"});
            feed(supervise::OsSeen{false});
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
            if (pid == pid_) {
                ended_status_ = status;
                last_wait_.expires_after(last_words_limit);
                last_wait_.async_wait([this](const error_code& error) { error ? void() : child_ended(); });
                end_if_all_is_said();
            }
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
    asio::io_context io_;
    OutputQueue out_;
    OutputQueue err_;
    bool one_screen_ = ::isatty(STDOUT_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
    bool console_ready_ = false;
    std::string held_;  // lines of ours that wait for the guest's line to end
    asio::steady_timer hold_{io_};
    Log log_;
    asio::signal_set signals_;
    pid_t pid_;
    std::unique_ptr<HostLinks> links_;
    std::vector<PortWatch> ports_;
    std::deque<asio::posix::stream_descriptor> port_ready_;
    supervise::State state_;
    boot::Progress progress_;
    std::optional<Clock::time_point> resumed_;
    std::map<supervise::Deadline, asio::steady_timer> deadlines_;
    std::optional<supervise::Finish> end_;
    bool qmp_closed_ = false;
    std::optional<int> ended_status_;  // QEMU's, as waitpid gives it
    asio::steady_timer last_wait_{io_};
    QemuOutput qemu_output_;
    Console console_;
    qmp::Client qmp_;
};

}  // namespace

void hold_signals() {
    std::ignore = ::signal(SIGPIPE, SIG_IGN);
    const sigset_t set = our_signals();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

int supervise_vm(const Plan& plan, RunningVm vm, const RunOptions& options) {
    RunLoop loop{plan, std::move(vm), options};  // opens the terminal, which may be another user's
    drop_privileges(options.keep_net_admin);
    return loop.run();
}

}  // namespace vml
