// What is shown of the console, and what is kept.
#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/console/console_log.h"
#include "launcher/settings/settings.h"
#include "launcher/start/report_file.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_process.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using test::Folder;
using test::Pipe;
using test::text_in;
using test::Words;

TEST_CASE("every byte is kept as it came, to the largest size") {
    const Folder folder;
    Words told;
    ConsoleLog log{open_console_log(folder.path() / "log", "--console-log"),
                   [&](const std::string& what) { told.push_back(what); }, 8};
    log.add(std::string_view{"a\0\xff", 3});
    log.add("");
    log.add("\x1b[2J\n");
    CHECK(told.empty());
    log.add("more");
    log.add("still more");
    CHECK(text_in(folder.path() / "log") == std::string{"a\0\xff\x1b[2J\n", 8});
    REQUIRE(told.size() == 1);
    CHECK(told.front().find("no more of the console is kept (--console-log): it has its largest size") == 0);
}

TEST_CASE("without a file nothing is kept, and what cannot be written is told once") {
    Words told;
    const auto tell = [&](const std::string& what) { told.push_back(what); };
    ConsoleLog none{OwnedFd{}, tell};
    none.add("x");
    CHECK(told.empty());
    ConsoleLog full{OwnedFd{::open("/dev/full", O_WRONLY | O_CLOEXEC)}, tell};
    full.add("x");
    full.add("y");
    CHECK(told == Words{"no more of the console is kept (--console-log): No space left on device"});
}

TEST_CASE("a reader that is too slow loses bytes, and holds nobody up") {
    const Pipe pipe;
    Words told;
    OwnedFd writer{::fcntl(pipe.writer.get(), F_DUPFD_CLOEXEC, 3)};
    ::fcntl(writer.get(), F_SETFL, O_NONBLOCK);
    ConsoleLog log{std::move(writer), [&](const std::string& what) { told.push_back(what); }};
    const std::string much(std::size_t{1} << 22U, 'x');
    log.add(much);
    log.add(much);
    CHECK(told == Words{"the console log's reader is too slow: bytes are missing there"});
}

TEST_CASE("the console log is made by the rules of reports") {
    const Folder folder;
    const std::filesystem::path path = folder.path() / "log";
    const std::filesystem::path other = folder.write("other", "of an earlier run");
    std::filesystem::create_symlink(other, path);  // a link to a file stays one
    { const OwnedFd file = open_console_log(path, "--console-log"); }
    CHECK(std::filesystem::is_symlink(path));
    CHECK(text_in(other).empty());
    {
        const OwnedFd file = open_console_log(other, "--console-log");
        CHECK(::write(file.get(), "x", 1) == 1);
    }
    CHECK(text_in(other) == "x");
    CHECK((std::filesystem::status(other).permissions() & ~std::filesystem::perms{0600}) ==
          std::filesystem::perms::none);
    for (const auto& wrong : {folder.path() / "none" / "log", std::filesystem::path{"/proc/log"}}) {
        try {
            const OwnedFd file = open_console_log(wrong, "--console-log");
            FAIL("it was made");
        } catch (const Error& error) {
            CHECK(error.code() == ExitCode::host);
            CHECK(error.faults().front().what ==
                  "--console-log: cannot write the console log " + wrong.string());
        }
    }
    const OwnedFd null = open_console_log("/dev/null", "--console-log");
    CHECK(::write(null.get(), "x", 1) == 1);
}

TEST_CASE("a link or a pipe that another user planted in a shared folder is refused") {
    if (::geteuid() != 0) {
        return;  // nobody else can be given a link
    }
    constexpr uid_t other_user = 65534;
    const Folder folder;
    const auto shared = folder.path() / "shared";
    std::filesystem::create_directory(shared);
    const std::filesystem::path target = folder.write("precious", "kept");
    for (const char* name : {"log", "folder"}) {
        std::filesystem::create_symlink(std::string_view{name} == "log" ? target : folder.path(),
                                        shared / name);
        REQUIRE(::lchown((shared / name).c_str(), other_user, other_user) == 0);
    }
    REQUIRE(::mkfifo((shared / "pipe").c_str(), 0666) == 0);
    REQUIRE(::chown((shared / "pipe").c_str(), other_user, other_user) == 0);
    REQUIRE(::chmod(shared.c_str(), 01777) == 0);
    for (const char* name : {"log", "pipe", "folder/precious"}) {
        CAPTURE(name);
        CHECK_THROWS_AS(open_console_log(shared / name, "--console-log"), Error);
        CHECK_THROWS_AS(open_reports({shared / name}, "--report"), Error);
    }
    CHECK(text_in(target) == "kept");
    REQUIRE(::lchown((shared / "log").c_str(), 0, 0) == 0);
    { const OwnedFd file = open_console_log(shared / "log", "--console-log"); }
    CHECK(text_in(target).empty());
    REQUIRE(::lchown((shared / "log").c_str(), other_user, other_user) == 0);
    REQUIRE(::chmod(shared.c_str(), 0755) == 0);
    { const OwnedFd file = open_console_log(shared / "log", "--console-log"); }
    CHECK(std::filesystem::is_symlink(shared / "log"));
}

TEST_CASE("what is shown: the stronger source wins, and of one source the newer name") {
    Settings settings;
    Origins origins;
    const auto view = [&] { return console_view(settings, origins); };
    CHECK(view() == ConsoleView::automatic);
    settings.console_raw = true;
    origins["console-raw"] = "$CONSOLE_RAW";
    CHECK(view() == ConsoleView::raw);
    settings.no_console = true;
    origins["no-console"] = "$NO_CONSOLE";
    CHECK(view() == ConsoleView::quiet);
    settings.console = ConsoleView::plain;
    origins["console"] = "'console' in /etc/vm.json";
    CHECK(view() == ConsoleView::quiet);
    origins["console"] = "$CONSOLE";
    CHECK(view() == ConsoleView::plain);
    origins["console-raw"] = "--console-raw";
    CHECK(view() == ConsoleView::raw);
    settings.console = ConsoleView::automatic;
    origins["console"] = "--console";
    CHECK(view() == ConsoleView::automatic);
    settings.no_console = settings.console_raw = false;
    origins["no-console"] = "--no-console";
    CHECK(view() == ConsoleView::automatic);
}

}  // namespace
}  // namespace vml
