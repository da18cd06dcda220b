// "Did you mean": distances, and silence where nothing is near.
#include "launcher/settings/suggest.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

TEST_CASE("edit distances") {
    CHECK(edit_distance("", "") == 0);
    CHECK(edit_distance("abc", "abc") == 0);
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("abc", "") == 3);
    CHECK(edit_distance("abc", "abxc") == 1);
    CHECK(edit_distance("abc", "ac") == 1);
    CHECK(edit_distance("abc", "axc") == 1);
    CHECK(edit_distance("abc", "acb") == 1);  // a swap of neighbours is one slip
    CHECK(edit_distance("ca", "abc") == 3);   // no edit inside a swap: optimal string alignment
    CHECK(edit_distance("kitten", "sitting") == 3);
    CHECK(edit_distance("sitting", "kitten") == 3);
}

TEST_CASE("the nearest of some names") {
    const std::vector<std::string> names{"--ipxe", "--ipxe-rom", "--boot-order", "--memory"};
    CHECK(nearest("--ixpe", names) == "--ipxe");
    CHECK(nearest("--boot-oder", names) == "--boot-order");
    CHECK(nearest("--memroy", names) == "--memory");
    CHECK(nearest("--ipxe-ron", names) == "--ipxe-rom");
}

TEST_CASE("a third of the word's length is the limit, and at least one slip") {
    CHECK(nearest("abcdef", {"abcdxy"}) == "abcdxy");      // 2 of 6
    CHECK(nearest("abcdef", {"abcxyz"}) == std::nullopt);  // 3 of 6
    CHECK(nearest("ab", {"ax"}) == "ax");                  // 1 of 2
    CHECK(nearest("ab", {"xy"}) == std::nullopt);          // 2 of 2
}

TEST_CASE("nothing is suggested for a word that is far from all") {
    CHECK(nearest("--frobnicate", {"--ipxe", "--memory"}) == std::nullopt);
    CHECK(nearest("x", {}) == std::nullopt);
    CHECK(nearest(std::string(65, 'a'), {std::string(65, 'a')}) == std::nullopt);
}

TEST_CASE("a variable that is nearly one of ours was meant to be it") {
    const std::vector<std::string> known{"IPXE_ENABLE",  "IPXE_ROM_PATH",  "BOOT_ORDER",
                                         "NETWORK_MODE", "NETWORK_BRIDGE", "NETWORK_DIRECT_DEV",
                                         "MEMORY",       "CPUS",           "GUEST_NAME"};
    CHECK(misspelt_variable("IPXE_ENABLED", known) == "IPXE_ENABLE");
    CHECK(misspelt_variable("IPXE_ENABEL", known) == "IPXE_ENABLE");
    CHECK(misspelt_variable("IPXE_ROM", known) == "IPXE_ROM_PATH");
    CHECK(misspelt_variable("NETWORK_BRIGDE", known) == "NETWORK_BRIDGE");
    CHECK(misspelt_variable("NETWROK_MODE", known) == "NETWORK_MODE");
    CHECK(misspelt_variable("NETWORK_DIRECT", known) == "NETWORK_DIRECT_DEV");
    CHECK(misspelt_variable("BOOT_ODER", known) == "BOOT_ORDER");
    CHECK(misspelt_variable("MEMROY", known) == "MEMORY");
    CHECK(misspelt_variable("GUESTNAME", known) == "GUEST_NAME");
}

TEST_CASE("the variables of everybody else are nobody's slip") {
    const std::vector<std::string> known{"IPXE_ENABLE", "BOOT_ORDER", "NETWORK_MODE", "MEMORY",
                                         "CPUS",        "DISK",       "ARCH",         "MACHINE",
                                         "SSH_PORT",    "VNC_PORT",   "GUEST_NAME",   "PORT_FWD",
                                         "LOG_LEVEL",   "PERSIST",    "CPU_MODEL",    "ACCEL"};
    for (const char* name : {"PATH",
                             "HOME",
                             "TERM",
                             "HOSTNAME",
                             "PWD",
                             "LANG",
                             "SHLVL",
                             "USER",
                             "LOGNAME",
                             "MACHTYPE",
                             "SSH_TTY",
                             "SSH_AUTH_SOCK",
                             "SSH_CLIENT",
                             "XDG_RUNTIME_DIR",
                             "KUBERNETES_PORT",
                             "KUBERNETES_SERVICE_HOST",
                             "LC_ALL",
                             "DISPLAY",
                             "EDITOR",
                             "PAGER",
                             "container",
                             "DEBIAN_FRONTEND",
                             "IPXE_ENABLE",
                             "MEMORY",
                             "OLDPWD",
                             "MAIL"}) {
        CAPTURE(name);
        CHECK(misspelt_variable(name, known) == std::nullopt);
    }
}

TEST_CASE("among equals the first wins") {
    CHECK(nearest("cat", {"car", "bat"}) == "car");
}

}  // namespace
}  // namespace vml
