#include "launcher/remote/guest_agent.h"

#include <algorithm>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

namespace vml {

namespace {

using boost::system::error_code;
using nlohmann::json;
using std::chrono::milliseconds;

// Any answer of a living agent takes milliseconds.
constexpr std::chrono::seconds answer_limit{10};
// qemu-ga keeps 16 MiB of each stream (qga/commands.c, GUEST_EXEC_MAX_OUTPUT); base64 adds a third.
constexpr std::size_t longest_answer = std::size_t{48} << 20;
// Looks for an agent behind a port that was opened: what qemu-ga is sent before it reads waits for it, so one
// is mostly enough; a guest without an agent is left alone afterwards.
constexpr unsigned looks = 3;
constexpr std::chrono::seconds between_looks{5};
// The agent tells nobody when a command ends: it has to be asked, soon at first and then less often.
constexpr milliseconds first_pause{20};
constexpr milliseconds longest_pause{500};

Fault agent_fault(std::string why, std::string hint = {}) {
    return {"cannot run a command in the guest", std::move(why), std::move(hint), ExitCode::exec_failed};
}

Fault no_agent() {
    return agent_fault(
        "no guest agent runs in it",
        "start qemu-ga in the guest (Debian: apt-get install qemu-guest-agent); it needs the guest's "
        "virtio_console driver");
}

std::optional<int> number_at(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number_integer() ? std::optional{found->get<int>()}
                                                               : std::nullopt;
}

std::string text_at(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

bool flag_at(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_boolean() && found->get<bool>();
}

}  // namespace

std::variant<std::monostate, GuestExit, Fault> guest_exit_in(const json& answer) {
    if (!answer.is_object() || !answer.contains("exited")) {
        return agent_fault("unexpected reply from the guest agent");
    }
    if (!flag_at(answer, "exited")) {
        return std::monostate{};
    }
    GuestExit exit{number_at(answer, "exitcode"), number_at(answer, "signal"), text_at(answer, "out-data"),
                   text_at(answer, "err-data"),
                   flag_at(answer, "out-truncated") || flag_at(answer, "err-truncated")};
    if (!exit.code && !exit.signal) {
        return agent_fault("the guest agent told no exit status");
    }
    return exit;
}

GuestAgent::GuestAgent(boost::asio::io_context& io, OwnedFd socket, std::function<void()> on_answer)
    : io_{io}, limit_{io}, on_answer_{std::move(on_answer)}, next_look_{io} {
    if (socket) {
        port_.emplace(io, boost::asio::local::stream_protocol{}, socket.release());
        port_->non_blocking(true);
        read();
    }
}

void GuestAgent::port_changed(bool open) {
    next_look_.cancel();
    open_ = open;
    answers_ = false;
    if (!open) {
        fail_all(agent_fault("its guest agent ended"));
    } else if (port_) {
        first_sync_ = last_sync_ + 1;
        looks_left_ = looks;
        look_for_agent();
    }
}

// Who opened the port need not read it, nor be an agent.
void GuestAgent::look_for_agent() {
    --looks_left_;
    ask({{{"execute", "guest-sync"}, {"arguments", {{"id", ++last_sync_}}}},
         [](const json& /*value*/) {},
         [this](const Fault& /*fault*/) { look_again(); }});
}

void GuestAgent::look_again() {
    if (!open_ || answers_ || looks_left_ == 0) {
        return;
    }
    next_look_.expires_after(between_looks);
    next_look_.async_wait([this](const error_code& error) {
        if (!error && open_ && !answers_) {
            look_for_agent();
        }
    });
}

// Any of the numbers that were sent since the port was opened, however late.
void GuestAgent::heard(const json& value) {
    const bool ours = value.is_number_integer() && value.get<std::int64_t>() >= first_sync_ &&
                      value.get<std::int64_t>() <= last_sync_;
    if (ours && open_ && !std::exchange(answers_, true)) {
        next_look_.cancel();
        if (on_answer_) {
            on_answer_();
        }
    }
}

void GuestAgent::exec(const std::vector<std::string>& command, Done done) {
    if (!open_ || !port_) {
        done(no_agent());
        return;
    }
    auto job =
        std::make_shared<Job>(Job{command, std::move(done), first_pause, boost::asio::steady_timer{io_}});
    const auto failed = [this, job, known = answers_](const Fault& fault) {
        job->done(known || answers_ ? fault : no_agent());  // else it may be the firmware's driver
    };
    // Whatever an earlier conversation left in the port is passed over: answers count from this number on.
    const std::int64_t number = ++last_sync_;
    ask({{{"execute", "guest-sync"}, {"arguments", {{"id", number}}}},
         [this, job, number](const json& value) {
             value == number ? start(job) : job->done(agent_fault("the guest agent is out of step"));
         },
         failed});
}

void GuestAgent::start(const JobPtr& job) {
    const json arguments{
        {"path", job->command.front()},
        {"arg", std::vector<std::string>{std::next(job->command.begin()), job->command.end()}},
        {"capture-output", true}};
    ask({{{"execute", "guest-exec"}, {"arguments", arguments}},
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
        open_ ? ask_for_exit(job, pid) : job->done(agent_fault("its guest agent ended"));
    });
}

void GuestAgent::ask_for_exit(const JobPtr& job, const json& pid) {
    ask({{{"execute", "guest-exec-status"}, {"arguments", {{"pid", pid}}}},
         [this, job, pid](const json& value) {
             const auto outcome = guest_exit_in(value);
             if (const auto* exit = std::get_if<GuestExit>(&outcome)) {
                 job->done(*exit);
             } else if (const auto* fault = std::get_if<Fault>(&outcome)) {
                 job->done(*fault);
             } else {
                 wait_and_ask(job, pid);
             }
         },
         [job](const Fault& fault) { job->done(fault); }});
}

void GuestAgent::ask(Request request) {
    requests_.push_back(std::move(request));
    send_front();
}

void GuestAgent::send_front() {
    if (requests_.empty() || std::exchange(asked_, true)) {
        return;
    }
    const std::string line =
        requests_.front().message.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
    error_code error;
    // A request is far smaller than the socket's buffer, and there is one at a time: what does not fit now
    // means that nobody reads.
    if (port_->write_some(boost::asio::buffer(line), error) != line.size() || error) {
        fail_all(agent_fault("its guest agent does not listen"));
        return;
    }
    limit_.expires_after(answer_limit);
    limit_.async_wait([this](const error_code& aborted) {
        if (!aborted) {
            fail_all(
                agent_fault(fmt::format("its guest agent did not answer within {} s", answer_limit.count()),
                            "is the guest stopped, or very busy?"));
        }
    });
}

void GuestAgent::read() {
    port_->async_read_some(boost::asio::buffer(chunk_), [this](const error_code& error, std::size_t count) {
        if (error) {
            port_changed(false);
            return;
        }
        took({chunk_.data(), count});
        read();
    });
}

void GuestAgent::took(std::string_view bytes) {
    std::size_t end = bytes.find('\n');
    while (end != std::string_view::npos) {
        received_ += bytes.substr(0, end);
        took_line(std::exchange(received_, {}));
        bytes.remove_prefix(end + 1);
        end = bytes.find('\n');
    }
    received_ += bytes;
    if (received_.size() > longest_answer) {
        received_.clear();
        fail_all(agent_fault("the guest agent's reply is too large"));
    }
}

void GuestAgent::took_line(std::string_view line) {
    const json answer = json::parse(line, nullptr, false);
    if (!answer.is_object()) {
        return;
    }
    heard(answer.value("return", json{}));
    if (requests_.empty()) {
        return;  // left over from a request that was given up
    }
    const bool sync = requests_.front().message["execute"] == "guest-sync";
    if (sync && answer.value("return", json{}) != requests_.front().message["arguments"]["id"]) {
        return;  // an answer to somebody else's question
    }
    limit_.cancel();
    const Request request = std::move(requests_.front());
    requests_.pop_front();
    asked_ = false;
    if (const auto value = answer.find("return"); value != answer.end()) {
        request.answered(*value);
    } else {
        const json error = answer.value("error", json::object());
        request.failed(agent_fault(error.is_object() ? text_at(error, "desc") : std::string{}));
    }
    send_front();
}

void GuestAgent::fail_all(const Fault& fault) {
    limit_.cancel();
    asked_ = false;
    for (const Request& request : std::exchange(requests_, {})) {
        request.failed(fault);
    }
}

}  // namespace vml
