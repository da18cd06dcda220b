// How a guest is reached: addresses, forwarded ports, ssh; and the table of VMs.
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "bootwatch/record.h"
#include "launcher/remote/forwards.h"
#include "launcher/remote/nic_addresses.h"
#include "launcher/remote/ssh.h"
#include "launcher/remote/vm_table.h"
#include "launcher/run/told_state.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using nlohmann::json;
using test::contains;
using test::Words;

json forward(int host, int guest, const std::string& protocol = "tcp",
             const std::string& address = "127.0.0.1") {
    return {{"protocol", protocol}, {"address", address}, {"host_port", host}, {"guest_port", guest}};
}

json vm_with(const json& nics) {
    return {{"nics", nics}};
}

Fault refused(const json& nics) {
    try {
        (void)ssh_way("web", vm_with(nics));
    } catch (const Error& error) {
        return error.faults().front();
    }
    FAIL("there is a way");
    return {};
}

boot::DhcpTalk talk_of(boot::Client client, std::uint32_t address, double at,
                       const std::string& nic = "net0") {
    boot::DhcpTalk talk;
    talk.client = client;
    talk.nic = nic;
    talk.ack.emplace();
    talk.ack->at = at;
    talk.ack->message.yours = boot::Address::v4(address);
    return talk;
}

// -- addresses

TEST_CASE("a NIC has the address that was acknowledged last in this boot, with whose DHCP it was") {
    boot::Boot boot;
    CHECK(leases_of(boot).empty());
    boot.dhcp = {talk_of(boot::Client::firmware, 0xc0000201, 1), talk_of(boot::Client::ipxe, 0xc0000202, 5),
                 talk_of(boot::Client::ipxe, 0xc0000209, 4, "net1"), talk_of(boot::Client::other, 0, 9)};
    boot.dhcp.emplace_back();  // no answer
    const std::vector<NicAddress> leases = leases_of(boot);
    CHECK(leases == std::vector<NicAddress>{{"net0", "192.0.2.2", "ipxe"}, {"net1", "192.0.2.9", "ipxe"}});
    json nics{{{"id", "net0"}}, {{"id", "net2"}}};
    add_leases(nics, leases);
    CHECK(address_words(nics[0]) == "192.0.2.2, by DHCP to iPXE");
    CHECK(address_words(nics[1]).empty());
}

TEST_CASE("an agent's word stands over what was seen; what it says is believed as far as it is an address") {
    const auto told = [](const json& interfaces) {
        json nics{
            {{"id", "net0"}, {"mac", "52:54:00:00:00:01"}, {"address", "192.0.2.2"}, {"address_by", "ipxe"}}};
        add_told_by_agent(nics, interfaces);
        return address_words(nics[0]);
    };
    const auto with = [](const json& addresses, const char* mac = "52:54:00:00:00:01") {
        return json{{{"hardware-address", mac}, {"ip-addresses", addresses}}};
    };
    CHECK(told(with({{{"ip-address", "fe80::1"}},
                     {{"ip-address", "2001:db8::1"}},
                     {{"ip-address", "192.0.2.7"}}})) == "192.0.2.7, as its agent says");
    CHECK(told(with({{{"ip-address", "fe80::1"}}, {{"ip-address", "2001:db8::1"}}}, "52:54:00:00:00:01")) ==
          "2001:db8::1, as its agent says");
    const std::string seen = "192.0.2.2, by DHCP to iPXE";
    for (const char* address :
         {"169.254.3.4", "127.0.0.1", "::1", "fe80::1", "-oProxyCommand=x", "\x1b[2J", ""}) {
        CAPTURE(address);
        CHECK(told(with({{{"ip-address", address}}})) == seen);
    }
    CHECK(told(with({{{"ip-address", "192.0.2.7"}}}, "52:54:00:00:00:02")) == seen);
    for (const json& nonsense : {json(), json(7), json::object(), json{1, 2}, with(7), with({1}),
                                 json{{{"hardware-address", "52:54:00:00:00:01"}}}}) {
        CHECK(told(nonsense) == seen);
    }
}

// -- forwards

TEST_CASE("a forwarded port is told with what one can paste") {
    const json nic{{"forwards",
                    {forward(2222, 22, "tcp", "0.0.0.0"), forward(8080, 80), forward(8443, 443),
                     forward(53, 53, "udp"), forward(5000, 5000, "tcp", "192.0.2.1")}}};
    const std::string lines = forward_lines(nic);
    CHECK(contains(lines, "127.0.0.1:2222 leads to the guest's tcp port 22: ssh -p 2222 127.0.0.1\n"));
    CHECK(contains(lines, "port 80: http://127.0.0.1:8080/\n"));
    CHECK(contains(lines, "port 443: https://127.0.0.1:8443/\n"));
    CHECK(contains(lines, "127.0.0.1:53 leads to the guest's udp port 53\n"));
    CHECK(short_forwards(json::array({nic})) == "2222→22, 8080→80, 8443→443, udp 53→53, 1 more");
    json many = json::array();
    for (int port = 1; port <= 20; ++port) {
        many.push_back(forward(port, port));
    }
    CHECK(contains(forward_lines({{"forwards", many}}), "and 12 more\n"));
    CHECK(short_forwards(json::array({{{"forwards", many}}})) == "1→1, 2→2, 3→3, 4→4, 16 more");
    CHECK(forward_lines(json::object()).empty());
}

// -- ssh

TEST_CASE("ssh goes by a forwarded port, else to the address on a bridge") {
    const json nat{
        {"mode", "nat"}, {"address", "10.0.2.15"}, {"forwards", {forward(53, 22, "udp"), forward(2222, 22)}}};
    const json bridge{{"mode", "bridge"}, {"address", "192.0.2.7"}};
    CHECK(ssh_way("web", vm_with(json::array({nat}))) == SshWay{"127.0.0.1", 2222});
    CHECK(ssh_way("web", vm_with(json::array({bridge}))) == SshWay{"192.0.2.7", 22});
    CHECK(ssh_way("web", vm_with({bridge, nat})) == SshWay{"127.0.0.1", 2222});
    CHECK(ssh_way("web", vm_with({{{"mode", "direct"}, {"address", "192.0.2.8"}}, bridge})).host ==
          "192.0.2.7");
}

TEST_CASE("an address that a boot program got is doubted, the guest's own is not") {
    const auto doubt_by = [](const char* by) {
        const json nic{{"mode", "bridge"}, {"address", "192.0.2.7"}, {"address_by", by}};
        return ssh_way("web", vm_with(json::array({nic}))).doubt;
    };
    CHECK(contains(doubt_by("ipxe"), "192.0.2.7 is the address that iPXE got"));
    CHECK(contains(doubt_by("firmware"), "that the firmware got"));
    CHECK(doubt_by("agent").empty());
    CHECK(doubt_by("other").empty());
}

TEST_CASE("a guest's bridge has its port's MAC address, and the IP address") {
    json nics{{{"id", "net0"}, {"mac", "52:54:00:00:00:01"}}};
    const json bare{{"hardware-address", "52:54:00:00:00:01"}, {"ip-addresses", json::array()}};
    const json bridge{{"hardware-address", "52:54:00:00:00:01"},
                      {"ip-addresses", {{{"ip-address", "192.0.2.7"}}}}};
    add_told_by_agent(nics, {bare, bridge});
    CHECK(address_words(nics[0]) == "192.0.2.7, as its agent says");
}

TEST_CASE("where no way leads to the guest, ssh says what would make one") {
    CHECK(contains(refused({{{"mode", "nat"}, {"address", "10.0.2.15"}}}).hint, "--ssh-port 2222"));
    CHECK(contains(refused({{{"mode", "bridge"}}}).why, "its address is not known"));
    CHECK(contains(refused({{{"mode", "bridge"}, {"address", "-oProxyCommand=x"}}}).why,
                   "its address is not known"));
    CHECK(contains(refused({{{"mode", "direct"}, {"address", "192.0.2.8"}}}).hint, "ssh 192.0.2.8"));
    const Fault isolated = refused({{{"mode", "isolated"}, {"address", "192.0.2.9"}}});
    CHECK(contains(isolated.why, "leads to nobody but the VMs on it"));
    CHECK(contains(isolated.hint, "vm-launch console web"));
    CHECK(contains(refused(json::array()).why, "none of its NICs"));
}

TEST_CASE("ssh's own options come first, then ours, the host, and the guest's command") {
    const Words line =
        ssh_words({"192.0.2.7"}, "debian", {"-v", "-i", "key", "-oA=b", "-tL", "1:a:2", "uname", "-a"});
    const auto host = std::find(line.begin(), line.end(), "192.0.2.7");
    CHECK(Words(line.begin(), line.begin() + 8) ==
          Words{"ssh", "-v", "-i", "key", "-oA=b", "-tL", "1:a:2", "-o"});
    CHECK(Words(host - 4, line.end()) == Words{"-p", "22", "-l", "debian", "192.0.2.7", "uname", "-a"});
    CHECK(contains(line, "UserKnownHostsFile=/dev/null"));
    CHECK(contains(line, "ForwardAgent=no"));
    CHECK(ssh_words({"::1", 2}, {}, {}).back() == "::1");
    CHECK(ssh_words({"::1", 2}, {}, {"-i"}).back() == "::1");
    CHECK_FALSE(contains(ssh_words({"::1", 2}, {}, {}), "-l"));
    const Words ended = ssh_words({"192.0.2.7"}, {}, {"-A", "--", "uname", "--", "-a"});
    CHECK(Words(ended.begin(), ended.begin() + 3) == Words{"ssh", "-A", "-o"});
    CHECK(Words(ended.end() - 4, ended.end()) == Words{"192.0.2.7", "uname", "--", "-a"});
}

// -- ls

RunningStatus vm_running(const std::string& name, double uptime) {
    RunningStatus vm;
    vm.name = name;
    vm.uptime = uptime;
    return vm;
}

TEST_CASE("the table of VMs has a line for each, and a dash for what is not told") {
    RunningStatus told = vm_running("web", 4000);
    told.told = {{"phase", "running"},
                 {"stage", "os"},
                 {"nics", {{{"address", "10.0.2.15"}, {"forwards", {forward(2222, 22)}}}}},
                 {"vnc", {{"address", "127.0.0.1"}, {"port", 5901}}}};
    const RunningStatus mute = vm_running("a-longer-name", 12);
    const std::string table = vms_as_table({told, mute});
    CHECK(table ==
          "NAME           STATE    STAGE  ADDRESS    PORTS    VNC             UP\n"
          "web            running  os     10.0.2.15  2222→22  127.0.0.1:5901  1 h 6 min\n"
          "a-longer-name  -        -      -          -        -               12 s\n");
    told.told["paused"] = "io-error";
    CHECK(contains(vms_as_table({told}), "  io-error  "));
    CHECK(vms_as_table({}) == "NAME  STATE  STAGE  ADDRESS  PORTS  VNC  UP\n");
}

TEST_CASE("a time in words") {
    CHECK(time_in_words(0) == "0 s");
    CHECK(time_in_words(59.9) == "59 s");
    CHECK(time_in_words(60) == "1 min");
    CHECK(time_in_words(3600) == "1 h 0 min");
    CHECK(time_in_words(2 * 86400 + 3 * 3600) == "2 d 3 h");
}

}  // namespace
}  // namespace vml
