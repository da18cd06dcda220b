// Names lead to the same UUID and MAC address for ever.
#include <set>
#include <string>

#include "launcher/settings/nic_options.h"
#include "launcher/vm/identity.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

TEST_CASE("the identity of a name never changes") {
    CHECK(uuid_of("vm") == "95a74e7f-c712-5139-b47b-a0f5e2e2fb19");
    CHECK(mac_of("vm", 1) == "52:e2:85:d0:d1:67");
    CHECK(mac_of("vm", 2) == "52:00:71:17:fc:da");
    CHECK(uuid_of("web-1") == "f20d1b6f-3674-5a2a-a26c-3be5577478b2");
    CHECK(mac_of("web-1", 1) == "52:ad:ad:70:f5:17");
}

TEST_CASE("a UUID is of version 5 and RFC 4122's variant") {
    for (const char* name : {"vm", "a", "web-1", "x.y_z"}) {
        const std::string uuid = uuid_of(name);
        REQUIRE(uuid.size() == 36);
        CHECK(uuid[14] == '5');
        CHECK(std::string{"89ab"}.find(uuid[19]) != std::string::npos);
    }
}

TEST_CASE("a MAC address is unicast and locally administered") {
    for (int nic = 1; nic <= 8; ++nic) {
        const std::string mac = mac_of("vm", nic);
        CHECK(parse_mac(mac) == mac);
        const int first = std::stoi(mac.substr(0, 2), nullptr, 16);
        CHECK((first & 1) == 0);
        CHECK((first & 2) == 2);
    }
}

TEST_CASE("ten thousand names share neither UUID nor MAC address") {
    constexpr int names = 10'000;
    std::set<std::string> uuids;
    std::set<std::string> macs;
    for (int i = 0; i < names; ++i) {
        const std::string name = "vm" + std::to_string(i);
        uuids.insert(uuid_of(name));
        macs.insert(mac_of(name, 1));
        macs.insert(mac_of(name, 2));
    }
    CHECK(uuids.size() == names);
    CHECK(macs.size() == 2 * names);
}

TEST_CASE("name and NIC number do not run into each other") {
    CHECK(mac_of("vm1", 1) != mac_of("vm", 11));
    CHECK(mac_of("vm/nic1", 1) != mac_of("vm", 1));
}

}  // namespace
}  // namespace vml
