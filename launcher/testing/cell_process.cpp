#include "launcher/testing/cell_process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <unistd.h>

#include "base/error.h"

namespace vml {

namespace {

Error no_start(int error_number) {
    return Error{{"cannot start vm-launch for a VM", errno_text(error_number), "", ExitCode::failed}};
}

void check_spawn(int error_number) {
    if (error_number != 0) {
        throw no_start(error_number);
    }
}

struct Pipe {
    OwnedFd ours;
    OwnedFd childs;
};

Pipe new_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw no_start(errno);
    }
    Pipe made{OwnedFd{ends[0]}, OwnedFd{ends[1]}};
    if (::fcntl(made.ours.get(), F_SETFL, O_NONBLOCK) != 0) {
        throw no_start(errno);
    }
    return made;
}

class SpawnActions {
  public:
    SpawnActions() { check_spawn(::posix_spawn_file_actions_init(&actions_)); }
    ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }
    SpawnActions(const SpawnActions&) = delete;
    SpawnActions& operator=(const SpawnActions&) = delete;
    SpawnActions(SpawnActions&&) = delete;
    SpawnActions& operator=(SpawnActions&&) = delete;

    void open_null(int childs) {
        check_spawn(::posix_spawn_file_actions_addopen(&actions_, childs, "/dev/null", O_RDONLY, 0));
    }
    void place(const OwnedFd& ours, int childs) {
        check_spawn(::posix_spawn_file_actions_adddup2(&actions_, ours.get(), childs));
    }
    [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

  private:
    posix_spawn_file_actions_t actions_{};
};

// No signal is blocked or ignored in the child, whatever is here.
class SpawnAttributes {
  public:
    explicit SpawnAttributes(pid_t group) {
        check_spawn(::posix_spawnattr_init(&attributes_));
        sigset_t none;
        sigset_t all;
        sigemptyset(&none);
        sigfillset(&all);
        check_spawn(::posix_spawnattr_setflags(
            &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
        check_spawn(::posix_spawnattr_setpgroup(&attributes_, group));
        check_spawn(::posix_spawnattr_setsigmask(&attributes_, &none));
        check_spawn(::posix_spawnattr_setsigdefault(&attributes_, &all));
    }
    ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes_); }
    SpawnAttributes(const SpawnAttributes&) = delete;
    SpawnAttributes& operator=(const SpawnAttributes&) = delete;
    SpawnAttributes(SpawnAttributes&&) = delete;
    SpawnAttributes& operator=(SpawnAttributes&&) = delete;

    [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

  private:
    posix_spawnattr_t attributes_{};
};

std::vector<char*> pointers_to(std::vector<std::string>& words) {
    std::vector<char*> pointers;
    pointers.reserve(words.size() + 1);
    for (std::string& word : words) {
        pointers.push_back(word.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

}  // namespace

CellProcess start_cell(const std::vector<std::string>& arguments, const Environment& environment,
                       pid_t group) {
    Pipe events = new_pipe();
    Pipe console = new_pipe();
    Pipe log = new_pipe();
    SpawnActions actions;
    actions.open_null(STDIN_FILENO);
    actions.place(console.childs, STDOUT_FILENO);
    actions.place(log.childs, STDERR_FILENO);
    actions.place(events.childs, events_descriptor);
    const SpawnAttributes attributes{group};
    std::vector<std::string> words{"vm-launch"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> variables;
    for (const auto& [name, value] : environment) {
        variables.push_back(fmt::format("{}={}", name, value));
    }
    CellProcess process;
    check_spawn(::posix_spawn(&process.pid, "/proc/self/exe", actions.get(), attributes.get(),
                              pointers_to(words).data(), pointers_to(variables).data()));
    process.events = std::move(events.ours);
    process.console = std::move(console.ours);
    process.log = std::move(log.ours);
    return process;
}

}  // namespace vml
