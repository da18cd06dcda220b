// The client against the real thing.
#include <algorithm>
#include <csignal>
#include <cstring>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/qmp_support.h"

namespace vml::qmp {
namespace {

using nlohmann::json;
using test::Log;
using test::run_until;
using test::socket_pair;
using test::Witness;

constexpr int monitor_fd = 10;

// A QEMU whose monitor is the given socket; killed and reaped at the end.
class Qemu {
  public:
    Qemu(const std::string& machine, OwnedFd monitor) {
        std::vector<std::string> words{"qemu-system-x86_64",
                                       "-machine",
                                       machine,
                                       "-nodefaults",
                                       "-display",
                                       "none",
                                       "-S",
                                       "-chardev",
                                       "socket,id=m,fd=" + std::to_string(monitor_fd),
                                       "-mon",
                                       "chardev=m,mode=control"};
        std::vector<char*> argv;
        std::transform(words.begin(), words.end(), std::back_inserter(argv),
                       [](auto& word) { return word.data(); });
        argv.push_back(nullptr);
        posix_spawn_file_actions_t actions{};
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, monitor.get(), monitor_fd);
        const int error = ::posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
        posix_spawn_file_actions_destroy(&actions);
        if (error != 0) {
            FAIL("cannot run qemu-system-x86_64, which these tests need: " << std::strerror(error));
        }
    }
    ~Qemu() {
        kill();
        static_cast<void>(wait());
    }
    Qemu(const Qemu&) = delete;
    Qemu& operator=(const Qemu&) = delete;

    void kill() const {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
        }
    }
    // The wait status; none when QEMU has not ended in time.
    std::optional<int> wait() {
        if (pid_ <= 0) {
            return std::nullopt;
        }
        const OwnedFd handle{static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0))};
        pollfd watched{handle.get(), POLLIN, 0};
        int status = 0;
        if (::poll(&watched, 1, 30'000) != 1 || ::waitpid(pid_, &status, 0) != pid_) {
            return std::nullopt;
        }
        pid_ = -1;
        return status;
    }

  private:
    pid_t pid_ = -1;
};

struct QemuBench {
    explicit QemuBench(const std::string& machine, std::optional<Handlers> handlers = {}) {
        auto [ours, theirs] = socket_pair();
        qemu.emplace(machine, std::move(theirs));
        client.emplace(io, std::move(ours), handlers ? *handlers : witness.handlers());
    }
    void send(const std::string& name) { client->send({name}, witness.callback(name)); }
    bool run_until_closed() {
        return run_until(io, [this] { return witness.closed(); });
    }
    // Sends the command and waits for what becomes of it.
    Result ask(const Command& command) {
        std::optional<Result> result;
        client->send(command, [&result](const Result& answer) { result = answer; });
        REQUIRE(run_until(io, [&result] { return result.has_value(); }));
        return *result;
    }

    boost::asio::io_context io;
    Witness witness;
    std::optional<Qemu> qemu;
    std::optional<Client> client;
};

TEST_CASE("QEMU greets, is ready and answers") {
    std::optional<Greeting> greeting;
    Handlers handlers;
    handlers.on_ready = [&greeting](const Greeting& g) { greeting = g; };
    QemuBench bench{"none", handlers};
    const Result version = bench.ask({"query-version"});
    REQUIRE(greeting);
    CHECK(greeting->major >= 7);
    const json& told = std::get<json>(version);
    CHECK(told["qemu"] ==
          json{{"major", greeting->major}, {"minor", greeting->minor}, {"micro", greeting->micro}});
    CHECK(told["package"] == greeting->package);
    CHECK(std::get<json>(bench.ask({"query-status"}))["status"] == "prelaunch");
}

TEST_CASE("QEMU's longest reply") {
    QemuBench bench{"none"};
    const json schema = std::get<json>(bench.ask({"query-qmp-schema"}));
    CHECK(schema.is_array());
    CHECK(schema.dump().size() > 150'000);
    CHECK(schema.dump().size() < max_line_bytes / 16);
}

TEST_CASE("QEMU refuses what it does not know") {
    QemuBench bench{"none"};
    CHECK(std::get<Failure>(bench.ask({"no-such-command"})).error_class == "CommandNotFound");
    const auto failure = std::get<Failure>(bench.ask({"qom-get", {{"path", "/nowhere"}, {"property", "x"}}}));
    CHECK(failure.error_class == "DeviceNotFound");
    CHECK(failure.description.find("/nowhere") != std::string::npos);
    CHECK(std::get<Failure>(bench.ask({"query-status", {{"x", 1}}})).error_class == "GenericError");
    CHECK(std::get<Failure>(bench.ask({"query-status", json::array({1})})).error_class == "GenericError");
}

TEST_CASE("QEMU answers two hundred pipelined commands in order") {
    QemuBench bench{"none"};
    Log expected{"ready"};
    for (int i = 0; i < 200; ++i) {
        const std::string name = std::to_string(i);
        expected.push_back(name);
        bench.client->send({"query-name"},
                           [&bench, name](const Result&) { bench.witness.log.push_back(name); });
    }
    REQUIRE(run_until(bench.io, [&] { return bench.witness.log.size() == expected.size(); }));
    bench.witness.log.front().resize(5);  // without the version
    CHECK(bench.witness.log == expected);
}

TEST_CASE("QEMU's events come before the reply of the command that caused them") {
    QemuBench bench{"q35"};
    for (const char* name : {"cont", "stop", "quit"}) {
        bench.send(name);
    }
    REQUIRE(bench.run_until_closed());
    bench.witness.log.front().resize(5);  // without the version
    CHECK(bench.witness.log == Log{"ready", "event RESUME", "cont = {}", "event STOP", "stop = {}",
                                   "event SHUTDOWN", "quit = {}", "closed"});
    CHECK(bench.qemu->wait() == 0);
}

TEST_CASE("SHUTDOWN tells its reason") {
    json data;
    Handlers handlers;
    handlers.on_event = [&data](const Event& event) {
        if (event.name == "SHUTDOWN") {
            data = event.data;
            CHECK(event.seconds > 1'700'000'000);
            CHECK(event.microseconds >= 0);
        }
    };
    QemuBench bench{"none", handlers};
    CHECK(std::holds_alternative<json>(bench.ask({"quit"})));
    CHECK(data == json{{"guest", false}, {"reason", "host-qmp-quit"}});
    CHECK(run_until(bench.io, [&] { return bench.client->state() == State::closed; }));
}

TEST_CASE("QEMU is killed with replies under way") {
    constexpr int commands = 40;
    QemuBench bench{"none"};
    int answered = 0;
    int failed = 0;
    for (int i = 0; i < commands; ++i) {
        bench.client->send({"query-qmp-schema"}, [&](const Result& result) {
            const bool failure = std::holds_alternative<Failure>(result);
            CHECK((failure || failed == 0));  // no answer after the end
            (failure ? failed : answered) += 1;
            if (answered == 1 && !failure) {
                bench.qemu->kill();
            }
        });
    }
    REQUIRE(bench.run_until_closed());
    CHECK(answered + failed == commands);
    CHECK(answered >= 1);
    CHECK(failed >= 1);
    CHECK(bench.witness.log.back() == "closed");
    CHECK(bench.qemu->wait() == SIGKILL);
}

TEST_CASE("QEMU dies over its arguments") {
    QemuBench bench{"no-such-machine"};
    bench.send("query-status");
    REQUIRE(bench.run_until_closed());
    CHECK(bench.witness.log == Log{"query-status Disconnected", "closed"});
}

}  // namespace
}  // namespace vml::qmp
