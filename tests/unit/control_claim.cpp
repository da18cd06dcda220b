// Where a control socket is, and who can be in the way of it.
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "control/claim.h"
#include "control/client.h"
#include "control/folder.h"
#include "control/lock_file.h"
#include "control/server.h"
#include "tests/unit/catch.h"
#include "tests/unit/control_support.h"

using namespace vml;
using namespace vml::control;
using vml::control::test::PrivateFolder;
namespace fs = std::filesystem;

namespace {

const std::string vm = "web";

std::string why_not(const std::vector<Folder>& folders, const std::string& name = vm) {
    try {
        const Claim claim{folders, name};
    } catch (const Error& error) {
        return error.faults().front().why;
    }
    return {};
}

void nobody(const Request& /*request*/, const Exchange& /*exchange*/) {}

// A VM's vm-launch that SIGKILL ended.
void be_killed(const Folder& folder) {
    const pid_t child = ::fork();
    if (child == 0) {
        boost::asio::io_context io;
        const Server server{io, {folder}, vm, nobody};
        ::raise(SIGKILL);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
}

unsigned mode_of(const fs::path& path) {
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 07777U;
}

}  // namespace

TEST_CASE("a socket is in a folder that is its user's alone, and nothing is left of either") {
    const PrivateFolder home;
    {
        boost::asio::io_context io;
        const Server server{io, {home.folder()}, vm, nobody};
        CHECK(mode_of(home.path()) == 0700);
        CHECK(mode_of(home.path() / "web.lock") == 0600);
        CHECK(fs::is_socket(home.path() / "web.sock"));
        CHECK(server.address() == Address{home.folder(), vm});
        CHECK(running_in({home.folder()}) == std::vector<Address>{{home.folder(), vm}});
        CHECK_NOTHROW(Client{server.address()});
    }
    CHECK(fs::is_empty(home.above()));
    CHECK(running_in({home.folder()}).empty());
}

TEST_CASE("a folder stays as long as another VM is in it") {
    const PrivateFolder home;
    std::optional<Claim> first{std::in_place, std::vector{home.folder()}, "a"};
    {
        const Claim second{{home.folder()}, "b"};
        CHECK(running_in({home.folder()}).size() == 2);
    }
    CHECK(fs::exists(home.path() / "a.lock"));
    CHECK(!fs::exists(home.path() / "b.lock"));
    first.reset();
    CHECK(!fs::exists(home.path()));
}

TEST_CASE("what SIGKILL left is no VM, and the next one takes it over") {
    const PrivateFolder home;
    be_killed(home.folder());
    REQUIRE(fs::is_socket(home.path() / "web.sock"));
    CHECK(running_in({home.folder()}).empty());
    CHECK_THROWS_AS(Client(Address{home.folder(), vm}), Error);
    {
        boost::asio::io_context io;
        const Server server{io, {home.folder()}, vm, nobody};
        CHECK(running_in({home.folder()}).size() == 1);
        CHECK_NOTHROW(Client{server.address()});
    }
    CHECK(fs::is_empty(home.above()));
}

TEST_CASE("what SIGKILL left goes when another VM ends, and what is in use stays") {
    const PrivateFolder home;
    be_killed(home.folder());
    std::ofstream{home.path() / "61500.uid"};  // of a user that a killed one had
    std::ofstream{home.path() / "notes"};      // nothing of ours
    const LockAttempt user = take_lock(home.folder(), "61501.uid");
    REQUIRE(user.lock);
    const Claim stays{{home.folder()}, "stays"};
    const auto names = [&] {
        std::vector<std::string> found;
        for (const auto& entry : fs::directory_iterator{home.path()}) {
            found.push_back(entry.path().filename());
        }
        std::sort(found.begin(), found.end());
        return found;
    };
    REQUIRE(names() == std::vector<std::string>{"61500.uid", "61501.uid", "notes", "stays.lock", "web.lock",
                                                "web.sock"});
    { const Claim ends{{home.folder()}, "ends"}; }
    CHECK(names() == std::vector<std::string>{"61501.uid", "notes", "stays.lock"});
    CHECK(running_in({home.folder()}).size() == 1);
}

// Though each takes away what is left.
TEST_CASE("VMs that begin and end beside each other are in nobody's way") {
    const PrivateFolder home;
    constexpr int turns = 300;
    std::vector<pid_t> children;
    for (const std::string name : {"a", "b", "c", "d"}) {
        children.push_back(::fork());
        if (children.back() == 0) {
            int refused = 0;
            for (int turn = 0; turn < turns; ++turn) {
                refused += why_not({home.folder()}, name).empty() ? 0 : 1;
            }
            ::_exit(refused == 0 ? 0 : 1);
        }
    }
    for (const pid_t child : children) {
        int status = -1;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(status == 0);
    }
    CHECK(fs::is_empty(home.above()));
}

TEST_CASE("a name that is taken is not looked for elsewhere") {
    const PrivateFolder home;
    const PrivateFolder other;
    const Claim claim{{home.folder()}, vm};
    CHECK(why_not({home.folder(), other.folder()}) == "a VM of that name is running");
    CHECK(fs::is_empty(other.above()));
    CHECK(why_not({home.folder()}, "other").empty());
}

TEST_CASE("a folder that somebody else made, may enter, or has put a link for is not used") {
    const PrivateFolder home;
    const PrivateFolder next;
    SECTION("another user's") {
        if (::geteuid() != 0) {
            return;  // who else could make one?
        }
        fs::create_directory(home.path());
        REQUIRE(::chown(home.path().c_str(), 65534, 65534) == 0);
        REQUIRE(::chmod(home.path().c_str(), 0700) == 0);
        CHECK(why_not({home.folder()}) == home.path().string() + ": it belongs to user 65534, not 0");
    }
    SECTION("open to others") {
        fs::create_directory(home.path());
        for (const mode_t mode : std::array<mode_t, 3>{0701, 0710, 0777}) {
            REQUIRE(::chmod(home.path().c_str(), mode) == 0);
            CHECK(why_not({home.folder()}).find("its mode is 0") != std::string::npos);
        }
    }
    SECTION("a link") {
        fs::create_directory(home.above() / "private");
        REQUIRE(::chmod((home.above() / "private").c_str(), 0700) == 0);
        fs::create_symlink(home.above() / "private", home.path());
        CHECK(why_not({home.folder()}).find(home.path().string()) == 0);
        CHECK(fs::is_empty(home.above() / "private"));
    }
    const Claim claim{{home.folder(), next.folder()}, vm};
    CHECK(claim.address().folder == next.folder());
    CHECK(running_in({home.folder(), next.folder()}) == std::vector<Address>{claim.address()});
}

TEST_CASE("where no folder can be had, what each lacks is told, and what to do") {
    const PrivateFolder home;
    const Folder nowhere{(home.above() / "missing/vm-launch").string(), 0};
    try {
        const Claim claim{{nowhere, {"/proc/vm-launch", 0}}, vm};
        FAIL("there is none");
    } catch (const Error& error) {
        const Fault& fault = error.faults().front();
        CHECK(fault.what == "this VM has no control socket");
        CHECK(fault.why.find(nowhere.path + ": No such file or directory; /proc/vm-launch: ") == 0);
        CHECK(fault.hint == "give it a folder to write to: in a container, --tmpfs /run");
    }
}

TEST_CASE("a folder's path may be longer than a socket's") {
    const PrivateFolder home;
    const fs::path deep = home.above() / std::string(200, 'd');
    fs::create_directory(deep);
    boost::asio::io_context io;
    const Server server{io, {{(deep / "vm-launch").string(), ::geteuid()}}, std::string(63, 'n'), nobody};
    CHECK_NOTHROW(Client{server.address()});
}

TEST_CASE("whatever lies in a folder, looking through it waits for nothing and follows nothing") {
    const PrivateFolder home;
    const PrivateFolder other;
    boost::asio::io_context io;
    const Server server{io, {other.folder()}, vm, nobody};
    fs::create_directory(home.path());
    REQUIRE(::chmod(home.path().c_str(), 0700) == 0);
    REQUIRE(::mkfifo((home.path() / "fifo.lock").c_str(), 0600) == 0);
    fs::create_symlink(other.path() / "web.lock", home.path() / "link.lock");
    fs::create_directory(home.path() / "folder.lock");
    std::ofstream{home.path() / "\x1b[2J.lock"};
    std::ofstream{home.path() / "stale.lock"};
    CHECK(running_in({home.folder()}).empty());
    // A client that were led to another user's socket would speak to it with its own rights.
    fs::create_symlink(other.path() / "web.sock", home.path() / "web.sock");
    CHECK_THROWS_AS(Client(Address{home.folder(), vm}), Error);
    std::ofstream{home.path() / "file.sock"};
    CHECK_THROWS_AS(Client(Address{home.folder(), "file"}), Error);
}

TEST_CASE("a server that takes no connections does not hold its client up for ever") {
    const PrivateFolder home;
    const Claim claim{{home.folder()}, vm};
    const OwnedFd listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    boost::asio::local::stream_protocol::endpoint where{claim.path()};
    REQUIRE(::bind(listener.get(), where.data(), static_cast<socklen_t>(where.size())) == 0);
    REQUIRE(::listen(listener.get(), 0) == 0);
    const Client fills_the_backlog{claim.address()};
    try {
        const Client waits{claim.address()};
        FAIL("nobody took it");
    } catch (const Error& error) {
        CHECK(error.faults().front().why == "it takes no connections");
    }
}

TEST_CASE("a folder that others take away and make again at the same time is no obstacle") {
    const PrivateFolder home;
    constexpr int rounds = 3000;
    std::vector<pid_t> children;
    for (const char* name : {"a.lock", "b.lock", "c.lock", "d.lock"}) {
        children.push_back(::fork());
        if (children.back() == 0) {
            int failures = 0;
            for (int i = 0; i < rounds; ++i) {
                failures += take_lock(home.folder(), name).lock ? 0 : 1;
            }
            ::_exit(failures == 0 ? 0 : 1);
        }
    }
    for (const pid_t child : children) {
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(status == 0);
    }
    CHECK_FALSE(fs::exists(home.path()));
}
