#include "launcher/remote/event_client.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "base/json.h"
#include "base/output.h"
#include "base/text.h"
#include "control/client.h"
#include "control/folder.h"
#include "launcher/events/run_record.h"
#include "launcher/events/stage_wait.h"
#include "launcher/remote/control_client.h"

namespace vml {

namespace {

using control::Address;
using nlohmann::json;
using Clock = std::chrono::steady_clock;
using Deadline = std::optional<Clock::time_point>;

// A VM that is to start is expected so long, where nobody says how long.
constexpr std::chrono::seconds longest_start{30};

struct EventLine {
    std::string text;
    json event;
};

// A VM has no longer for its answer than there is time.
std::optional<std::chrono::seconds> limited(std::optional<std::chrono::seconds> limit, Deadline until) {
    using std::chrono::seconds;
    if (!until) {
        return limit;
    }
    const seconds left = std::max(std::chrono::ceil<seconds>(*until - Clock::now()), seconds{0});
    return limit ? std::min(*limit, left) : left;
}

// The stream of one VM.
class EventReader {
  public:
    EventReader(const Address& vm, Deadline until) : name_{vm.name}, client_{vm} {
        const ControlVerb& verb = *find_verb("events");
        static_cast<void>(client_.ask({"events", json::object()}, limited(verb.limit, until), verb.longest));
        received_ = client_.take_received();
    }

    // Nothing: the stream is over, or (is_late) the time is.
    [[nodiscard]] std::optional<EventLine> next(Deadline until);
    [[nodiscard]] bool is_late() const { return late_; }

  private:
    [[nodiscard]] bool receive(Deadline until);

    std::string name_;
    control::Client client_;
    std::string received_;
    bool late_ = false;
};

std::optional<EventLine> EventReader::next(Deadline until) {
    std::size_t end = received_.find('\n');
    while (end == std::string::npos) {
        if (received_.size() > 2 * events::longest_line) {
            throw Error{{fmt::format("{}: its events make no sense", name_), "a line without an end", "",
                         ExitCode::failed}};
        }
        if (!receive(until)) {
            return std::nullopt;
        }
        end = received_.find('\n');
    }
    EventLine line{received_.substr(0, end), {}};
    received_.erase(0, end + 1);
    line.event = parse_json(line.text);
    if (!line.event.is_object()) {
        throw Error{{fmt::format("{}: its events make no sense", name_), "a line that is no object of JSON",
                     "", ExitCode::failed}};
    }
    return line;
}

bool EventReader::receive(Deadline until) {
    using std::chrono::milliseconds;
    std::array<char, 4096> chunk{};
    for (;;) {
        const auto left = until ? std::chrono::ceil<milliseconds>(*until - Clock::now()) : milliseconds{-1};
        if (until && left.count() <= 0) {
            late_ = true;
            return false;
        }
        constexpr long most = std::numeric_limits<int>::max();
        pollfd ready{client_.fd(), POLLIN, 0};
        if (::poll(&ready, 1, static_cast<int>(std::min<long>(left.count(), most))) <= 0) {
            continue;
        }
        const ssize_t count = ::read(client_.fd(), chunk.data(), chunk.size());
        if (count > 0) {
            received_.append(chunk.data(), static_cast<std::size_t>(count));
            return true;
        }
        if (count == 0 || (errno != EINTR && errno != EAGAIN)) {
            return false;
        }
    }
}

Error went_away(const std::string& name) {
    return Error{{fmt::format("{}: its vm-launch went away without a word", name), "",
                  "was it killed? its log says more", ExitCode::failed}};
}

int follow(const Question& question, bool as_json) {
    const Address vm = named_vm(question);
    EventReader reader{vm, {}};
    while (const auto line = reader.next({})) {
        const std::string shown = as_json ? printable(line->text) : events::sentence_of(line->event);
        if (!shown.empty()) {
            print(shown + "\n");
        }
        if (text_at(line->event, "event") == "end") {
            return 0;
        }
    }
    throw went_away(vm.name);
}

void rest() {
    boost::asio::io_context io;
    boost::asio::steady_timer{io, std::chrono::milliseconds{100}}.wait();
}

struct Found {
    Address vm;
    EventReader reader;
};

// Nobody tells that a VM is about to start. Several, of which none is named, are no matter of time.
Found awaited(const ReadResult& read, std::string_view runtime_dir, Deadline until) {
    const auto patience = until.value_or(Clock::now() + longest_start);
    for (;;) {
        try {
            const Address vm = named_vm({read, control::folders_in_reach(runtime_dir)});
            return {vm, EventReader{vm, until}};
        } catch (const Error& error) {
            if (error.code() == ExitCode::settings) {
                throw;
            }
            if (Clock::now() >= patience) {
                Fault fault = error.faults().front();
                fault.code = until ? ExitCode::boot_timeout : ExitCode::failed;
                fault.what += until ? fmt::format(" within {} s", read.command.timeout->count()) : "";
                throw Error{std::move(fault)};
            }
        }
        rest();
    }
}

// What was lost may be what is waited for: who begins to follow is told what is so now. A VM that takes no
// new follower has ended, or is about to, which the old stream tells.
void follow_anew(Found& found, Deadline until) {
    try {
        found.reader = EventReader{found.vm, until};
    } catch (const Error&) {
    }
}

Error too_late(const std::string& vm, const CommandLine& command, const std::string& latest) {
    return Error{
        {fmt::format("{} did not reach '{}' within {} s", vm, command.stage, command.timeout->count()),
         latest.empty() ? "no stage was reached" : "seen last: " + latest, "", ExitCode::boot_timeout}};
}

}  // namespace

int print_events(const Question& question) {
    return follow(question, true);
}

int follow_status(const Question& question) {
    return follow(question, question.read.command.format == OutputFormat::json);
}

int wait_for_stage(const ReadResult& read, std::string_view runtime_dir) {
    const CommandLine& command = read.command;
    const Deadline until = command.timeout ? Deadline{Clock::now() + *command.timeout} : std::nullopt;
    Found found = awaited(read, runtime_dir, until);
    events::StageWait wait{found.vm.name, command.stage};
    while (const auto line = found.reader.next(until)) {
        if (const auto result = wait.take(line->event)) {
            if (result->fault) {
                throw Error{*result->fault};
            }
            print(fmt::format("{}: {}: {}\n", found.vm.name, command.stage, result->detail));
            return 0;
        }
        if (text_at(line->event, "event") == events::name_of(events::Kind::lost)) {
            follow_anew(found, until);
        }
    }
    throw found.reader.is_late() ? too_late(found.vm.name, command, wait.latest()) : went_away(found.vm.name);
}

}  // namespace vml
