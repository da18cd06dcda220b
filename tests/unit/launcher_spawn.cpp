// Real programs started by spawn and apply: what they get, what they do not get, and how their end is tied to
// ours.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/process/child_environment.h"
#include "launcher/process/run_user.h"
#include "launcher/process/spawn.h"
#include "launcher/start/apply.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_process.h"

namespace vml {
namespace {

using test::contains;
using test::Folder;
using test::Pipe;
using test::program;
using test::read_all;
using test::read_until;
using test::reap;
using test::Words;

// What a program that was spawned wrote, once it has ended well.
std::string output_of(const std::filesystem::path& file, const Words& args,
                      std::vector<Inherited> inherited = {}) {
    Pipe output;
    const pid_t pid = spawn({file, args, std::move(inherited), output.writer.get()});
    output.writer.reset();
    std::string text = read_all(output.reader.get());
    CHECK(reap(pid) == 0);
    return text;
}

Words lines_of(const std::string& text) {
    std::istringstream stream{text};
    Words lines;
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line);
    }
    return lines;
}

TEST_CASE("of the environment a child gets what it needs, and no secret") {
    const std::vector<const char*> all{"AWS_SECRET_ACCESS_KEY=x", "PATH=/bin", "LC_ALL=C",
                                       "QEMU_AUDIO_DRV=none",     "PATHOS=1",  "no name",
                                       "GUEST_PASSWORD=x",        "TZ=UTC",    nullptr};
    CHECK(child_environment(all.data()) == Words{"PATH=/bin", "LC_ALL=C", "QEMU_AUDIO_DRV=none", "TZ=UTC"});
    CHECK(child_environment(nullptr).empty());
    REQUIRE(::setenv("VML_TEST_SECRET", "x", 1) == 0);
    REQUIRE(::setenv("QEMU_TEST_MARK", "y", 1) == 0);
    const Words seen = lines_of(output_of("/usr/bin/env", {}));
    ::unsetenv("VML_TEST_SECRET");
    ::unsetenv("QEMU_TEST_MARK");
    CHECK(contains(seen, "QEMU_TEST_MARK=y"));
    CHECK_FALSE(contains(seen, "VML_TEST_SECRET=x"));
}

// The rows of /proc/self/limits of a program spawned for this user.
std::map<std::string, std::string> limits_of_child(const std::optional<RunUser>& user) {
    Pipe output;
    const pid_t pid = spawn({"/bin/cat", {"/proc/self/limits"}, {}, output.writer.get(), user});
    output.writer.reset();
    std::map<std::string, std::string> rows;
    constexpr std::size_t name_width = 26;  // fs/proc/base.c, proc_pid_limits
    for (const std::string& line : lines_of(read_all(output.reader.get()))) {
        std::istringstream values{line.substr(std::min(line.size(), name_width))};
        std::string soft;
        std::string hard;
        values >> soft >> hard;
        rows[line.substr(0, line.find("  "))] = soft + " " + hard;
    }
    CHECK(reap(pid) == 0);
    return rows;
}

TEST_CASE("a child leaves no core, and has limits") {
    const auto plain = limits_of_child(std::nullopt);
    CHECK(plain.at("Max core file size") == "0 0");
    std::istringstream files{plain.at("Max open files")};
    rlim_t soft = 0;
    rlim_t hard = 0;
    files >> soft >> hard;
    rlimit ours{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &ours) == 0);
    CHECK(soft == hard);
    CHECK(hard == std::min(ours.rlim_max, std::max(ours.rlim_cur, rlim_t{16384})));
    if (may_have_own_user()) {
        RunUser user = own_user(last_own_uid);
        user.groups.clear();
        CHECK(limits_of_child(user).at("Max processes").ends_with(" 4096"));
        user.own = false;
        CHECK(limits_of_child(user).at("Max processes") == plain.at("Max processes"));
    }
}

// The fields of /proc/self/status of a spawned program.
std::map<std::string, std::string> status_of_child() {
    std::map<std::string, std::string> fields;
    for (const std::string& line : lines_of(output_of("/bin/cat", {"/proc/self/status"}))) {
        const std::size_t colon = line.find(":\t");
        if (colon != std::string::npos) {
            fields[line.substr(0, colon)] = line.substr(colon + 2);
        }
    }
    return fields;
}

TEST_CASE("the program gets its arguments exactly as they are") {
    const Folder folder;
    const auto echo = program(folder, "echo", "#!/bin/sh\nprintf '<%s>' \"$0\" \"$@\"\n");
    CHECK(output_of(echo, {"-a", "b c", "", "$HOME", "it's", "new\nline", "ü"}) ==
          "<" + echo.string() + "><-a><b c><><$HOME><it's><new\nline><ü>");
    CHECK(output_of(echo, {}) == "<" + echo.string() + ">");
}

TEST_CASE("standard output and standard error go to the same place, in order") {
    const Folder folder;
    CHECK(output_of(program(folder, "both", "#!/bin/sh\necho one; echo two >&2; echo three\n"), {}) ==
          "one\ntwo\nthree\n");
}

TEST_CASE("standard input is at its end at once") {
    CHECK(output_of("/bin/readlink", {"/proc/self/fd/0"}) == "/dev/null\n");
    CHECK(output_of("/bin/cat", {}).empty());
}

TEST_CASE("the program has the descriptors that are named, at their numbers, and no other") {
    const Pipe named;
    const Pipe unnamed;
    const int left_open = ::dup(unnamed.reader.get());  // without close-on-exec: a leak of somebody else's
    const int high = ::fcntl(named.writer.get(), F_DUPFD_CLOEXEC, 200);
    REQUIRE(high == 200);
    Words open = lines_of(output_of("/bin/ls", {"-1", "/proc/self/fd"}, {{high, high}}));
    std::sort(open.begin(), open.end());
    CHECK(open == Words{"0", "1", "2", "200", "3"});  // 3 is the folder that ls itself reads
    CHECK((::fcntl(high, F_GETFD) & FD_CLOEXEC) != 0);
    ::close(high);
    ::close(left_open);
}

TEST_CASE("an inherited descriptor leads where ours does") {
    Pipe pipe;
    const int number = pipe.writer.get();
    const Folder folder;
    const auto writer = program(folder, "writer", "#!/bin/bash\necho through >&$1\n");
    CHECK(output_of(writer, {std::to_string(number)}, {{number, number}}).empty());
    pipe.writer.reset();
    CHECK(read_all(pipe.reader.get()) == "through\n");
}

// Pipes, each given to the program at the number of another one's read end, and holding that number.
struct Reversed {
    std::vector<Pipe> pipes;
    std::vector<Inherited> inherited;
    explicit Reversed(std::size_t count) : pipes(count) {
        for (std::size_t i = 0; i < count; ++i) {
            const int number = pipes[count - 1 - i].reader.get();
            const std::string text = std::to_string(number) + "\n";
            REQUIRE(::write(pipes[i].writer.get(), text.data(), text.size()) ==
                    static_cast<ssize_t>(text.size()));
            inherited.push_back({pipes[i].reader.get(), number});
        }
    }
};

TEST_CASE("descriptors whose numbers are others' come where they belong") {
    const Reversed reversed{20};
    Words numbers;
    std::string expected;
    for (const Inherited& fd : reversed.inherited) {
        numbers.push_back(std::to_string(fd.childs));
        expected += std::to_string(fd.childs) + "\n";
    }
    const Folder folder;
    const auto reader =
        program(folder, "reader", "#!/bin/bash\nfor n; do read -r line <&$n; echo $line; done\n");
    CHECK(output_of(reader, numbers, reversed.inherited) == expected);
}

TEST_CASE("a failed start is reported, whatever numbers the program was to have") {
    const Pipe pipe;
    std::vector<Inherited> inherited;
    for (int number = 3; number < 60; ++number) {  // the pipe for the report is among them
        inherited.push_back({pipe.reader.get(), number});
    }
    const Pipe output;
    try {
        static_cast<void>(spawn({"/does/not/exist", {}, inherited, output.writer.get()}));
        FAIL("it was started");
    } catch (const Error& error) {
        CHECK(error.faults().front().why == "running the program: No such file or directory");
    }
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
}

TEST_CASE("the program runs in a session of its own, and can gain no privilege") {
    const Words stat = [] {
        std::istringstream words{output_of("/bin/cat", {"/proc/self/stat"})};
        return Words{std::istream_iterator<std::string>{words}, {}};
    }();
    REQUIRE(stat.size() > 7);
    CHECK(stat[4] == stat[0]);  // process group
    CHECK(stat[5] == stat[0]);  // session
    CHECK(stat[6] == "0");      // no controlling terminal
    CHECK(status_of_child()["NoNewPrivs"] == "1");
}

TEST_CASE("no signal is blocked or ignored in the program, whatever is here") {
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &before);
    std::map<int, void (*)(int)> handlers;
    for (const int number : {SIGPIPE, SIGXFSZ, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGTSTP}) {
        handlers[number] = ::signal(number, SIG_IGN);
    }
    std::map<std::string, std::string> status = status_of_child();
    for (const auto& [number, handler] : handlers) {
        ::signal(number, handler);
    }
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    CHECK(status["SigBlk"] == "0000000000000000");
    CHECK(status["SigIgn"] == "0000000000000000");
}

TEST_CASE("a program that cannot be run is an error with the system's reason, and leaves no process") {
    const Folder folder;
    const auto not_executable = folder.write("plain", "#!/bin/sh\n");
    const auto no_program = program(folder, "garbage", std::string_view{"\0\1\2 no program", 14});
    const auto no_interpreter = program(folder, "orphan", "#!/does/not/exist\n");
    struct Row {
        std::filesystem::path file;
        int error_number;
    };
    Pipe output;
    for (const Row& row :
         {Row{"/does/not/exist", ENOENT}, Row{not_executable, EACCES}, Row{folder.path(), EACCES},
          Row{no_program, ENOEXEC}, Row{no_interpreter, ENOENT}}) {
        CAPTURE(row.file);
        const std::size_t before = test::open_descriptors();
        try {
            static_cast<void>(spawn({row.file, {"x"}, {}, output.writer.get()}));
            FAIL("it was started");
        } catch (const Error& error) {
            REQUIRE(error.faults().size() == 1);
            const Fault& fault = error.faults().front();
            CHECK(fault.what == "cannot start " + row.file.string());
            CHECK(fault.why == "running the program: " + errno_text(row.error_number));
            CHECK_FALSE(fault.hint.empty());
            CHECK(fault.code == ExitCode::qemu);
        }
        CHECK(test::open_descriptors() == before);
        // What is left is a dead child for the one reaper; it has ended, or is about to.
        while (::waitpid(-1, nullptr, 0) > 0) {
        }
        CHECK(errno == ECHILD);
    }
    output.writer.reset();
    CHECK(read_all(output.reader.get()).empty());
}

TEST_CASE("arguments that are too long for the kernel are an error too") {
    const Pipe output;
    try {
        static_cast<void>(
            spawn({"/bin/true", {std::string(std::size_t{8} << 20, 'x')}, {}, output.writer.get()}));
        FAIL("it was started");
    } catch (const Error& error) {
        CHECK(contains(error.what(), "Argument list too long"));
    }
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
}

TEST_CASE("a descriptor that is not open is named as the step that failed, and nothing runs") {
    const Folder folder;
    const auto mark = folder.path() / "ran";
    const Pipe output;
    try {
        static_cast<void>(spawn({"/bin/touch", {mark.string()}, {{777, 3}}, output.writer.get()}));
        FAIL("it was started");
    } catch (const Error& error) {
        CHECK(error.faults().front().why == "keeping a descriptor: Bad file descriptor");
    }
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
    CHECK_FALSE(std::filesystem::exists(mark));
}

TEST_CASE("the caller reaps: the exit status is there to be had") {
    const Folder folder;
    const auto ends = program(folder, "ends", "#!/bin/sh\nexit \"$1\"\n");
    for (const int status : {0, 1, 77, 255}) {
        Pipe output;
        const pid_t pid = spawn({ends, {std::to_string(status)}, {}, output.writer.get()});
        CHECK(WEXITSTATUS(reap(pid)) == status);
    }
    CHECK(test::reap_the_dead() == 0);
}

TEST_CASE("the program dies with the process that started it, even by SIGKILL") {
    Pipe ready;
    Pipe held;     // the program waits for its end, which comes only from us
    Pipe witness;  // open as long as the program lives
    const Folder folder;
    const auto waits = program(folder, "waits", "#!/bin/bash\necho ready\nread line <&$1\n");
    const int held_number = held.reader.get();
    const pid_t launcher = ::fork();
    REQUIRE(launcher >= 0);
    if (launcher == 0) {
        try {
            static_cast<void>(spawn({waits,
                                     {std::to_string(held_number)},
                                     {{held_number, held_number}, {witness.writer.get(), held_number + 1}},
                                     ready.writer.get()}));
        } catch (...) {
            ::_exit(1);
        }
        ::pause();
        ::_exit(2);
    }
    witness.writer.reset();
    CHECK(read_until(ready.reader.get(), "ready\n") == "ready\n");
    ::kill(launcher, SIGKILL);
    CHECK(WTERMSIG(reap(launcher)) == SIGKILL);
    CHECK(read_all(witness.reader.get()).empty());  // throws when the program lives on
}

// -- apply

// Waits for the end of a VM that apply started.
std::string end_of(RunningVm& vm) {
    std::string output = read_all(vm.output.get());
    CHECK(reap(vm.pid) == 0);
    return output;
}

TEST_CASE("apply opens what the plan's descriptors stand for, at the numbers of the argv") {
    const Folder folder;
    const auto store = folder.write("vars.fd", std::string(70'000, 'v') + std::string(200'000, '\0') + "end");
    Plan plan;
    plan.program = program(folder, "qemu",
                           "#!/bin/bash\n"  // dash knows one-digit descriptors only
                           "echo qmp >&100; read line <&100; echo \"$line\"\n"
                           "stat -L -c %s /proc/self/fd/103 >&101\n"
                           "cmp /proc/self/fd/102 \"$1\" && echo same\n"
                           "echo changed >&102\n"
                           "ls /proc/self/fd | sort -n | tr '\\n' ' '\n");
    plan.args = {{store.string(), "", ""}};
    plan.fds = {{100, FdPurpose::qmp},
                {101, FdPurpose::console},
                {102, FdPurpose::nvram, store},
                {103, FdPurpose::blank_disk, {}, 5'000'000'000}};
    const std::string before = test::text_in(store);
    RunningVm vm = apply(plan);
    CHECK(vm.pid > 0);
    CHECK(read_until(vm.qmp.get(), "\n") == "qmp\n");
    CHECK(::write(vm.qmp.get(), "hello\n", 6) == 6);
    const std::string output = end_of(vm);
    CHECK(read_all(vm.console.get()) == "5000000000\n");
    CHECK(contains(output, "hello\nsame\n"));
    CHECK(contains(output, "100 101 102 103"));
    CHECK(test::text_in(store) == before);  // the guest's writes go to the private copy
}

TEST_CASE("the ROM that was judged is run, also where its file has changed since") {
    const Folder folder;
    const auto file = folder.write("a.rom", "changed");
    const std::string judged = "judged";
    Plan plan;
    plan.program = program(folder, "qemu", "#!/bin/sh\ncat /proc/self/fd/3\n");
    plan.fds = {{.number = 3,
                 .purpose = FdPurpose::rom,
                 .source = file,
                 .content = std::make_shared<const std::vector<std::uint8_t>>(judged.begin(), judged.end())}};
    RunningVm vm = apply(plan);
    CHECK(end_of(vm) == judged);
}

TEST_CASE("QMP is at its end when QEMU is dead") {
    Plan plan;
    plan.program = "/bin/true";
    plan.fds = {{100, FdPurpose::qmp}, {101, FdPurpose::console}};
    RunningVm vm = apply(plan);
    CHECK(read_all(vm.qmp.get()).empty());
    CHECK(read_all(vm.console.get()).empty());
    CHECK(end_of(vm).empty());
}

TEST_CASE("a plan that cannot be applied leaves no descriptor, no file and no process") {
    const Folder folder;
    Plan plan;
    plan.program = "/bin/true";
    const std::size_t before = test::open_descriptors();
    SECTION("the program is missing") {
        plan.program = folder.path() / "missing";
        plan.fds = {
            {100, FdPurpose::qmp}, {101, FdPurpose::console}, {102, FdPurpose::blank_disk, {}, 1 << 20}};
        CHECK_THROWS_AS(apply(plan), Error);
    }
    SECTION("the variable store is missing") {
        plan.fds = {{100, FdPurpose::qmp}, {101, FdPurpose::nvram, folder.path() / "none.fd"}};
        try {
            static_cast<void>(apply(plan));
            FAIL("it was applied");
        } catch (const Error& error) {
            CHECK(error.code() == ExitCode::host);
            CHECK(contains(error.what(), "none.fd"));
            CHECK(contains(error.what(), "No such file or directory"));
        }
    }
    SECTION("the variable store is a folder") {
        plan.fds = {{100, FdPurpose::nvram, folder.path()}};
        CHECK_THROWS_AS(apply(plan), Error);
    }
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
    CHECK(test::open_descriptors() == before);
    CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a number that is taken here is the program's all the same") {
    const Pipe pipe;
    const OwnedFd taken{::fcntl(pipe.reader.get(), F_DUPFD_CLOEXEC, 100)};
    REQUIRE(taken.get() == 100);
    const Folder folder;
    Plan plan;
    plan.program = program(folder, "qemu", "#!/bin/bash\necho qmp >&100\n");
    plan.fds = {{100, FdPurpose::qmp}};
    RunningVm vm = apply(plan);
    CHECK(read_all(vm.qmp.get()) == "qmp\n");
    CHECK(end_of(vm).empty());
    CHECK(::fcntl(taken.get(), F_GETFD) != -1);
}

// What a child of this process says that was run with these limits of open files.
std::string with_open_files(const rlimit& limit, std::string (*say)()) {
    Pipe said;
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        ::setrlimit(RLIMIT_NOFILE, &limit);
        const std::string text = say();
        const bool written =
            ::write(said.writer.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
        ::_exit(written ? 0 : 1);
    }
    said.writer.reset();
    std::string text = read_all(said.reader.get());
    CHECK(reap(pid) == 0);
    return text;
}

std::string apply_many() {
    Plan plan;
    plan.program = "/bin/true";
    for (int number = first_planned_fd; number < 300; ++number) {
        plan.fds.push_back({number, FdPurpose::read_file, "/dev/null"});
    }
    try {
        RunningVm vm = apply(plan);
        return fmt::format("{}ended with {}", read_all(vm.output.get()), reap(vm.pid));
    } catch (const Error& error) {
        return error.what();
    }
}

TEST_CASE("more descriptors than the soft limit of open files lets through raise it") {
    CHECK(with_open_files({256, 1024}, apply_many) == "ended with 0");
}

TEST_CASE("a hard limit of open files below what QEMU is given is an error that says what raises it") {
    const std::string text = with_open_files({256, 256}, apply_many);
    CHECK(contains(text, "the hard limit of open files is 256"));
    CHECK(contains(text, "ulimit -Hn"));
}

}  // namespace
}  // namespace vml
