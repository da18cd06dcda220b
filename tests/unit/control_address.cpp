#include <string>

#include "control/address.h"
#include "tests/unit/catch.h"

using namespace vml::control;

namespace {

constexpr const char* proc_net_unix =
    "Num       RefCount Protocol Flags    Type St Inode Path\n"
    "00000000f9a1: 00000002 00000000 00010000 0001 01 20593 @vm-launch/4026531836/0/web\n"
    "00000000f9a2: 00000003 00000000 00000000 0001 03 20594 @vm-launch/4026531836/0/web\n"
    "00000000f9a3: 00000002 00000000 00010000 0001 01 20595 @vm-launch/4026532999/1000/a.b-c\n"
    "00000000f9a4: 00000002 00000000 00010000 0001 01 20596 /run/vm-launch/4026531836/0/no\n"
    "00000000f9a5: 00000002 00000000 00010000 0001 01 20597 @vm-launch/x/0/no\n"
    "00000000f9a6: 00000002 00000000 00010000 0001 01 20598\n"
    "cut";

}  // namespace

TEST_CASE("a socket's name holds namespace, user and VM") {
    const Address address{4026531836, 1000, "web"};
    CHECK(socket_name(address) == "vm-launch/4026531836/1000/web");
    CHECK(parse_socket_name(socket_name(address)) == address);
    CHECK(socket_name({1, 2, std::string(63, 'n')}).size() < 108);
    CHECK(socket_name({1, 2, std::string(200, 'n')}).empty());
}

TEST_CASE("other names are nobody's VM") {
    for (const char* name :
         {"", "vm-launch/", "vm-launch/1/2", "vm-launch/1/2/", "vm-launch/a/2/n", "vm-launch/1/-2/n",
          "vm-launch/1/2x/n", "other/1/2/n", "vm-launch/99999999999999999999/0/n"}) {
        CAPTURE(name);
        CHECK(!parse_socket_name(name));
    }
}

TEST_CASE("listening sockets are found in the kernel's list, by name") {
    const std::vector<Address> found = listening_addresses(proc_net_unix);
    REQUIRE(found.size() == 2);
    CHECK(found[0] == Address{4026532999, 1000, "a.b-c"});
    CHECK(found[1] == Address{4026531836, 0, "web"});
    CHECK(listening_addresses("").empty());
}

TEST_CASE("this process lives in a PID namespace") {
    CHECK(own_space() != 0);
}
