// Names lead to the same UUID and MAC address for ever.
#include <algorithm>
#include <cerrno>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "launcher/host/system_facts.h"
#include "launcher/settings/nic_options.h"
#include "launcher/vm/identity.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using test::contains;
using test::Words;

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

// -- what tells this host from others

TEST_CASE("a host is told by its installation, else by its machine, and by no placeholder") {
    const std::string uuid = "F8D5EA12-0C6C-4C5B-8D2B-33B1A43F0F01\n";
    CHECK(host_id("3d1219c7c4c5404aaa1f6d2a48adfda4\n", uuid) == "3d1219c7c4c5404aaa1f6d2a48adfda4");
    for (const char* none : {"", "\n", "uninitialized\n", "00000000000000000000000000000000\n"}) {
        CHECK(host_id(none, uuid) == "f8d5ea12-0c6c-4c5b-8d2b-33b1a43f0f01");
    }
    for (const char* placeholder :
         {"", "00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
          "03000200-0400-0500-0006-000700080009"}) {
        CHECK(host_id("", placeholder).empty());
    }
}

HostFacts on_bridge() {
    HostFacts facts = test::with_links(test::made_up_host(), {test::a_bridge()});
    facts.vhost_error = ENOENT;
    return facts;
}

bool notes_name_alone(const Words& more, const HostFacts& facts) {
    Words flags{"--boot-order=network", "--name=web"};
    flags.insert(flags.end(), more.begin(), more.end());
    const auto notes = test::spec_of(flags, facts).notes;
    return std::any_of(notes.begin(), notes.end(), [](const std::string& note) {
        return contains(note, "nothing here tells this one from them");
    });
}

TEST_CASE("an address that another host gives too is told, where it matters") {
    HostFacts facts = on_bridge();
    CHECK(notes_name_alone({"--network=bridge", "--bridge=br0"}, facts));
    CHECK_FALSE(notes_name_alone({}, facts));
    CHECK_FALSE(notes_name_alone({"--network=bridge", "--bridge=br0", "--mac=52:54:00:00:00:01"}, facts));
    facts.machine_id = "3d1219c7c4c5404aaa1f6d2a48adfda4";
    CHECK_FALSE(notes_name_alone({"--network=bridge", "--bridge=br0"}, facts));
}

TEST_CASE("a file of identities that is garbage is not believed") {
    const auto text = [](const std::string& identity) {
        HostFacts facts = test::made_up_host();
        facts.data = test::data_folder();
        facts.data->identity = identity;
        const Decision decision = test::decide_flags({"--blank-disk"}, facts);
        const auto* faults = std::get_if<std::vector<Fault>>(&decision);
        return faults == nullptr ? "" : test::text_of(*faults);
    };
    CHECK(text("3d1219c7c4c5404aaa1f6d2a48adfda4").empty());
    CHECK(text("f8d5ea12-0c6c-4c5b-8d2b-33b1a43f0f01").empty());
    CHECK(text("Container_7.local").empty());
    CHECK(contains(text(""), "cannot use /srv/data/identity\n  why:  it is empty"));
    CHECK(contains(text("\x7f"
                        "ELF"),
                   "nothing that vm-launch wrote there"));
    CHECK(contains(text(std::string(5000, 'a')), "nothing that vm-launch wrote there"));
    CHECK(contains(text("a b\nc"), "remove it"));
}

}  // namespace
}  // namespace vml
