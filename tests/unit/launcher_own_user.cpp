// The user that is one VM's alone.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include "launcher/process/run_user.h"
#include "launcher/start/own_user.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_process.h"

namespace vml {
namespace {

TEST_CASE("a user namespace has all of these users, or they are not used") {
    CHECK(maps_own_users("         0          0 4294967295\n"));
    CHECK(maps_own_users("0 1000 1\n1 100000 65536\n"));
    CHECK(maps_own_users("0 100000 65520\n"));
    CHECK_FALSE(maps_own_users("0 100000 65519\n"));
    CHECK_FALSE(maps_own_users("0 1000 1\n"));
    CHECK_FALSE(maps_own_users("61185 1000 10000\n"));
    CHECK_FALSE(maps_own_users(""));
    CHECK_FALSE(maps_own_users("no map"));
}

TEST_CASE("a name has its preferred user, within the range") {
    for (const char* name : {"", "web", "a", "b", "c", "d"}) {
        CAPTURE(name);
        const uid_t uid = preferred_uid(name);
        CHECK(uid >= first_own_uid);
        CHECK(uid <= last_own_uid);
        CHECK(uid == preferred_uid(name));
    }
    CHECK(preferred_uid("web") != preferred_uid("db"));
}

TEST_CASE("a user or a group that the host has is nobody's own") {
    CHECK(is_assigned(61184, "root:x:0:0::/root:/bin/sh\nsite:x:61184:61184::/:/bin/sh\n"));
    CHECK(is_assigned(61184, "site:x:1000:61184::/:/bin/sh\n"));
    CHECK(is_assigned(61184, "payroll:x:61184:\n"));
    CHECK_FALSE(is_assigned(61184, "root:x:0:161184::/root:/bin/61184\n"));
}

TEST_CASE("two VMs never have the same user, not even of the same name, and a killed one's is free again") {
    if (!may_have_own_user()) {
        CHECK_FALSE(claim_own_user("unit"));
        return;
    }
    // Whoever else runs this at the same time begins elsewhere.
    const std::string name = "unit" + std::to_string(::getpid());
    uid_t first = 0;
    {
        const auto one = claim_own_user(name);
        const auto two = claim_own_user(name);
        REQUIRE(one);
        REQUIRE(two);
        first = one->user.uid;
        CHECK(one->user.own);
        CHECK(one->user.gid == first);
        CHECK(one->user.name == std::to_string(first));
        CHECK(two->user.uid != first);
    }
    const pid_t child = ::fork();
    if (child == 0) {
        const auto killed = claim_own_user(name);
        ::raise(killed && killed->user.uid == first ? SIGKILL : SIGABRT);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WTERMSIG(status) == SIGKILL);
    const auto again = claim_own_user(name);
    REQUIRE(again);
    CHECK(again->user.uid == first);
    CHECK(again->lock);
}

TEST_CASE("no service gets the user of a VM, and no VM that of a service") {
    const test::Folder systemds;
    const std::string folder = systemds.path().string();
    const std::filesystem::path file = systemds.path() / "61184";
    {
        const auto ours = SystemdLock::take(61184, folder);
        REQUIRE(ours);
        CHECK(std::filesystem::exists(file));
        CHECK_FALSE(SystemdLock::take(61184, folder));
        CHECK(SystemdLock::take(61185, folder));
    }
    CHECK_FALSE(std::filesystem::exists(file));
    std::ofstream{file} << "left by a service that was killed\n";
    CHECK(SystemdLock::take(61184, folder));
    CHECK(SystemdLock::take(61184, folder + "/is-not-there"));  // without systemd there is nothing to lock
}

}  // namespace
}  // namespace vml
