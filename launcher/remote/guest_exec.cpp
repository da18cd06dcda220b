#include "launcher/remote/guest_exec.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/json.h"
#include "base/output.h"
#include "base/text.h"
#include "control/client.h"
#include "control/folder.h"
#include "launcher/remote/base64.h"
#include "launcher/remote/control_client.h"

namespace vml {

namespace {

using control::Address;
using control::Client;
using nlohmann::json;
using std::chrono::milliseconds;
using Words = std::vector<std::string>;

// POSIX sh, with what busybox has too. The files are there before anybody asks for them, the status last.
constexpr const char* start_script = R"(d=$(mktemp -d "${TMPDIR:-/tmp}/vm-launch-exec.XXXXXX") || exit 125
: >"$d/out" && : >"$d/err" || { rm -r "$d"; exit 125; }
( ( "$@" ) >"$d/out" 2>"$d/err" </dev/null; echo $? >"$d/new"; mv "$d/new" "$d/code" ) >/dev/null 2>&1 </dev/null &
echo "$! $d")";
// 0: it had ended before the rest was read. 1: it had not. 3: whoever was to tell the end is gone.
constexpr const char* read_script = R"([ -d "$1" ] || exit 2
[ -e "$1/code" ]; r=$?
[ $r = 0 ] || kill -0 "$4" 2>/dev/null || [ -e "$1/code" ] || r=3
tail -c +"$2" "$1/out" | head -c 1048576
tail -c +"$3" "$1/err" | head -c 1048576 >&2
exit $r)";
constexpr std::size_t most_at_once = 1048576;
constexpr const char* end_script = R"(cat "$1/code"; rm -r "$1")";

constexpr milliseconds first_look{100};
constexpr milliseconds rarest_look{1000};
constexpr int shell_signal_base = 128;

// The agent tells nobody what is new: it has to be asked.
void rest(milliseconds pause) {
    boost::asio::io_context io;
    boost::asio::steady_timer{io, pause}.wait();
}

Error lost(std::string why) {
    return Error{{"the guest's command was lost sight of", std::move(why), "", ExitCode::exec_failed}};
}

// What one command in the guest came to.
struct Outcome {
    int code = 0;
    std::string output;
    std::string errors;
};

class GuestShell {
  public:
    explicit GuestShell(Address vm) : vm_{std::move(vm)} {}

    [[nodiscard]] Outcome run(const Words& command) const {
        Client client{vm_};
        const json exit =
            client.ask({"exec", json{{"command", command}}}, std::nullopt, control::longest_output);
        return {exit.at("exit_code").is_number() ? exit["exit_code"].get<int>()
                                                 : shell_signal_base + exit.at("signal").get<int>(),
                from_base64(exit.value("output", "")), from_base64(exit.value("errors", ""))};
    }

    [[nodiscard]] Outcome script(const char* text, Words arguments) const {
        arguments.insert(arguments.begin(), {"/bin/sh", "-c", text, "sh"});
        return run(arguments);
    }

  private:
    Address vm_;
};

void show(const Outcome& outcome) {
    constexpr std::string_view what = "cannot write what the command wrote";
    write_out(stdout, outcome.output, what);
    write_out(stderr, outcome.errors, what);
}

// A command that was begun, and may run without anybody who looks.
struct Begun {
    std::string folder;  // of its files
    std::string pid;     // of the shell that waits for it
};

bool has_shell(const GuestShell& shell) {
    try {
        return shell.script(":", {}).code == 0;
    } catch (const Error&) {
        return false;  // the command itself tells why
    }
}

// None: the guest has no shell, or no room for the files. What fails later may have begun the command: it is
// not to run twice.
std::optional<Begun> begin(const GuestShell& shell, const Words& command) {
    if (!has_shell(shell)) {
        return std::nullopt;
    }
    const Outcome start = shell.script(start_script, command);
    const std::string_view words = trimmed(start.output);
    const std::size_t blank = words.find(' ');
    if (start.code != 0 || blank == std::string_view::npos) {
        return std::nullopt;
    }
    return Begun{std::string{words.substr(blank + 1)}, std::string{words.substr(0, blank)}};
}

int follow(const GuestShell& shell, const Begun& begun) {
    constexpr int killed = 3;
    const std::string& folder = begun.folder;
    std::size_t output = 1;
    std::size_t errors = 1;
    for (milliseconds pause = first_look;;) {
        const Outcome now =
            shell.script(read_script, {folder, std::to_string(output), std::to_string(errors), begun.pid});
        show(now);
        if (now.code > 1) {
            throw lost(now.code == killed ? "the shell that waited for it in the guest was killed"
                                          : "its files in the guest are gone: " + folder);
        }
        output += now.output.size();
        errors += now.errors.size();
        const bool more = std::max(now.output.size(), now.errors.size()) >= most_at_once;
        if (now.code == 0 && !more) {
            break;
        }
        const bool silent = now.output.empty() && now.errors.empty();
        pause = silent ? std::min(2 * pause, rarest_look) : first_look;
        if (!more) {
            rest(pause);
        }
    }
    const auto code = whole_number<int>(trimmed(shell.script(end_script, {folder}).output));
    if (!code) {
        throw lost("it left no exit status");
    }
    return *code;
}

bool agent_answers(const Address& vm) {
    Client client{vm};
    const ControlVerb& status = *find_verb("status");
    return flag_at(client.ask({"status", json::object()}, status.limit, status.longest), "guest_agent");
}

// Several VMs, of which none is named, are no matter of time.
Address awaited_vm(const Question& question) {
    constexpr int patience = 5;  // tries
    for (int tries = 0;; ++tries) {
        if (tries == patience) {
            write_out(stderr, "vm-launch: waiting for the VM and its guest agent\n", "cannot write");
        }
        try {
            Address vm = named_vm(question);
            if (agent_answers(vm)) {
                return vm;
            }
        } catch (const Error& error) {
            if (error.code() == ExitCode::settings) {
                throw;
            }
        }
        rest(rarest_look);
    }
}

int run_in_guest(const Question& question) {
    const CommandLine& command = question.read.command;
    if (command.rest.empty()) {
        throw Error{{"guest-exec: name a command", "", "for example: vm-launch guest-exec --wait uname -a",
                     ExitCode::exec_failed}};
    }
    const GuestShell shell{command.wait ? awaited_vm(question) : named_vm(question)};
    if (const auto begun = begin(shell, command.rest)) {
        return follow(shell, *begun);
    }
    const Outcome outcome = shell.run(command.rest);
    show(outcome);
    return outcome.code;
}

}  // namespace

int guest_exec(const ReadResult& read, std::string_view runtime_dir) {
    try {
        return run_in_guest({read, control::folders_in_reach(runtime_dir)});
    } catch (const Error& error) {
        std::vector<Fault> faults = error.faults();
        for (Fault& fault : faults) {
            fault.code = ExitCode::exec_failed;
        }
        throw Error{std::move(faults)};
    } catch (const json::exception& error) {
        throw lost(error.what());
    }
}

}  // namespace vml
