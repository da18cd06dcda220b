// What is given and would count for nothing: refused or told, and what counts is neither.
#include <algorithm>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "launcher/settings/option_table.h"
#include "launcher/settings/settings_reader.h"
#include "launcher/vm/spec.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using test::contains;
using test::made_up_host;
using test::no_file;
using test::text_of;
using test::with_netboot;
using test::Words;

ReadResult given(const Environment& environment, const Words& more_flags = {}) {
    return test::read_settings(more_flags, environment, no_file);
}

std::string faults_of_variables(const Environment& environment, const Words& more_flags = {}) {
    return text_of(given(environment, more_flags).faults);
}

HostFacts host_with_all() {
    HostFacts facts = with_netboot(made_up_host());
    facts.disks = {test::an_image("qcow2")};
    facts.iso = test::a_file();
    facts.user_data = test::a_file();
    facts.user_data_text = "#cloud-config\n{}\n";
    facts.roms.resize(3, facts.roms.front());
    facts.network.emplace();
    return facts;
}

// The notes on what has no effect, or counts for nothing; a fault is a line too.
Words told(const Environment& environment, const Words& more_flags = {},
           const HostFacts& facts = host_with_all()) {
    const ReadResult read = given(environment, more_flags);
    Words lines;
    Decision decision = decide(read.settings, read.origins, facts);
    if (const auto* spec = std::get_if<VmSpec>(&decision)) {
        lines = spec->notes;
    } else {
        lines = {text_of(read.faults) + text_of(std::get<std::vector<Fault>>(decision))};
    }
    return lines;
}

TEST_CASE("a gap in numbered variables is refused, and what is missing named") {
    CHECK(contains(faults_of_variables({{"DISK", "/a"}, {"DISK3", "/c"}}), "$DISK3: there is no DISK2\n"));
    CHECK(contains(faults_of_variables({{"DISK", "/a"}, {"DISK2", "''"}, {"DISK3", "/c"}}),
                   "$DISK3: there is no DISK2\n"));
    CHECK(contains(faults_of_variables({{"NETWORK3_MODE", "nat"}, {"NETWORK3_MTU", "1400"}}),
                   "$NETWORK3_MODE, $NETWORK3_MTU: there is no NETWORK2_…\n"));
    CHECK(given({{"DISK2", "/b"}, {"DISK4", "/d"}, {"DISK6", "/f"}}).faults.size() == 2);
}

TEST_CASE("the first disk and NIC have no number") {
    CHECK(contains(faults_of_variables({{"DISK1", "/a"}}), "write DISK=…"));
    CHECK(contains(faults_of_variables({{"DISK02", "/a"}}), "write DISK2=…"));
    CHECK(contains(faults_of_variables({{"NETWORK1_MODE", "nat"}}), "write NETWORK_MODE=…"));
    CHECK(contains(faults_of_variables({{"NETWORK0_BRIDGE", "br0"}}), "write NETWORK_BRIDGE=…"));
}

TEST_CASE("numbers without a gap, and numbers of others, are well") {
    for (const Environment& environment :
         {Environment{{"DISK", "/a"}, {"DISK2", "/b"}, {"DISK3", "/c"}}, Environment{{"DISK2", "/b"}},
          Environment{{"NETWORK2_MODE", "nat"}, {"NETWORK3_MODEL", "e1000"}},
          Environment{{"DISK1", ""}, {"DISK3", "\"\""}, {"NETWORK1_MODE", " "}},
          Environment{{"DISK3_SERVICE_HOST", "10.0.0.1"}, {"NETWORK1_GATEWAY", "10.0.0.1"}}}) {
        CHECK(faults_of_variables(environment).empty());
    }
    CHECK(faults_of_variables({{"DISK3", "/c"}}, {"--disk", "/x"}).empty());
    CHECK(faults_of_variables({{"NETWORK3_MODE", "nat"}}, {"--nic", "mode=nat"}).empty());
}

TEST_CASE("quotes around nothing are nothing, for every setting") {
    Environment environment{{"VM_LAUNCH_CONFIG", "\"\""},
                            {"LOG_VERBOSE", "''"},
                            {"NETWORK2_MODE", "\"\""},
                            {"GUEST_PASSWORD", "\"\""}};
    for (const OptionRow& row : option_table()) {
        environment.emplace(row.environment, row.flag.size() % 2 == 0 ? "\"\"" : "' '");
    }
    const ReadResult read = given(environment);
    CHECK(text_of(read.faults).empty());
    CHECK(read.settings == Settings{});
    CHECK(read.warnings.empty());
    CHECK(given({{"LOG_VERBOSE", "\"1\""}}).settings.log_level == LogLevel::debug);
}

TEST_CASE("a link of another mode is told of, with what would make it count") {
    const Environment boots{{"IPXE_ENABLE", "1"}, {"NETBOOT_DIR", "/srv"}};
    const auto told_of = [&](Environment more, const Words& more_flags = {}) {
        more.insert(boots.begin(), boots.end());
        return told(more, more_flags);
    };
    CHECK(told_of({{"NETWORK_BRIDGE", "br0"}}) ==
          Words{"$NETWORK_BRIDGE has no effect without --network=bridge"});
    CHECK(told_of({{"NETWORK_MODE", "nat"}, {"NETWORK_DIRECT_DEV", "eth0"}}) ==
          Words{"$NETWORK_DIRECT_DEV has no effect without --network=direct"});
    CHECK(told_of({{"NETWORK2_BRIDGE", "br0"}}) ==
          Words{"$NETWORK2_BRIDGE has no effect without NETWORK2_MODE=bridge"});
    CHECK(told_of({}, {"--nic", "bridge=br0"}) == Words{"NIC 2: bridge= has no effect without mode=bridge"});
    CHECK(told_of({}).empty());
    // Who overrides the mode by a flag knows what the variables say.
    CHECK(told_of({{"NETWORK_BRIDGE", "br0"}}, {"--network", "nat"}).empty());
    CHECK(told_of({{"NETWORK_MODE", "nat"}}, {"--bridge", "br0"}).size() == 1);
}

TEST_CASE("a folder or file that nothing boots from is told of") {
    const std::string no_network =
        ": nothing boots from it, as the boot order (hd) has no network (add --ipxe, or --boot-order "
        "network,hd)";
    CHECK(told({}, {"--netboot-dir=/srv", "--disk=/d"}) == Words{"--netboot-dir" + no_network});
    CHECK(told({{"NETBOOT_FILE", "http://h/x"}, {"DISK", "/d"}}) == Words{"$NETBOOT_FILE" + no_network});
    // It is for the one that boots.
    CHECK(told({}, {"--netboot-dir=/srv", "--ipxe", "--nic-boot=off", "--nic=mode=nat,boot=on"}).empty());
}

TEST_CASE("a network in the order that no NIC boots from is told of") {
    const Environment network{{"DISK", "/d"}, {"BOOT_ORDER", "network,hd"}};
    CHECK(told(network, {}).empty());
    CHECK(told(network, {"--nic-boot=off"}) ==
          Words{"$BOOT_ORDER names network, but no NIC takes part in the boot (--nic-boot lets one)"});
    CHECK(told(network, {"--nic-boot=off", "--nic=boot=on"}).empty());
    CHECK(contains(told({{"CPUS", "1"}}).at(0), "the default order is hd, and there is no such device"));
}

TEST_CASE("a folder that something may boot from is not") {
    const std::vector<Words> healthy{
        {},
        {"--ipxe"},
        {"--ipxe", "--disk=/d"},
        {"--boot-order=network,hd", "--disk=/d"},
        {"--boot-order=hd,network", "--disk=/d"},
        {"--boot-once=network", "--disk=/d"},
        {"--ipxe", "--boot-once=network", "--disk=/d"},
        {"--iso=/ipxe.iso"},  // which may be iPXE, and fetch from the folder
    };
    for (Words words : healthy) {
        words.emplace_back("--netboot-dir=/srv");
        CAPTURE(words);
        CHECK(told({}, words).empty());
    }
}

TEST_CASE("what a seed would hold is told of where none is made") {
    const Words boots{"--disk=/d"};
    const std::string left_out = " leaves out the seed for cloud-init that would hold it";
    const auto seedless = [&](Environment environment) {
        environment.emplace("CLOUD_INIT", "0");
        return told(environment, boots);
    };
    CHECK(seedless({{"CLOUD_INIT_USER_DATA", "/u"}}) ==
          Words{"$CLOUD_INIT_USER_DATA has no effect: $CLOUD_INIT" + left_out});
    CHECK(seedless({{"SSH_PUBKEY", "ssh-rsa AAAA"}}) ==
          Words{"$SSH_PUBKEY has no effect: $CLOUD_INIT" + left_out});
    CHECK(seedless({}).empty());
    CHECK(told({{"GUEST_HOSTNAME", "web"}}, boots) ==
          Words{"$GUEST_HOSTNAME has no effect: it is part of a seed for cloud-init, and there is none (add "
                "--cloud-init)"});
    CHECK(told({{"GUEST_HOSTNAME", "web"}, {"CLOUD_INIT_URL", "http://h/"}}, boots) ==
          Words{"$GUEST_HOSTNAME has no effect: the guest fetches it from $CLOUD_INIT_URL"});
    CHECK(told({{"GUEST_HOSTNAME", "web"}, {"SSH_PUBKEY", "ssh-rsa AAAA"}}, boots).empty());
    CHECK(told({{"CLOUD_INIT_USER_DATA", "/u"}}, boots).empty());
    CHECK(told({{"CLOUD_INIT_URL", "http://h/"}}, boots).empty());
    const auto read = given({{"CLOUD_INIT_USER_DATA", "/u"}}, {"--no-cloud-init", "--disk=/d"});
    CHECK_FALSE(std::get<VmSpec>(decide(read.settings, read.origins, host_with_all())).seed);
}

TEST_CASE("a format without a disk that it could be of is told of") {
    const std::string no_effect = " has no effect: it is the format of --disk's images, and there is none";
    CHECK(told({}, {"--ipxe", "--netboot-dir=/srv", "--disk-format=raw"}) ==
          Words{"--disk-format" + no_effect});
    CHECK(told({{"DISK_FORMAT", "qcow2"}}, {"--ipxe", "--netboot-dir=/srv", "--blank-disk"}) ==
          Words{"$DISK_FORMAT" + no_effect});
    CHECK(told({}, {"--disk=/d", "--disk-format=auto"}).empty());
    CHECK(contains(told({}, {"--ipxe", "--disk-format=raw,qcow2"}).at(0), "2 formats for 0 disks"));
}

TEST_CASE("faults name the variable of the NIC, the ROM and the report") {
    HostFacts facts = host_with_all();
    CHECK(contains(
        told({{"IPXE_ENABLE", "1"}, {"NETWORK2_MODE", "bridge"}, {"NETWORK2_BRIDGE", "br9"}}, {}, facts)
            .at(0),
        "$NETWORK2_BRIDGE: cannot put"));
    CHECK(contains(told({{"IPXE_ENABLE", "1"}, {"NETWORK2_MODE", "bridge"}}, {}, facts).at(0),
                   "$NETWORK2_MODE: bridge needs the bridge's name"));
    CHECK(contains(told({{"IPXE_ENABLE", "1"}, {"NETWORK2_MODE", "bridge"}}, {}, facts).at(0),
                   "add NETWORK2_BRIDGE=NAME"));
    CHECK(contains(told({}, {"--ipxe", "--nic=mode=bridge"}, facts).at(0), "add bridge=NAME"));
    facts.roms = {std::vector<RomCandidate>{
        {"/x.rom", std::nullopt, Fault{"cannot read the ROM /x.rom", "gone", "", ExitCode::host}}}};
    CHECK(contains(told({{"IPXE_ENABLE", "1"}, {"IPXE_ROM_PATH", "/x.rom"}}, {}, facts).at(0),
                   "$IPXE_ROM_PATH: cannot read the ROM /x.rom"));
}

TEST_CASE("what Docker-VM-Runner's variables ask for that is so anyway is not warned of") {
    const Environment idle{{"GPU", "0"}, {"ALLOCATE", "off"}, {"REDFISH_ENABLE", "\"0\""}, {"RNG", "1"}};
    CHECK(given(idle).warnings.empty());
    CHECK(given({{"GPU", "1"}, {"ALLOCATE", "1"}, {"REDFISH_ENABLE", "1"}}).warnings.size() == 3);
}

TEST_CASE("a source of entropy: with UEFI, or asked for") {
    const auto entropy = [](const Words& words) {
        return std::get<VmSpec>(test::decide_flags(words, host_with_all())).entropy;
    };
    CHECK_FALSE(entropy({"--disk=/d"}));
    CHECK(entropy({"--disk=/d", "--rng"}));
    CHECK(entropy({"--disk=/d", "--firmware=uefi"}));
    CHECK_FALSE(entropy({"--disk=/d", "--firmware=uefi", "--no-rng"}));
    CHECK(told({}, {"--boot-order=network", "--firmware=uefi", "--no-rng"}).size() == 1);
    CHECK(told({}, {"--disk=/d", "--firmware=uefi", "--no-rng"}).empty());
    CHECK(told({}, {"--disk=/d", "--no-rng"}).empty());
}

TEST_CASE("what is meant by a value in another notation is said") {
    CHECK(contains(faults_of_variables({}, {"--persist", "/data"}), "did you mean --data-dir /data?"));
    CHECK(contains(faults_of_variables({{"PERSIST", "/data"}}), "--data-dir=/data"));
    CHECK(contains(faults_of_variables({{"CLOUD_INIT_USER_DATA", "#cloud-config\nusers: []\n"}}),
                   "takes the path of a file"));
    CHECK(contains(faults_of_variables({{"CLOUD_INIT_USER_DATA", "#cloud-config"}}), "write it to a file"));
    CHECK(
        contains(faults_of_variables({{"SSH_PORT", "127.0.0.1:2222"}}), "--port-forward 127.0.0.1:2222:22"));
    CHECK(contains(faults_of_variables({{"SSH_PORT", "2222:22"}}), "the port of the host alone"));
    CHECK(contains(faults_of_variables({{"CPUS", "2 # cores"}}), "leave out # and what follows"));
    CHECK(given({{"MEMORY", "2Gi"}, {"DISK_SIZE", "512Mi"}}).settings.memory_mib == Amount{2048, {}});
}

TEST_CASE("a path that is not there says what else it may have been meant as") {
    HostFacts facts = host_with_all();
    facts.disks.front().path = {PathFacts::Kind::missing, 2};
    CHECK(contains(told({{"DISK", "/d.img # the disk"}}, {}, facts).at(0), "leave out # and what follows"));
    CHECK_FALSE(contains(told({{"DISK", "/d.img"}}, {}, facts).at(0), "#"));
    facts.iso = PathFacts{PathFacts::Kind::missing, 2};
    CHECK(contains(told({{"BOOT_FROM", "quay.io/containerdisks/fedora:40"}}, {}, facts).at(0),
                   "fetches no images from a registry"));
    for (const std::string path : {"images/x.iso", "./a.b/c", "../x", "/srv/x:1", "my.dir/x.iso"}) {
        CHECK_FALSE(contains(told({{"BOOT_FROM", path}}, {}, facts).at(0), "registry"));
    }
    CHECK(contains(told({}, {"--disk=/dev/sdb", "--disk-size=20G"}).at(0),
                   "a block device has a size of its own"));
    CHECK(contains(told({}, {"--disk=/d", "--disk-size=20G"}).at(0), "qemu-img resize"));
}

}  // namespace
}  // namespace vml
