// The supervisor's step function: every event in every phase, and every way in which a run ends.
#include <algorithm>
#include <csignal>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/wait.h>

#include "launcher/run/supervisor.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml::supervise {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::contains;

int exited(int status) {
    return W_EXITCODE(status, 0);
}
int killed(int signal) {
    return W_EXITCODE(0, signal);
}

const PropertyCheck check{"/machine/peripheral/net0", "disable-legacy", "on", "the ROM would never run"};

Config plain() {
    Config config;
    config.program = "qemu-system-x86_64";
    return config;
}
// A NIC on a bridge whose ports need eight seconds to forward.
Config with_port() {
    Config config = plain();
    config.ports = {{1, "br0", milliseconds{8000}}};
    return config;
}
Config with_checks(std::size_t count = 1) {
    Config config = plain();
    config.checks.assign(count, check);
    return config;
}

// Feeds events one after the other and keeps what the last one led to.
class Run {
  public:
    explicit Run(Config config) : config_{std::move(config)} { take(start(config_)); }

    Run& feed(const Event& event) {
        take(step(config_, state, event));
        return *this;
    }

    [[nodiscard]] std::optional<Finish> finish() const {
        for (const Action& action : actions) {
            if (const auto* end = std::get_if<Finish>(&action)) {
                return *end;
            }
        }
        return std::nullopt;
    }
    // What was said with this event.
    [[nodiscard]] std::string said() const {
        std::string text;
        for (const Action& action : actions) {
            if (const auto* say = std::get_if<Say>(&action)) {
                text += say->text + "\n";
            }
        }
        return text;
    }
    template <typename Wanted>
    [[nodiscard]] bool did(const Wanted& wanted) const {
        return std::any_of(actions.begin(), actions.end(), [&](const Action& action) {
            const auto* found = std::get_if<Wanted>(&action);
            return found != nullptr && *found == wanted;
        });
    }

    State state;
    Actions actions;

  private:
    void take(Step next) {
        state = std::move(next.state);
        actions = std::move(next.actions);
    }

    Config config_;
};

Run running(Config config = plain()) {
    Run run{std::move(config)};
    const std::size_t checks = run.state.checks_left;
    run.feed(QmpReady{});
    for (std::size_t i = 0; i < checks; ++i) {
        run.feed(CheckAnswered{i, "on"});
    }
    REQUIRE(run.state.phase == Phase::running);
    return run;
}

Run with_os(Config config = plain()) {
    Run run = running(std::move(config));
    run.feed(OsSeen{true});
    return run;
}

PowerTold told(InControl who, const std::string& run_state = "running") {
    GuestSigns signs;
    signs.kernel_mode = who == InControl::system;
    signs.writes = who == InControl::firmware ? 0 : 5;
    signs.run_state = run_state;
    return {signs};
}

// A run in each phase, by the shortest way.
Run in_phase(Phase phase) {
    switch (phase) {
        case Phase::starting:
            return Run{with_checks()};
        case Phase::checking:
            return std::move(Run{with_checks()}.feed(QmpReady{}));
        case Phase::waiting:
            return std::move(Run{with_port()}.feed(QmpReady{}));
        case Phase::running:
            return running();
        case Phase::asking:
            return std::move(running().feed(SignalReceived{SIGTERM}));
        case Phase::powering_down:
            return std::move(with_os().feed(SignalReceived{SIGTERM}));
        case Phase::quitting:
            return std::move(running().feed(SignalReceived{SIGTERM}).feed(told(InControl::firmware)));
        case Phase::killing:
            return std::move(running().feed(DeadlinePassed{Deadline::kill}));
        case Phase::ended:
            return std::move(running().feed(ChildEnded{exited(0), {}}));
    }
    throw std::logic_error{"no such phase"};
}

constexpr Phase all_phases[] = {Phase::starting, Phase::checking, Phase::waiting,
                                Phase::running,  Phase::asking,   Phase::powering_down,
                                Phase::quitting, Phase::killing,  Phase::ended};

TEST_CASE("each phase is reached by its events") {
    for (const Phase phase : all_phases) {
        CHECK(in_phase(phase).state.phase == phase);
    }
}

Config with_first_boot() {
    Config config = plain();
    config.after_first_boot = {{"/machine/peripheral/net0", -1}, {"/machine/peripheral/disk0-dev", 101}};
    config.remember_first_boot = true;
    return config;
}

const QemuEvent reset_by_guest{"RESET", "guest-reset"};
const QemuEvent reset_by_user{"RESET", "host-qmp-system-reset"};
const SendCommand reset_again{Command::system_reset};

TEST_CASE("the later boot order is sent once an operating system runs, and once") {
    Run run = running(with_first_boot());
    CHECK_FALSE(run.did(SendBootOrder{}));
    CHECK_FALSE(run.feed(OsSeen{false}).did(SendBootOrder{}));
    CHECK(run.feed(OsSeen{true}).did(SendBootOrder{}));
    run.feed(BootOrderChanged{});
    CHECK_FALSE(run.feed(OsSeen{true, true}).did(SendBootOrder{}));
    CHECK_FALSE(run.feed(reset_by_guest).did(reset_again));
    CHECK_FALSE(run.feed(OsSeen{true}).did(SendBootOrder{}));
    CHECK_FALSE(with_os().did(SendBootOrder{}));
    CHECK(contains(run.feed(BootOrderRefused{"no such property"}).said(),
                   "the boot order cannot be changed for the next reset: no such property"));
}

TEST_CASE("a reset before any operating system ran leaves the first boot as it is") {
    for (const QemuEvent& reset : {reset_by_guest, reset_by_user}) {
        Run run = running(with_first_boot());
        CHECK_FALSE(run.feed(reset).did(RememberFirstBoot{}));
        run.feed(WritesTold{false});
        CHECK(contains(run.said(), "no operating system had run: --boot-once counts for this boot"));
        CHECK_FALSE(run.did(SendBootOrder{}));
        CHECK_FALSE(run.did(RememberFirstBoot{}));
        // The next boot installs.
        CHECK(run.feed(OsSeen{true}).did(SendBootOrder{}));
        run.feed(BootOrderChanged{});
        CHECK(run.feed(reset_by_guest).did(RememberFirstBoot{}));
        CHECK(run.feed(WritesTold{false}).said().empty());
    }
    CHECK(running().feed(reset_by_guest).feed(WritesTold{false}).said().empty());
}

TEST_CASE("a silent installer is known by what it wrote, and the machine is reset once more") {
    Run run = running(with_first_boot());
    run.feed(reset_by_guest).feed(WritesTold{true});
    CHECK(run.did(SendBootOrder{}));
    CHECK(run.did(reset_again));
    CHECK(run.did(RememberFirstBoot{}));
    run.feed(BootOrderChanged{});
    CHECK(run.feed(reset_by_user).actions.empty());
    CHECK(run.feed(WritesTold{false}).actions.empty());
}

TEST_CASE("a reset that overtook the later boot order is done again, once") {
    Run run = with_os(with_first_boot());
    REQUIRE(run.did(SendBootOrder{}));
    run.feed(reset_by_guest);
    CHECK(run.did(reset_again));
    CHECK(run.did(RememberFirstBoot{}));
    run.feed(BootOrderChanged{});
    CHECK(run.feed(reset_by_user).actions.empty());
}

TEST_CASE("an order that QEMU refuses to change resets nothing") {
    Run run = with_os(with_first_boot());
    run.feed(BootOrderRefused{"no such property"});
    CHECK_FALSE(run.feed(reset_by_guest).did(reset_again));
}

TEST_CASE("the first boot is over when the guest resets or powers off by itself") {
    for (const QemuEvent& end :
         {reset_by_guest, QemuEvent{"SHUTDOWN", "guest-shutdown"}, QemuEvent{"SHUTDOWN", "guest-reset"}}) {
        Run run = with_os(with_first_boot());
        run.feed(BootOrderChanged{});
        CHECK(run.feed(end).did(RememberFirstBoot{}));
        CHECK_FALSE(run.feed(end).did(RememberFirstBoot{}));
    }
    for (const QemuEvent& other :
         {reset_by_user, QemuEvent{"SHUTDOWN", "host-qmp-quit"}, QemuEvent{"RTC_CHANGE", ""}}) {
        Run run = with_os(with_first_boot());
        run.feed(BootOrderChanged{});
        CHECK_FALSE(run.feed(other).did(RememberFirstBoot{}));
    }
    Config nothing_kept = with_first_boot();
    nothing_kept.remember_first_boot = false;
    Run run = with_os(nothing_kept);
    run.feed(BootOrderChanged{});
    CHECK_FALSE(run.feed(reset_by_guest).did(RememberFirstBoot{}));
}

TEST_CASE("an image that is in use is told of by name") {
    Config config = plain();
    config.files = {{103, "/images/d.qcow2"}};
    Run run{config};
    run.feed(ChildEnded{
        exited(1),
        {"x: Failed to get \"write\" lock", "Is another process using the image [/dev/fdset/103]?"}});
    REQUIRE(run.finish());
    CHECK(run.finish()->exit_code == 4);
    CHECK(contains(run.finish()->fault->what, "/images/d.qcow2 is in use by another VM"));
}

TEST_CASE("a death by the out-of-memory killer is named as that") {
    Run run = in_phase(Phase::running);
    run.feed(ChildEnded{killed(SIGKILL), {}, true});
    REQUIRE(run.finish());
    CHECK(run.finish()->exit_code == 4);
    CHECK(run.finish()->fault->what == "the kernel's out-of-memory killer ended qemu-system-x86_64");
    CHECK(contains(run.finish()->fault->hint, "a higher limit of the container"));
    Run crashed = in_phase(Phase::running);
    crashed.feed(ChildEnded{killed(SIGSEGV), {}, true});
    CHECK_FALSE(contains(crashed.finish()->fault->what, "out-of-memory"));
}

TEST_CASE("a guest that reboots instead of powering off is stopped at once, cleanly") {
    Run run = in_phase(Phase::powering_down);
    run.feed(QemuEvent{"RESET", "guest-reset"});
    CHECK(contains(run.said(), "rebooted instead"));
    CHECK(run.state.phase == Phase::quitting);
    CHECK(run.did(SendCommand{Command::quit}));
    run.feed(ChildEnded{exited(0), {}});
    REQUIRE(run.finish());
    CHECK(run.finish()->exit_code == 0);
}

// -- a bridge port that does not forward yet

TEST_CASE("the guest waits until the bridge's port forwards") {
    Run run = in_phase(Phase::waiting);
    CHECK_FALSE(run.did(SendCommand{Command::cont}));
    CHECK(run.did(StartDeadline{Deadline::ports, seconds{18}}));
    CHECK(contains(run.said(), "waiting until br0 forwards, about 8 s"));
    run.feed(PortForwards{});
    CHECK(run.state.phase == Phase::running);
    CHECK(run.did(SendCommand{Command::cont}));
    CHECK(run.did(CancelDeadline{Deadline::ports}));
}

TEST_CASE("a port that forwards before QEMU answers is not waited for") {
    Run run{with_port()};
    run.feed(PortForwards{});
    run.feed(QmpReady{});
    CHECK(run.state.phase == Phase::running);
    CHECK(run.did(SendCommand{Command::cont}));
}

TEST_CASE("every port is waited for") {
    Config config = with_port();
    config.ports.push_back({2, "br1", milliseconds{4000}});
    Run run{config};
    run.feed(QmpReady{});
    run.feed(PortForwards{});
    CHECK(run.state.phase == Phase::waiting);
    run.feed(PortForwards{});
    CHECK(run.state.phase == Phase::running);
}

TEST_CASE("a port that never forwards does not hold the guest for ever") {
    Run run = in_phase(Phase::waiting);
    run.feed(DeadlinePassed{Deadline::ports});
    CHECK(run.state.phase == Phase::running);
    CHECK(contains(run.said(), "still does not forward"));
    run.feed(PortForwards{});
    CHECK_FALSE(run.did(SendCommand{Command::cont}));
}

TEST_CASE("a stop while the guest waits is a stop at once") {
    Run run = in_phase(Phase::waiting);
    run.feed(SignalReceived{SIGTERM});
    CHECK(run.did(SendCommand{Command::quit}));
    run.feed(ChildEnded{exited(0), {}});
    REQUIRE(run.finish());
    CHECK(run.finish()->exit_code == 0);
}

// -- the start

TEST_CASE("a start waits for QEMU, but not for ever") {
    const Run run{with_checks(2)};
    CHECK(run.state.phase == Phase::starting);
    CHECK(run.state.checks_left == 2);
    CHECK(run.actions == Actions{StartDeadline{Deadline::start, seconds{60}}});
}

TEST_CASE("without checks the guest runs as soon as QEMU answers") {
    Run run{plain()};
    run.feed(QmpReady{});
    CHECK(run.state.phase == Phase::running);
    CHECK(run.actions == Actions{CancelDeadline{Deadline::start}, SendCommand{Command::cont}});
}

TEST_CASE("with checks the guest runs once all of them are answered as expected") {
    Run run{with_checks(2)};
    run.feed(QmpReady{});
    CHECK(run.state.phase == Phase::checking);
    CHECK(run.actions == Actions{SendChecks{}});
    run.feed(CheckAnswered{1, "on"});
    CHECK(run.state.phase == Phase::checking);
    CHECK(run.actions.empty());
    run.feed(CheckAnswered{0, "on"});
    CHECK(run.state.phase == Phase::running);
    CHECK(run.actions == Actions{CancelDeadline{Deadline::start}, SendCommand{Command::cont}});
}

TEST_CASE("a check that fails ends the run before the guest ran") {
    for (const std::optional<std::string>& answer :
         {std::optional<std::string>{"off"}, std::optional<std::string>{}}) {
        Run run{with_checks(2)};
        run.feed(QmpReady{}).feed(CheckAnswered{0, answer});
        CHECK(run.state.phase == Phase::quitting);
        CHECK(run.actions == Actions{CancelDeadline{Deadline::start}, SendCommand{Command::quit},
                                     StartDeadline{Deadline::quit, seconds{3}}});
        run.feed(CheckAnswered{1, "on"});
        CHECK(run.actions.empty());  // the other answer starts nothing any more
        run.feed(QemuEvent{"SHUTDOWN", "host-qmp-quit"}).feed(ChildEnded{exited(0), {}});
        REQUIRE(run.finish());
        CHECK(run.finish()->exit_code == 10);
        CHECK(run.finish()->fault->what == "the ROM would never run");
        CHECK(run.finish()->fault->why ==
              "disable-legacy of /machine/peripheral/net0 is " + answer.value_or("unknown") + ", not on");
        CHECK_FALSE(run.finish()->fault->hint.empty());
    }
}

TEST_CASE("QEMU that will not start the guest is told to quit, and its words are the reason") {
    Run run = running();
    run.feed(ContinueRefused{"no way"});
    CHECK(run.state.phase == Phase::quitting);
    CHECK(run.did(SendCommand{Command::quit}));
    run.feed(ChildEnded{exited(0), {}});
    CHECK(run.finish()->exit_code == 4);
    CHECK(run.finish()->fault == Fault{"QEMU would not start the guest", "no way", "", ExitCode::qemu});
}

TEST_CASE("QEMU that does not answer is killed") {
    for (const Phase phase : {Phase::starting, Phase::checking}) {
        Run run = in_phase(phase);
        run.feed(DeadlinePassed{Deadline::start});
        CHECK(run.state.phase == Phase::killing);
        CHECK(run.actions == Actions{KillQemu{SIGKILL}});
        run.feed(ChildEnded{killed(SIGKILL), {}});
        CHECK(run.finish()->exit_code == 4);
        CHECK(run.finish()->fault->what == "qemu-system-x86_64 does not answer");
        CHECK(run.finish()->fault->why == "no reply over QMP within 60 s");
    }
}

TEST_CASE("a start deadline that fires while the answer is on its way changes nothing any more") {
    for (const Phase phase :
         {Phase::waiting, Phase::running, Phase::powering_down, Phase::quitting, Phase::killing}) {
        Run run = in_phase(phase);
        const State before = run.state;
        run.feed(DeadlinePassed{Deadline::start});
        CHECK(run.actions.empty());
        CHECK(run.state == before);
    }
}

TEST_CASE("a guest that runs starts once") {
    Run run = running(with_checks());
    const State before = run.state;
    run.feed(QmpReady{});
    CHECK(run.actions.empty());
    run.feed(CheckAnswered{0, "off"});
    CHECK(run.actions.empty());
    CHECK(run.state == before);
}

// -- QEMU's events

bool in_use(Phase phase) {
    return phase == Phase::running || phase == Phase::asking || phase == Phase::powering_down;
}

TEST_CASE("a stop that nobody asked for is looked into while the guest is in use") {
    for (const Phase phase : all_phases) {
        Run run = in_phase(phase);
        run.feed(QemuEvent{"STOP", ""});
        CAPTURE(static_cast<int>(phase));
        CHECK(run.actions == (in_use(phase) ? Actions{SendCommand{Command::query_status}} : Actions{}));
        CHECK(run.state.phase == phase);
    }
}

TEST_CASE("an internal error ends the run; with KVM the hint is emulation") {
    for (const bool kvm : {true, false}) {
        Config config = plain();
        config.kvm = kvm;
        Run run = running(config);
        run.feed(StatusAnswered{"internal-error"});
        CHECK(run.state.phase == Phase::quitting);
        CHECK(run.did(SendCommand{Command::quit}));
        run.feed(QemuEvent{"SHUTDOWN", "host-qmp-quit"}).feed(ChildEnded{exited(0), {}});
        REQUIRE(run.finish());
        CHECK(run.finish()->exit_code == 4);
        CHECK(run.finish()->fault->what == "QEMU stopped the guest with an internal error");
        CHECK(contains(run.finish()->fault->hint, "--accel tcg") == kvm);
    }
}

TEST_CASE("a guest that is paused goes on being watched") {
    Run run = running();
    run.feed(StatusAnswered{"io-error"});
    CHECK(contains(run.said(), "a disk could not be written"));
    CHECK(std::get<Say>(run.actions.at(0)).level == LogLevel::warning);
    run.feed(StatusAnswered{"paused"});
    CHECK(contains(run.said(), "the guest is paused"));
    run.feed(StatusAnswered{"running"});
    CHECK(run.actions.empty());
    run.feed(StatusAnswered{"a status of a later QEMU"});
    CHECK(run.actions.empty());
    CHECK(run.state.phase == Phase::running);
}

TEST_CASE("a status means nothing in any other phase") {
    for (const Phase phase : all_phases) {
        if (in_use(phase)) {
            continue;
        }
        Run run = in_phase(phase);
        const State before = run.state;
        run.feed(StatusAnswered{"internal-error"});
        CHECK(run.state == before);
        CHECK(run.actions.empty());
    }
}

TEST_CASE("events that mean nothing to a run change nothing") {
    for (const Phase phase : all_phases) {
        for (const char* name :
             {"RESUME", "RESET", "RTC_CHANGE", "NIC_RX_FILTER_CHANGED", "POWERDOWN", "", "NEW"}) {
            if (phase == Phase::powering_down && std::string{name} == "RESET") {
                continue;  // the guest rebooted instead: a case of its own
            }
            Run run = in_phase(phase);
            const State before = run.state;
            run.feed(QemuEvent{name, ""});
            CHECK(run.state == before);
            CHECK(run.actions.empty());
        }
    }
}

TEST_CASE("whether an operating system runs is remembered in every phase") {
    for (const Phase phase : all_phases) {
        Run run = in_phase(phase);
        run.feed(OsSeen{true});
        CHECK(run.state.os_runs);
        run.feed(OsSeen{false});
        CHECK_FALSE(run.state.os_runs);
        CHECK(run.state.phase == phase);
        CHECK(run.actions.empty());
    }
}

// -- signals

TEST_CASE("a signal while QEMU starts kills it: no guest has run") {
    Run run = in_phase(Phase::starting);
    run.feed(SignalReceived{SIGINT});
    CHECK(run.state.phase == Phase::killing);
    CHECK(run.did(KillQemu{SIGKILL}));
    run.feed(ChildEnded{killed(SIGKILL), {}});
    CHECK(run.finish() == Finish{0, std::nullopt, "stopped by SIGINT"});
}

TEST_CASE("a signal before the guest was started quits at once") {
    for (const Phase phase : {Phase::checking, Phase::waiting}) {
        Run run = in_phase(phase);
        run.feed(SignalReceived{SIGTERM});
        CHECK(run.state.phase == Phase::quitting);
        CHECK(contains(run.said(), "SIGTERM: stopping (the guest has not been started)"));
        CHECK(run.did(SendCommand{Command::quit}));
        run.feed(QemuEvent{"SHUTDOWN", "host-qmp-quit"}).feed(ChildEnded{exited(0), {}});
        CHECK(run.finish() == Finish{0, std::nullopt, "stopped by SIGTERM"});
    }
}

TEST_CASE("a guest that has said nothing is asked about before its power is cut") {
    Run run = running();
    run.feed(SignalReceived{SIGTERM});
    CHECK(run.state.phase == Phase::asking);
    CHECK(run.actions == Actions{AskPower{}, StartDeadline{Deadline::ask, seconds{2}}});
}

TEST_CASE("where firmware is known to be in control, QEMU quits at once") {
    Run run = running();
    run.feed(SignalReceived{SIGTERM}).feed(told(InControl::firmware));
    CHECK(run.state.phase == Phase::quitting);
    CHECK(contains(run.said(), "SIGTERM: stopping (no operating system runs)"));
    CHECK(run.did(CancelDeadline{Deadline::ask}));
    CHECK(run.did(SendCommand{Command::quit}));
    CHECK(run.did(StartDeadline{Deadline::quit, seconds{3}}));
    CHECK_FALSE(run.did(SendCommand{Command::system_powerdown}));
    run.feed(QemuEvent{"SHUTDOWN", "host-qmp-quit"}).feed(ChildEnded{exited(0), {}});
    CHECK(run.finish() == Finish{0, std::nullopt, "stopped by SIGTERM"});
}

TEST_CASE("else the power button is pressed, and a forced end is told as one") {
    for (const auto& answer : {Event{told(InControl::system)}, Event{told(InControl::unknown)},
                               Event{DeadlinePassed{Deadline::ask}}}) {
        Run run = running();
        run.feed(SignalReceived{SIGTERM}).feed(answer);
        CHECK(run.state.phase == Phase::powering_down);
        CHECK(run.did(SendCommand{Command::system_powerdown}));
        CHECK(run.did(StartDeadline{Deadline::grace, seconds{8}}));
        run.feed(DeadlinePassed{Deadline::grace}).feed(ChildEnded{exited(0), {}});
        CHECK(run.finish() == Finish{128 + SIGTERM, std::nullopt, "forced to stop after SIGTERM"});
    }
}

TEST_CASE("an answer that comes too late changes nothing") {
    for (const Phase phase : all_phases) {
        if (phase != Phase::asking) {
            Run run = in_phase(phase);
            const State before = run.state;
            run.feed(told(InControl::firmware));
            CHECK(run.state == before);
            CHECK(run.actions.empty());
            run.feed(DeadlinePassed{Deadline::ask});
            CHECK(run.state == before);
            CHECK(run.actions.empty());
        }
    }
}

TEST_CASE("a second signal while QEMU is asked forces") {
    Run run = in_phase(Phase::asking);
    run.feed(SignalReceived{SIGTERM});
    CHECK(run.state.phase == Phase::quitting);
    run.feed(ChildEnded{exited(0), {}});
    CHECK(run.finish()->exit_code == 128 + SIGTERM);
}

TEST_CASE("packets of a guest that powers down are no reboot") {
    Run run = in_phase(Phase::powering_down);
    run.feed(OsSeen{false, false, "seen last: DHCP"});
    CHECK(run.state.phase == Phase::powering_down);
    CHECK(run.actions.empty());
}

TEST_CASE("a signal while an operating system runs presses the power button") {
    Config config = plain();
    config.stop_timeout = seconds{30};
    Run run = with_os(config);
    run.feed(SignalReceived{SIGHUP});
    CHECK(run.state.phase == Phase::powering_down);
    CHECK(contains(run.said(), "SIGHUP: pressing the guest's power button; it has 30 s"));
    CHECK(run.did(StartDeadline{Deadline::grace, seconds{30}}));
    CHECK(run.did(SendCommand{Command::system_powerdown}));
    CHECK(run.did(StartDeadline{Deadline::powerdown_again, seconds{2}}));
    CHECK_FALSE(run.did(SendCommand{Command::quit}));
    run.feed(QemuEvent{"SHUTDOWN", "guest-shutdown"}).feed(ChildEnded{exited(0), {}});
    CHECK(run.finish() == Finish{0, std::nullopt, "stopped by SIGHUP"});
}

TEST_CASE("`vm-launch stop` is a stop like SIGTERM's, and is told as what it was") {
    Run run = with_os(plain());
    run.feed(StopAsked{});
    CHECK(run.state.phase == Phase::powering_down);
    CHECK(contains(run.said(), "`vm-launch stop`: pressing the guest's power button"));
    run.feed(QemuEvent{"SHUTDOWN", "guest-shutdown"}).feed(ChildEnded{exited(0), {}});
    CHECK(run.finish() == Finish{0, std::nullopt, "stopped by `vm-launch stop`"});
    Run forced = with_os(plain());
    forced.feed(StopAsked{}).feed(DeadlinePassed{Deadline::grace}).feed(ChildEnded{exited(0), {}});
    CHECK(forced.finish()->exit_code == 128 + SIGTERM);
}

TEST_CASE("SIGQUIT ends a guest at once, and says what that was") {
    Run run = with_os(plain());
    run.feed(SignalReceived{SIGQUIT});
    CHECK(run.state.phase == Phase::quitting);
    CHECK(run.did(SendCommand{Command::quit}));
    CHECK_FALSE(run.did(SendCommand{Command::system_powerdown}));
    run.feed(QemuEvent{"SHUTDOWN", "host-qmp-quit"}).feed(ChildEnded{exited(0), {}});
    CHECK(run.finish() == Finish{128 + SIGQUIT, std::nullopt, "forced to stop after SIGQUIT"});
}

TEST_CASE("SIGQUIT is a clean stop only where no operating system runs") {
    Run run = in_phase(Phase::running);
    run.feed(SignalReceived{SIGQUIT})
        .feed(told(InControl::firmware))
        .feed(QemuEvent{"SHUTDOWN", "host-qmp-quit"})
        .feed(ChildEnded{exited(0), {}});
    CHECK(run.finish() == Finish{0, std::nullopt, "stopped by SIGQUIT"});
    Run silent = in_phase(Phase::running);
    silent.feed(SignalReceived{SIGQUIT}).feed(told(InControl::system));
    CHECK_FALSE(silent.did(SendCommand{Command::system_powerdown}));
    silent.feed(ChildEnded{exited(0), {}});
    CHECK(silent.finish()->exit_code == 128 + SIGQUIT);
}

// -- a guest that stands still

Run paused_by_disk(bool resumes = true, bool no_space = true) {
    Config config = plain();
    config.resumes = resumes;
    Run run = running(config);
    run.feed(QemuEvent{"BLOCK_IO_ERROR", "No space left on device", no_space}).feed(QemuEvent{"STOP", ""});
    run.feed(StatusAnswered{"io-error"});
    return run;
}

TEST_CASE("a guest that a full disk paused goes on by itself once there is room") {
    Run run = paused_by_disk();
    CHECK(
        contains(run.said(), "its file system on the host is full; it goes on by itself once there is room"));
    CHECK(run.did(StartDeadline{Deadline::resume, seconds{2}}));
    for (int i = 0; i < 3; ++i) {
        run.feed(DeadlinePassed{Deadline::resume});
        CHECK(run.actions ==
              Actions{SendCommand{Command::resume}, StartDeadline{Deadline::resume, seconds{1}}});
        run.feed(QemuEvent{"RESUME", ""});
        CHECK(run.actions.empty());
        run.feed(QemuEvent{"STOP", ""}).feed(StatusAnswered{"io-error"});
        CHECK(run.said().empty());  // it was told once
        CHECK(run.state.pause.state == "io-error");
    }
    run.feed(DeadlinePassed{Deadline::resume}).feed(DeadlinePassed{Deadline::resume});
    CHECK(contains(run.said(), "the guest goes on: its disk can be written again"));
    CHECK(run.state.pause == Pause{});
    run.feed(DeadlinePassed{Deadline::resume});
    CHECK(run.actions.empty());  // nothing ticks any more
}

TEST_CASE("nothing is tried by itself where that was not wanted, nor for another error than a lack of room") {
    for (Run run : {paused_by_disk(false, true), paused_by_disk(true, false)}) {
        CHECK(contains(run.said(), "`vm-launch resume` lets it go on"));
        CHECK_FALSE(run.did(StartDeadline{Deadline::resume, seconds{2}}));
    }
}

TEST_CASE("`vm-launch resume` is answered by what becomes of it") {
    Run run = paused_by_disk(false);
    run.feed(ResumeAsked{});
    CHECK(run.actions == Actions{SendCommand{Command::resume}, StartDeadline{Deadline::resume, seconds{1}}});
    run.feed(QemuEvent{"STOP", ""}).feed(StatusAnswered{"io-error"});
    CHECK(run.did(TellResumed{"a disk still cannot be written"}));
    run.feed(ResumeAsked{}).feed(DeadlinePassed{Deadline::resume});
    CHECK(run.did(TellResumed{}));
    run.feed(ResumeAsked{}).feed(ResumeRefused{"Resetting the Virtual Machine is required"});
    CHECK(run.did(TellResumed{"Resetting the Virtual Machine is required"}));
    CHECK(run.state.pause == Pause{});
    for (const Phase phase : {Phase::starting, Phase::waiting, Phase::quitting, Phase::killing}) {
        Run other = in_phase(phase);
        other.feed(ResumeAsked{});
        REQUIRE(other.actions.size() == 1);
        CHECK_FALSE(std::get<TellResumed>(other.actions.front()).why_not.empty());
    }
}

TEST_CASE("a guest that stood still runs after `vm-launch reset`, whatever QEMU makes of it") {
    Run run = paused_by_disk(false);
    run.feed(ResetAsked{});
    CHECK(run.feed(QemuEvent{"RESET", "host-qmp-system-reset"}).did(SendCommand{Command::query_status}));
    CHECK(run.feed(StatusAnswered{"prelaunch"}).did(SendCommand{Command::resume}));
    run.feed(QemuEvent{"RESUME", ""});
    CHECK(run.state.pause == Pause{});  // at once: no disk stands in its way
    CHECK(run.feed(DeadlinePassed{Deadline::resume}).actions.empty());
    CHECK_FALSE(run.state.reset_asked);
    Run runs = running();
    runs.feed(ResetAsked{}).feed(QemuEvent{"RESET", "host-qmp-system-reset"});
    CHECK(runs.feed(StatusAnswered{"running"}).actions.empty());
}

TEST_CASE("a reset that somebody else did leaves a paused guest as it is") {
    Run run = paused_by_disk(false);
    run.feed(QemuEvent{"RESET", "host-qmp-system-reset"}).feed(StatusAnswered{"prelaunch"});
    CHECK_FALSE(run.did(SendCommand{Command::resume}));
    CHECK(run.state.pause.state == "prelaunch");
}

TEST_CASE("somebody else may let the guest go on") {
    Run run = paused_by_disk(false);
    run.feed(QemuEvent{"RESUME", ""});
    CHECK(contains(run.said(), "the guest goes on"));
    CHECK(run.state.pause == Pause{});
}

TEST_CASE("a stop lets a paused guest go on, so that it hears its power button") {
    Run run = paused_by_disk(false);
    run.feed(SignalReceived{SIGTERM}).feed(told(InControl::system, "io-error"));
    CHECK(run.state.phase == Phase::powering_down);
    CHECK(run.did(SendCommand{Command::resume}));
    CHECK(run.did(SendCommand{Command::system_powerdown}));
    run.feed(QemuEvent{"STOP", ""}).feed(StatusAnswered{"io-error"});
    CHECK(run.did(StartDeadline{Deadline::resume, seconds{2}}));  // whatever was set: there is not much time
    run.feed(DeadlinePassed{Deadline::grace}).feed(ChildEnded{exited(0), {}});
    CHECK(run.finish()->exit_code == 128 + SIGTERM);
}

TEST_CASE("a guest that panicked, and was kept, is ended without a button, and not as a clean stop") {
    Run run = running();
    run.feed(SignalReceived{SIGTERM}).feed(told(InControl::system, "guest-panicked"));
    CHECK(run.state.phase == Phase::quitting);
    CHECK(contains(run.said(), "the guest panicked"));
    run.feed(ChildEnded{exited(0), {}});
    CHECK(run.finish()->exit_code == 128 + SIGTERM);
}

TEST_CASE("the power button is pressed again until the guest listens, and no longer") {
    Run run = in_phase(Phase::powering_down);
    for (int i = 0; i < 3; ++i) {
        run.feed(DeadlinePassed{Deadline::powerdown_again});
        CHECK(run.actions == Actions{SendCommand{Command::system_powerdown},
                                     StartDeadline{Deadline::powerdown_again, seconds{2}}});
    }
    for (const Phase phase : all_phases) {
        if (phase != Phase::powering_down) {
            Run other = in_phase(phase);
            other.feed(DeadlinePassed{Deadline::powerdown_again});
            CHECK(other.actions.empty());
            CHECK(other.state.phase == phase);
        }
    }
}

TEST_CASE("when the grace is over the guest is forced, and the exit code says so") {
    Run run = in_phase(Phase::powering_down);
    run.feed(DeadlinePassed{Deadline::grace});
    CHECK(run.state.phase == Phase::quitting);
    CHECK(contains(run.said(), "did not power off in time"));
    CHECK(run.did(SendCommand{Command::quit}));
    CHECK(run.did(StartDeadline{Deadline::quit, seconds{1}}));
    run.feed(QemuEvent{"SHUTDOWN", "host-qmp-quit"}).feed(ChildEnded{exited(0), {}});
    CHECK(run.finish() == Finish{128 + SIGTERM, std::nullopt, "forced to stop after SIGTERM"});
}

TEST_CASE("a grace that passes in another phase changes nothing") {
    for (const Phase phase : all_phases) {
        if (phase != Phase::powering_down) {
            Run run = in_phase(phase);
            const State before = run.state;
            run.feed(DeadlinePassed{Deadline::grace});
            CHECK(run.actions.empty());
            CHECK(run.state == before);
        }
    }
}

TEST_CASE("a second signal forces a guest that is powering down") {
    Run run = in_phase(Phase::powering_down);
    run.feed(SignalReceived{SIGINT});
    CHECK(run.state.phase == Phase::quitting);
    CHECK(contains(run.said(), "SIGINT again: forcing the stop"));
    CHECK(run.did(SendCommand{Command::quit}));
    CHECK(run.did(StartDeadline{Deadline::quit, seconds{1}}));
    run.feed(ChildEnded{exited(0), {}});
    CHECK(run.finish()->exit_code == 128 + SIGTERM);  // the first signal asked for the stop
}

TEST_CASE("a second signal kills a QEMU that was told to quit, and a third changes nothing") {
    Run run = in_phase(Phase::quitting);
    run.feed(SignalReceived{SIGINT});
    CHECK(run.state.phase == Phase::killing);
    CHECK(run.did(KillQemu{SIGKILL}));
    run.feed(SignalReceived{SIGINT});
    CHECK(run.state.phase == Phase::killing);
    CHECK_FALSE(run.did(KillQemu{SIGKILL}));
    run.feed(ChildEnded{killed(SIGKILL), {}});
    CHECK(run.finish()->exit_code == 128 + SIGTERM);
}

TEST_CASE("three signals force a guest that ignores its power button") {
    Run run = with_os();
    run.feed(SignalReceived{SIGTERM}).feed(SignalReceived{SIGTERM});
    CHECK(run.state.phase == Phase::quitting);
    run.feed(SignalReceived{SIGTERM});
    CHECK(run.state.phase == Phase::killing);
    run.feed(ChildEnded{killed(SIGKILL), {}});
    CHECK(run.finish()->exit_code == 128 + SIGTERM);
}

TEST_CASE("a signal after the end changes nothing") {
    Run run = in_phase(Phase::ended);
    const State before = run.state;
    run.feed(SignalReceived{SIGTERM});
    CHECK(run.actions.empty());
    CHECK(run.state == before);
}

TEST_CASE("QEMU that does not quit is killed") {
    Run run = in_phase(Phase::quitting);
    run.feed(DeadlinePassed{Deadline::quit});
    CHECK(run.state.phase == Phase::killing);
    CHECK(run.actions == Actions{KillQemu{SIGKILL}});
    run.feed(ChildEnded{killed(SIGKILL), {}});
    CHECK(run.finish()->exit_code == 128 + SIGTERM);
}

TEST_CASE("a fault stays the reason when QEMU had to be killed after it") {
    Run run = running();
    run.feed(StatusAnswered{"internal-error"}).feed(DeadlinePassed{Deadline::quit});
    CHECK(run.did(KillQemu{SIGKILL}));
    run.feed(ChildEnded{killed(SIGKILL), {}});
    CHECK(run.finish()->exit_code == 4);
    CHECK(run.finish()->fault->what == "QEMU stopped the guest with an internal error");
}

TEST_CASE("a QMP that closed gives QEMU a moment to end, and then it is killed") {
    for (const Phase phase : all_phases) {
        Run run = in_phase(phase);
        run.feed(QmpClosed{});
        const bool waits = phase != Phase::killing && phase != Phase::ended;
        CHECK(run.actions == (waits ? Actions{StartDeadline{Deadline::kill, seconds{3}}} : Actions{}));
        CHECK(run.state.phase == phase);
    }
    Run run = running();
    run.feed(QmpClosed{}).feed(DeadlinePassed{Deadline::kill});
    CHECK(run.did(KillQemu{SIGKILL}));
    run.feed(ChildEnded{killed(SIGKILL), {}});
    CHECK(run.finish()->exit_code == 4);
}

// -- the end

TEST_CASE("the child's end ends the run in every phase") {
    for (const Phase phase : all_phases) {
        if (phase != Phase::ended) {
            Run run = in_phase(phase);
            run.feed(ChildEnded{exited(0), {}});
            CHECK(run.state.phase == Phase::ended);
            CHECK(run.finish().has_value());
            CHECK(run.actions.size() == 1);
        }
    }
}

TEST_CASE("QEMU that dies early could not start, and its last words are the reason") {
    for (const Phase phase : {Phase::starting, Phase::checking}) {
        Run run = in_phase(phase);
        run.feed(ChildEnded{exited(1), {"qemu: -device foo: no such device", "bye"}});
        REQUIRE(run.finish());
        CHECK(run.finish()->exit_code == 4);
        CHECK(run.finish()->fault->what == "qemu-system-x86_64 could not start");
        CHECK(run.finish()->fault->why ==
              "exit status 1\n        qemu: -device foo: no such device\n        bye");
        CHECK(contains(run.finish()->fault->hint, "vm-launch plan"));
    }
}

TEST_CASE("QEMU that dies later died") {
    Run run = running();
    run.feed(ChildEnded{killed(SIGSEGV), {}});
    CHECK(run.finish()->exit_code == 4);
    CHECK(run.finish()->fault->what == "qemu-system-x86_64 died");
    CHECK(run.finish()->fault->why == "killed by SIGSEGV");
}

TEST_CASE("an exit status 0 without a reason is a death too") {
    Run run = running();
    run.feed(ChildEnded{exited(0), {}});
    CHECK(run.finish()->exit_code == 4);
    CHECK(run.finish()->fault->why == "exit status 0");
}

TEST_CASE("who killed QEMU shows in the hint") {
    const auto hint = [](int wait_status) {
        Run run = running();
        run.feed(ChildEnded{wait_status, {}});
        return run.finish()->fault->hint;
    };
    CHECK(contains(hint(killed(SIGKILL)), "out-of-memory"));
    CHECK(contains(hint(killed(SIGSYS)), "sandbox"));
    CHECK_FALSE(contains(hint(killed(SIGABRT)), "sandbox"));
    CHECK_FALSE(contains(hint(exited(9)), "out-of-memory"));  // a status, not a signal
}

TEST_CASE("a core dump is still a death by signal") {
    Run run = running();
    run.feed(ChildEnded{killed(SIGABRT) | WCOREFLAG, {}});
    CHECK(run.finish()->fault->why == "killed by SIGABRT");
}

TEST_CASE("QMP's SHUTDOWN decides how a run ended, whatever the exit status") {
    struct Row {
        std::string reason;
        int exit_code;
        std::string words;
    };
    for (const Row& row :
         {Row{"guest-shutdown", 0, "the guest powered off"},
          Row{"guest-reset", 0, "the guest rebooted, and QEMU was told not to"},
          Row{"host-qmp-quit", 0, "QEMU was told to quit"}, Row{"guest-panic", 20, "the guest panicked"},
          Row{"host-signal", 4, "qemu-system-x86_64 was ended from outside"},
          Row{"host-error", 4, "qemu-system-x86_64 ended"}, Row{"host-ui", 4, "qemu-system-x86_64 ended"},
          Row{"subsystem-reset", 4, "qemu-system-x86_64 ended"}, Row{"", 4, "qemu-system-x86_64 ended"}}) {
        for (const int wait_status : {exited(0), exited(1), killed(SIGKILL)}) {
            CAPTURE(row.reason, wait_status);
            Run run = running();
            run.feed(QemuEvent{"SHUTDOWN", row.reason});
            CHECK(run.actions.empty());
            CHECK(run.state.phase == Phase::running);
            run.feed(ChildEnded{wait_status, {}});
            REQUIRE(run.finish());
            CHECK(run.finish()->exit_code == row.exit_code);
            CHECK(run.finish()->fault.has_value() == (row.exit_code != 0));
            CHECK((row.exit_code != 0 ? run.finish()->fault->what : run.finish()->summary) == row.words);
        }
    }
}

TEST_CASE("an unknown reason is shown with QEMU's end and its last words") {
    Run run = running();
    run.feed(QemuEvent{"SHUTDOWN", "host-error"}).feed(ChildEnded{exited(3), {"last"}});
    CHECK(run.finish()->fault->why == "its reason: host-error; exit status 3\n        last");
}

TEST_CASE("a stop that was asked for wins over QEMU's reason") {
    for (const char* reason : {"guest-shutdown", "host-qmp-quit"}) {
        Run run = in_phase(Phase::powering_down);
        run.feed(QemuEvent{"SHUTDOWN", reason}).feed(ChildEnded{exited(0), {}});
        CHECK(run.finish() == Finish{0, std::nullopt, "stopped by SIGTERM"});
    }
}

TEST_CASE("every signal has its own code when the guest had to be forced") {
    for (const int number : {SIGHUP, SIGINT, SIGTERM}) {
        Run run = with_os();
        run.feed(SignalReceived{number})
            .feed(DeadlinePassed{Deadline::grace})
            .feed(ChildEnded{exited(0), {}});
        CHECK(run.finish()->exit_code == 128 + number);
    }
}

// ---- what the boot comes to

Config that_waits_for(const std::string& until, bool stage = true) {
    Config config = plain();
    config.until = until;
    config.until_stage = stage;
    config.ends_on_failure = true;
    return config;
}

const Fault verdict{"no DHCP server answered", "silence", "look", ExitCode::no_offer};

TEST_CASE("what a run waits for ends it with success") {
    Run run{that_waits_for("dhcp")};
    run.feed(QmpReady{}).feed(BootEnded{BootEnd::until_reached, {}});
    CHECK(run.did(SendCommand{Command::quit}));
    run.feed(QemuEvent{"SHUTDOWN", "host-qmp-quit"}).feed(ChildEnded{exited(0), {}});
    CHECK(run.finish()->exit_code == 0);
    CHECK(run.finish()->summary == "the guest came to dhcp");
}

TEST_CASE("a dead end ends a run that nobody watches, with its verdict") {
    Run run{that_waits_for("os")};
    run.feed(QmpReady{}).feed(BootEnded{BootEnd::dead_end, verdict});
    CHECK(run.did(SendCommand{Command::quit}));
    run.feed(ChildEnded{exited(0), {}});
    CHECK(run.finish()->fault == verdict);
    CHECK(run.finish()->exit_code == 11);
}

TEST_CASE("who sits at the console is told of a dead end, and the VM stays") {
    Run run{plain()};
    run.feed(QmpReady{}).feed(BootEnded{BootEnd::dead_end, verdict});
    CHECK(run.state.phase == Phase::running);
    CHECK(run.actions ==
          Actions{TellVerdict{verdict}, Say{LogLevel::warning, "no DHCP server answered: silence (look)"}});
}

TEST_CASE("falling through to a disk ends a run that waits for a stage of the network boot, and no other") {
    Run waits{that_waits_for("os")};
    waits.feed(QmpReady{}).feed(BootEnded{BootEnd::fell_through, verdict});
    CHECK(waits.state.phase == Phase::quitting);
    CHECK(waits.did(TellVerdict{verdict}));
    waits.feed(BootEnded{BootEnd::dead_end, verdict});
    CHECK(waits.actions.empty());  // it is over
    Run text{that_waits_for("console:login", false)};
    text.feed(QmpReady{}).feed(BootEnded{BootEnd::fell_through, verdict});
    CHECK(text.state.phase == Phase::running);
    CHECK_FALSE(text.did(TellVerdict{verdict}));  // the disk may boot
}

TEST_CASE("a reboot loop is always broken") {
    Run run{plain()};
    run.feed(QmpReady{})
        .feed(BootEnded{BootEnd::reboot_loop, {"again and again", "", "", ExitCode::reboot_loop}});
    run.feed(ChildEnded{exited(0), {}});
    CHECK(run.finish()->exit_code == 16);
}

TEST_CASE("the boot's deadline begins with the guest, and ends with 15 and the verdict's words") {
    Config config = that_waits_for("os");
    config.boot_timeout = seconds{30};
    Run run{config};
    run.feed(QmpReady{});
    CHECK(run.did(StartDeadline{Deadline::boot, seconds{30}}));
    run.feed(DeadlinePassed{Deadline::boot});
    CHECK(run.actions == Actions{AskVerdict{}});
    run.feed(VerdictGiven{verdict});
    const Fault late{verdict.what, "not at os within 30 s; silence", verdict.hint, ExitCode::boot_timeout};
    CHECK(run.did(TellVerdict{late}));
    run.feed(ChildEnded{exited(0), {}});
    CHECK(run.finish()->exit_code == 15);
    CHECK(run.finish()->fault->what == verdict.what);
    CHECK(run.finish()->fault->why == "not at os within 30 s; silence");
}

TEST_CASE("without anything to wait for, an operating system that runs lifts the deadline") {
    Config config = plain();
    config.boot_timeout = seconds{30};
    Run run{config};
    run.feed(QmpReady{}).feed(OsSeen{true, false, ""});
    CHECK_FALSE(run.did(CancelDeadline{Deadline::boot}));
    run.feed(OsSeen{true, true, ""});
    CHECK(run.did(CancelDeadline{Deadline::boot}));
    Run waits{that_waits_for("agent")};
    waits.feed(QmpReady{}).feed(OsSeen{true, true, ""});
    CHECK_FALSE(waits.did(CancelDeadline{Deadline::boot}));
}

TEST_CASE("a guest that powers off before the stage that was waited for has not done what was asked") {
    Run run{that_waits_for("agent")};
    run.feed(QmpReady{})
        .feed(OsSeen{true, true, "seen last: os"})
        .feed(QemuEvent{"SHUTDOWN", "guest-shutdown"});
    run.feed(ChildEnded{exited(0), {}});
    CHECK(run.finish()->exit_code == 15);
    CHECK(run.finish()->fault->why == "seen last: os");
}

TEST_CASE(
    "silence after something unknown was started is waited for where a stage is, and nothing else limits the "
    "run") {
    Run run{that_waits_for("os")};
    run.feed(QmpReady{}).feed(WaitForSilence{});
    CHECK(run.did(StartDeadline{Deadline::silence, seconds{120}}));
    run.feed(WaitForSilence{seconds{7}});
    CHECK(run.did(StartDeadline{Deadline::silence, seconds{7}}));
    run.feed(DeadlinePassed{Deadline::silence});
    CHECK(run.actions == Actions{TellSilence{}});
    Run attached{plain()};
    attached.feed(QmpReady{}).feed(WaitForSilence{});
    CHECK(attached.actions.empty());
    Config limited = that_waits_for("os");
    limited.boot_timeout = seconds{250};
    Run user{limited};
    user.feed(QmpReady{}).feed(WaitForSilence{});
    CHECK(user.actions.empty());
}

Config with_kept_disks(Config config) {
    config.keeps_disks = true;
    return config;
}

TEST_CASE("a run that is over does not cut the power of a guest that writes to a disk which is kept") {
    Run run{with_kept_disks(that_waits_for("agent"))};
    run.feed(QmpReady{}).feed(BootEnded{BootEnd::until_reached, {}});
    CHECK(run.state.phase == Phase::asking);
    run.feed(told(InControl::unknown));
    CHECK(contains(run.said(), "agent was reached: pressing the guest's power button"));
    run.feed(QemuEvent{"SHUTDOWN", "guest-shutdown"}).feed(ChildEnded{exited(0), {}});
    CHECK(run.finish() == Finish{0, std::nullopt, "the guest came to agent"});

    Run untouched{with_kept_disks(that_waits_for("agent"))};
    untouched.feed(QmpReady{}).feed(BootEnded{BootEnd::until_reached, {}});
    PowerTold nothing_written = told(InControl::system);
    nothing_written.signs.writes = 0;
    untouched.feed(nothing_written);
    CHECK(untouched.state.phase == Phase::quitting);
}

TEST_CASE("the boot's deadline does not cut it either, and keeps its exit code") {
    Config config = with_kept_disks(that_waits_for("os"));
    config.boot_timeout = seconds{30};
    Run run{config};
    run.feed(QmpReady{}).feed(DeadlinePassed{Deadline::boot}).feed(VerdictGiven{verdict});
    CHECK(run.state.phase == Phase::asking);
    PowerTold at_work = told(InControl::system);
    run.feed(at_work);
    CHECK(run.state.phase == Phase::powering_down);
    run.feed(DeadlinePassed{Deadline::grace}).feed(ChildEnded{exited(0), {}});
    CHECK(run.finish()->exit_code == 15);
}

TEST_CASE("a signal while the run ends by itself waits with it; the next one forces") {
    Run run{with_kept_disks(that_waits_for("agent"))};
    run.feed(QmpReady{}).feed(BootEnded{BootEnd::until_reached, {}}).feed(told(InControl::unknown));
    run.feed(SignalReceived{SIGTERM});
    CHECK(run.state.phase == Phase::powering_down);
    run.feed(SignalReceived{SIGTERM});
    CHECK(run.state.phase == Phase::quitting);
    run.feed(ChildEnded{exited(0), {}});
    CHECK(run.finish()->exit_code == 128 + SIGTERM);
}

// Any sequence of a few events, from any phase, keeps to the rules that matter most.
TEST_CASE("whatever comes, nothing is sent to a QEMU that has ended, and a kill follows a kill deadline") {
    const std::vector<Event> events{QmpReady{},
                                    CheckAnswered{0, "on"},
                                    CheckAnswered{0, std::nullopt},
                                    ContinueRefused{"x"},
                                    QemuEvent{"SHUTDOWN", "guest-shutdown"},
                                    QemuEvent{"STOP", ""},
                                    StatusAnswered{"internal-error"},
                                    StatusAnswered{"io-error"},
                                    ResumeAsked{},
                                    ResetAsked{},
                                    told(InControl::firmware),
                                    told(InControl::system, "io-error"),
                                    DeadlinePassed{Deadline::ask},
                                    DeadlinePassed{Deadline::resume},
                                    OsSeen{true},
                                    BootEnded{BootEnd::dead_end, verdict},
                                    BootEnded{BootEnd::until_reached, {}},
                                    DeadlinePassed{Deadline::silence},
                                    SignalReceived{SIGTERM},
                                    DeadlinePassed{Deadline::grace},
                                    DeadlinePassed{Deadline::quit},
                                    DeadlinePassed{Deadline::kill},
                                    QmpClosed{}};
    for (const Phase phase : all_phases) {
        for (const Event& first : events) {
            for (const Event& second : events) {
                if (phase == Phase::ended) {
                    continue;
                }
                Run run = in_phase(phase);
                run.feed(first).feed(second);
                CHECK(run.state.phase != Phase::ended);  // only the child's end ends a run
                CHECK_FALSE(run.finish());
                run.feed(ChildEnded{exited(0), {}});
                CHECK(run.state.phase == Phase::ended);
                REQUIRE(run.finish());
                CHECK(run.actions.size() == 1);
                const Finish end = *run.finish();
                CHECK(end.fault.has_value() == end.summary.empty());
                CHECK((!end.fault || end.exit_code == static_cast<int>(end.fault->code)));
            }
        }
    }
}

}  // namespace
}  // namespace vml::supervise
