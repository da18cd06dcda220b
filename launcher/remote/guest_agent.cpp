#include "launcher/remote/guest_agent.h"

#include <algorithm>
#include <utility>

#include "base/json.h"

namespace vml {

namespace {

using boost::system::error_code;
using nlohmann::json;
using std::chrono::milliseconds;

// qemu-ga keeps 16 MiB of each stream (qga/commands.c, GUEST_EXEC_MAX_OUTPUT); base64 adds a third.
constexpr std::size_t longest_answer = std::size_t{48} << 20;
// The agent tells nobody when a command ends: it has to be asked, soon at first and then less often.
constexpr milliseconds first_pause{20};
constexpr milliseconds longest_pause{500};

Fault no_agent() {
    return agent_fault(
        "no guest agent runs in it",
        "start qemu-ga in the guest (Debian: apt-get install qemu-guest-agent); it needs the guest's "
        "virtio_console driver");
}

}  // namespace

std::variant<std::monostate, GuestExit, Fault> guest_exit_in(const json& answer) {
    if (!answer.is_object() || !answer.contains("exited")) {
        return agent_fault("unexpected reply from the guest agent");
    }
    if (!flag_at(answer, "exited")) {
        return std::monostate{};
    }
    GuestExit exit{number_at<int>(answer, "exitcode"), number_at<int>(answer, "signal"),
                   text_at(answer, "out-data"), text_at(answer, "err-data"),
                   flag_at(answer, "out-truncated") || flag_at(answer, "err-truncated")};
    if (!exit.code && !exit.signal) {
        return agent_fault("the guest agent told no exit status");
    }
    return exit;
}

GuestAgent::GuestAgent(boost::asio::io_context& io, OwnedFd socket, std::function<void()> on_answer)
    : io_{io},
      channel_{io,
               std::move(socket),
               {[this](const json& value) { presence_.heard(value); }, [this] { port_changed(false); }}},
      presence_{io, channel_, std::move(on_answer)} {}

void GuestAgent::port_changed(bool open) {
    if (open) {
        presence_.opened();
        return;
    }
    presence_.closed();
    channel_.fail_all(agent_fault("its guest agent ended"));
    channel_.forget_late_answers();
}

void GuestAgent::exec(const std::vector<std::string>& command, Done done) {
    if (!presence_.is_open() || !channel_.exists()) {
        done(no_agent());
        return;
    }
    auto job =
        std::make_shared<Job>(Job{command, std::move(done), first_pause, boost::asio::steady_timer{io_}});
    // Whatever an earlier conversation left in the port is passed over: answers count from this number on.
    AgentRequest request = guest_sync(presence_.next_number());
    request.answered = [this, job](const json& /*value*/) { start(job); };
    request.failed = [this, job, known = presence_.answers()](const Fault& fault) {
        job->done(known || presence_.answers() ? fault : no_agent());  // else it may be the firmware's driver
    };
    channel_.ask(std::move(request));
}

void GuestAgent::ask_interfaces(std::function<void(const json&)> done) {
    constexpr std::chrono::seconds patience{1};
    constexpr std::size_t longest_list = std::size_t{1} << 20U;  // of a host of many containers
    if (!presence_.answers() || !channel_.exists()) {
        done(json());
        return;
    }
    struct Wait {
        boost::asio::steady_timer timer;
        std::function<void(const json&)> done;
        void end(const json& interfaces) {
            timer.cancel();
            if (const auto tell = std::exchange(done, nullptr)) {
                tell(interfaces);
            }
        }
    };
    auto wait = std::make_shared<Wait>(Wait{boost::asio::steady_timer{io_, patience}, std::move(done)});
    wait->timer.async_wait([wait](const error_code& cancelled) {
        if (!cancelled) {
            wait->end(json());
        }
    });
    AgentRequest request;
    request.message = {{"execute", "guest-network-get-interfaces"}};
    request.longest_answer = longest_list;
    request.answered = [wait](const json& interfaces) { wait->end(interfaces); };
    request.failed = [wait](const Fault& /*fault*/) { wait->end(json()); };
    channel_.ask(std::move(request));
}

void GuestAgent::start(const JobPtr& job) {
    const json arguments{
        {"path", job->command.front()},
        {"arg", std::vector<std::string>{std::next(job->command.begin()), job->command.end()}},
        {"capture-output", true}};
    channel_.ask({{{"execute", "guest-exec"}, {"arguments", arguments}},
                  [this, job](const json& value) {
                      if (value.is_object() && value.contains("pid")) {
                          wait_and_ask(job, value["pid"]);
                      } else {
                          job->done(agent_fault("unexpected reply from the guest agent"));
                      }
                  },
                  [job](const Fault& fault) { job->done(fault); }});
}

void GuestAgent::wait_and_ask(const JobPtr& job, const json& pid) {
    job->timer.expires_after(job->pause);
    job->pause = std::min(2 * job->pause, longest_pause);
    job->timer.async_wait([this, job, pid](const error_code& error) {
        if (error) {
            return;
        }
        presence_.is_open() ? ask_for_exit(job, pid) : job->done(agent_fault("its guest agent ended"));
    });
}

void GuestAgent::ask_for_exit(const JobPtr& job, const json& pid) {
    AgentRequest request;
    request.message = {{"execute", "guest-exec-status"}, {"arguments", {{"pid", pid}}}};
    request.longest_answer = longest_answer;
    request.answered = [this, job, pid](const json& value) {
        const auto outcome = guest_exit_in(value);
        if (const auto* exit = std::get_if<GuestExit>(&outcome)) {
            job->done(*exit);
        } else if (const auto* fault = std::get_if<Fault>(&outcome)) {
            job->done(*fault);
        } else {
            wait_and_ask(job, pid);
        }
    };
    request.failed = [job](const Fault& fault) { job->done(fault); };
    channel_.ask(std::move(request));
}

}  // namespace vml
