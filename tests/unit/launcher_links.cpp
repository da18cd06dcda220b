// NICs on the host's links: from settings and facts to the plan.

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "launcher/commands/doctor.h"
#include "launcher/plan/make_plan.h"
#include "launcher/plan/plan_text.h"
#include "launcher/remote/status.h"
#include "netsetup/operation.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using namespace test;

// Each fault as a user reads it.
Words refusals(const Words& flags, const HostFacts& facts) {
    Words texts;
    for (const Fault& fault : faults_of(flags, facts)) {
        texts.push_back(to_text(fault));
    }
    return texts;
}

bool in(const std::string& text, const std::string& part) {
    return contains(std::string_view{text}, part);
}

net::Link link_of(int index, const std::string& name, const std::string& kind = "") {
    net::Link link;
    link.index = index;
    link.name = name;
    link.kind = kind;
    link.up = true;
    link.carrier = true;
    link.ethernet = true;
    link.mtu = 1500;
    return link;
}

// br0 with the port eth1, and eth2 which is free.
HostFacts host_with_links() {
    HostFacts facts = made_up_host();
    facts.machine_id = "aaaa";
    net::HostNetworkFacts network;
    network.net_admin = true;
    network.sys_admin = true;
    net::Link bridge = link_of(2, "br0", "bridge");
    bridge.bridge = net::BridgeFacts{};
    net::Link port = link_of(3, "eth1");
    port.master = 2;
    port.port_of_kind = "bridge";
    port.port_state = net::PortState::forwarding;
    network.links = {bridge, port, link_of(4, "eth2")};
    facts.network = network;
    facts.vhost_error = ENOENT;
    return facts;
}

std::string netdev_of(const Plan& plan, std::size_t nic = 0) {
    return test::values_of(plan, "-netdev").at(nic);
}

std::vector<FdPurpose> purposes(const Plan& plan) {
    std::vector<FdPurpose> list;
    for (const PlannedFd& fd : plan.fds) {
        list.push_back(fd.purpose);
    }
    return list;
}

TEST_CASE("a NIC on a bridge is a tap whose descriptor QEMU gets") {
    const Plan plan = plan_of({"--ipxe", "--network=bridge", "--bridge=br0"}, host_with_links());
    CHECK(netdev_of(plan) == "tap,id=net0,fd=5");
    CHECK(plan.fds.at(2).purpose == FdPurpose::tap);
    CHECK(plan.fds.at(2).nic == 1);
    REQUIRE(plan.links.size() == 3);
    CHECK(std::holds_alternative<net::CreateTap>(plan.links.at(0)));
    CHECK(std::get<net::SetMaster>(plan.links.at(1)).bridge == "br0");
    CHECK(std::holds_alternative<net::SetUp>(plan.links.at(2)));
    CHECK(plan.port_waits.empty());
}

TEST_CASE(
    "a link that is missing is told with the setting that names it, in a container with the container's "
    "flag") {
    HostFacts facts = host_with_links();
    facts.in_container = true;
    facts.network->in_container = true;
    facts.network->links = {link_of(2, "eth0")};
    for (const Words& flags : {Words{"--ipxe", "--network=bridge", "--bridge=br0"},
                               Words{"--ipxe", "--network=direct", "--direct-dev=eth9"}}) {
        const std::vector<Fault> faults = test::faults_of(flags, facts);
        REQUIRE(faults.size() == 1);
        CHECK(faults.front().what.starts_with(flags.back().substr(0, flags.back().find('=')) +
                                              ": cannot put NIC 1"));
        CHECK(in(faults.front().hint, "start it with `--network host`"));
        CHECK_FALSE(in(faults.front().hint, "ip link add"));
    }
    facts.network->in_container = false;
    CHECK(in(test::faults_of({"--ipxe", "--network=bridge", "--bridge=br0"}, facts).front().hint,
             "ip link add br0"));
}

TEST_CASE("a second VM of the same name on a link is told of the addresses that it shares") {
    HostFacts facts = host_with_links();
    facts.running_vms = {"other", "vm"};
    const Words flags{"--ipxe", "--network=bridge", "--bridge=br0"};
    const VmSpec spec = spec_of(flags, facts);
    CHECK(in(spec.notes.back(), "a VM named vm runs on this host already"));
    CHECK(in(spec.notes.back(), spec.nics.front().mac));
    for (const std::string more : {"--name=mine", "--mac=52:54:00:00:00:01"}) {
        Words other = flags;
        other.push_back(more);
        CHECK_FALSE(in(spec_of(other, facts).notes.back(), "already"));
    }
    CHECK(spec_of({"--ipxe", "--bootfile=http://h/x"}, facts).notes.empty());
    facts.running_vms.clear();
    facts.random_name = true;
    facts.default_name = "0123456789ab";
    CHECK(in(spec_of(flags, facts).notes.back(), "another one with each new container"));
}

TEST_CASE("vhost-net is used for virtio where it can be opened, and its lack is told") {
    HostFacts facts = host_with_links();
    CHECK(in(spec_of({"--ipxe", "--network=bridge", "--bridge=br0"}, facts).notes.back(), "no vhost-net"));
    facts.vhost_error = 0;
    const Plan plan = plan_of({"--ipxe", "--network=bridge", "--bridge=br0"}, facts);
    CHECK(netdev_of(plan) == "tap,id=net0,fd=5,vhost=on,vhostfd=6");
    CHECK(plan.fds.at(3).purpose == FdPurpose::vhost);
    facts.roms = {std::vector<RomCandidate>{bios_rom("/e.rom", {0x8086, 0x100E})}};
    CHECK(netdev_of(plan_of({"--ipxe", "--network=bridge", "--bridge=br0", "--nic-model=e1000"}, facts)) ==
          "tap,id=net0,fd=5");
}

TEST_CASE("several queues are several descriptors, and the device has vectors for them") {
    HostFacts facts = host_with_links();
    facts.vhost_error = 0;
    const Plan plan = plan_of({"--ipxe", "--network=direct", "--direct-dev=eth2", "--nic-queues=2"}, facts);
    CHECK(netdev_of(plan) == "tap,id=net0,fds=5:6,vhost=on,vhostfds=7:8");
    CHECK(in(plan_as_text(plan), ",mq=on,vectors=6,"));
    using P = FdPurpose;
    CHECK(purposes(plan) ==
          std::vector<P>{P::qmp, P::console, P::tap, P::tap, P::vhost, P::vhost, P::rom, P::agent});
    CHECK(in(refusals({"--ipxe", "--nic-queues=2", "--bootfile=http://h/x"}, facts).at(0),
             "several queues need a virtio NIC"));
}

TEST_CASE("a port that is slow to forward is waited for") {
    HostFacts facts = host_with_links();
    facts.network->links.at(0).bridge->stp = true;
    facts.network->links.at(0).bridge->forward_delay_cs = 1500;
    const Plan plan = plan_of({"--ipxe", "--network=bridge", "--bridge=br0"}, facts);
    CHECK(plan.port_waits == std::vector<PortWait>{{1, "br0", std::chrono::seconds{30}}});
    CHECK(in(plan_as_text(plan), "about 30 s"));
}

TEST_CASE("a bridge or device without a name is a fault that lists what there is") {
    const auto bridge = refusals({"--ipxe", "--network=bridge"}, host_with_links());
    REQUIRE(bridge.size() == 1);
    CHECK(in(bridge.at(0), "there are here: br0"));
    const auto direct = refusals({"--ipxe", "--nic=mode=direct", "--bootfile=http://h/x"}, host_with_links());
    REQUIRE(direct.size() == 1);
    CHECK(in(direct.at(0), "NIC 2"));
    CHECK(in(direct.at(0), "eth1, eth2"));
    HostFacts facts = host_with_links();
    facts.network->links.clear();
    CHECK_FALSE(in(refusals({"--ipxe", "--network=bridge"}, facts).at(0), "--network host"));
    facts.in_container = true;
    CHECK(in(refusals({"--ipxe", "--network=bridge"}, facts).at(0),
             "start the container with `--network host`"));
}

TEST_CASE("faults of several NICs come at once, and the same lack once") {
    HostFacts facts = host_with_links();
    facts.network->net_admin = false;
    const auto faults = refusals({"--ipxe", "--network=bridge", "--bridge=br0",
                                  "--nic=mode=bridge,bridge=br0", "--nic=mode=direct,direct-dev=eth9"},
                                 facts);
    CHECK(
        std::any_of(faults.begin(), faults.end(), [](const auto& fault) { return in(fault, "NET_ADMIN"); }));
    CHECK(std::any_of(faults.begin(), faults.end(), [](const auto& fault) { return in(fault, "eth9"); }));
}

TEST_CASE("what only user mode can do is refused without it") {
    const auto faults =
        refusals({"--ipxe", "--network=bridge", "--bridge=br0", "--ssh-port=22", "--port-forward=80:80"},
                 host_with_links());
    CHECK(faults.size() == 2);
    CHECK(in(faults.at(0), "needs user-mode networking"));
    const auto beside =
        spec_of({"--ipxe", "--network=bridge", "--bridge=br0", "--nic=mode=nat", "--ssh-port=2222"},
                host_with_links());
    CHECK(beside.nics.at(1).nat().forwards ==
          std::vector<PortForward>{{2222, 22, PortProtocol::tcp, "127.0.0.1"}});
}

TEST_CASE("NICs that boot have each a bootindex and a ROM of their own; the others have neither") {
    HostFacts facts = host_with_links();
    const RomCandidate virtio = bios_rom("/v.rom", {0x1AF4, 0x1041});
    const RomCandidate e1000 = bios_rom("/e.rom", {0x8086, 0x100E});
    facts.roms = {{virtio}, {}, {e1000}};
    facts.disks = {an_image()};
    const VmSpec spec = spec_of({"--ipxe", "--network=bridge", "--bridge=br0", "--nic=mode=nat",
                                 "--nic=mode=bridge,bridge=br0,model=e1000,boot=on", "--disk=/d"},
                                facts);
    REQUIRE(spec.nics.size() == 3);
    CHECK(spec.bootindex("net0") == 1);
    CHECK(spec.nics.at(0).rom->file == "/v.rom");
    CHECK_FALSE(spec.bootindex("net1"));
    CHECK_FALSE(spec.nics.at(1).rom);
    CHECK(spec.bootindex("net2") == 2);
    CHECK(spec.nics.at(2).rom->file == "/e.rom");
    CHECK(spec.bootindex("disk0") == 3);
    CHECK(spec.nics.at(0).mac != spec.nics.at(1).mac);
}

TEST_CASE("iPXE without a NIC that boots is a fault, and so are two NICs of one address") {
    CHECK(in(refusals({"--ipxe", "--nic-boot=off", "--bootfile=http://h/x"}, host_with_links()).at(0),
             "no NIC takes part in the boot"));
    CHECK(in(refusals({"--ipxe", "--mac=02:00:00:00:00:01", "--nic=mac=02:00:00:00:00:01",
                       "--bootfile=http://h/x"},
                      host_with_links())
                 .at(0),
             "NIC 1 and NIC 2 have the same MAC address"));
}

TEST_CASE("the guest is told an MTU that is not Ethernet's") {
    HostFacts facts = host_with_links();
    for (net::Link& link : facts.network->links) {
        link.mtu = 9000;
    }
    const Plan plan = plan_of({"--ipxe", "--network=bridge", "--bridge=br0"}, facts);
    CHECK(in(plan_as_text(plan), ",host_mtu=9000,"));
    CHECK(std::get<net::CreateTap>(plan.links.at(0)).mtu == 9000);
}

TEST_CASE("running by hand makes the same links with iproute2") {
    const std::string bridge =
        plan_as_shell(plan_of({"--ipxe", "--network=bridge", "--bridge=br0"}, host_with_links()));
    CHECK(
        in(bridge, "ip tuntap add dev vmtap-1 mode tap vnet_hdr && ip link set vmtap-1 master br0 up &&\n"));
    CHECK(in(bridge, "-netdev tap,id=net0,ifname=vmtap-1,script=no,downscript=no"));
    const std::string direct =
        plan_as_shell(plan_of({"--ipxe", "--network=direct", "--direct-dev=eth2"}, host_with_links()));
    CHECK(in(direct, "exec 8<>/dev/tap$(cat /sys/class/net/vmmac-1/ifindex)"));
    CHECK(in(direct, "-netdev tap,id=net0,fd=8"));
}

// -- the user that QEMU runs as

TEST_CASE("root hands QEMU to the user that was found, others do not") {
    HostFacts facts = made_up_host();
    facts.run_user = {true, RunUser{"nobody", 65534, 65534, {104}, false}, "root"};
    const VmSpec by_root = spec_of({"--ipxe", "--bootfile=http://h/x"}, facts);
    REQUIRE(by_root.run_user);
    CHECK(by_root.run_user->name == "nobody");
    CHECK(by_root.run_user->groups.empty());  // the group of /dev/kvm is for KVM alone
    facts.run_user.can_change = false;
    CHECK_FALSE(spec_of({"--ipxe", "--bootfile=http://h/x"}, facts).run_user);
    facts.run_user.own_name = "me";
    CHECK(in(refusals({"--ipxe", "--bootfile=http://h/x", "--run-as=nobody"}, facts).at(0), "only root"));
    facts.run_user.user.reset();
    CHECK(in(refusals({"--ipxe", "--bootfile=http://h/x", "--run-as=who"}, facts).at(0),
             "there is no user 'who'"));
}

TEST_CASE("a folder that QEMU's user cannot read is a fault that names both") {
    HostFacts facts = with_netboot(made_up_host());
    facts.run_user = {true, RunUser{"nobody", 65534, 65534, {}, false}, "root"};
    facts.netboot->folder.user_error = EACCES;
    const VmSpec by_http = spec_of({"--ipxe", "--netboot-dir=/srv/n"}, facts);  // which is vm-launch's own
    CHECK(by_http.nics.front().netboot.http);
    CHECK_FALSE(by_http.nics.front().netboot.tftp);
    REQUIRE_FALSE(by_http.notes.empty());
    CHECK(in(by_http.notes.front(), "served by HTTP alone"));
    for (const PlannedArg& arg : make_plan(by_http).args) {
        CHECK_FALSE(in(arg.value, "tftp="));
    }
    facts.netboot->script = false;
    const auto faults = refusals({"--ipxe", "--netboot-dir=/srv/n"}, facts);
    REQUIRE(faults.size() == 1);
    CHECK(in(faults.at(0), "QEMU's user nobody cannot read /srv/n"));
    CHECK(in(faults.at(0), "--run-as"));
}

// -- ROMs

TEST_CASE("a driver for another NIC is refused under UEFI, where the firmware would start it for nothing") {
    RomCandidate foreign = efi_rom("/e1000.rom");
    for (rom::Image& image : foreign.rom->images) {
        image.id = {0x8086, 0x100E};
    }
    HostFacts facts = made_up_host();
    facts.roms = {std::vector<RomCandidate>{foreign}};
    const auto faults = refusals({"--ipxe", "--firmware=uefi", "--bootfile=http://h/x"}, facts);
    REQUIRE(faults.size() == 1);
    CHECK(in(faults.at(0), "is a driver for e1000 (8086:100e), not for virtio"));
}

TEST_CASE("a bundled ROM for a family of chips is left to QEMU, which gives it the NIC's ID") {
    HostFacts facts = made_up_host();
    facts.roms = {std::vector<RomCandidate>{bios_rom("/usr/share/pxe-ne2k_pci.rom", {0, 0})}};
    const Words arguments{"--ipxe", "--nic-model=ne2k_pci", "--bootfile=http://h/x"};
    const VmSpec spec = spec_of(arguments, facts);
    REQUIRE(spec.nics.front().rom);
    CHECK(spec.nics.front().rom->qemu_default);
    CHECK_FALSE(in(plan_as_text(make_plan(spec)), "romfile="));
    // one of the user's own is never patched
    Words own = arguments;
    own.emplace_back("--ipxe-rom=/usr/share/pxe-ne2k_pci.rom");
    CHECK(refusals(own, facts).size() == 1);
}

std::optional<PlannedProbe> planned_probe(const std::vector<std::string>& words) {
    return plan_of(words, host_with_links()).probe;
}

TEST_CASE("a network of the host's is asked, in the words of the client that boots first") {
    const std::vector<std::string> bridge{"--network=bridge", "--bridge=br0"};
    const auto with = [&](std::vector<std::string> more) {
        more.insert(more.begin(), bridge.begin(), bridge.end());
        return planned_probe(more);
    };
    const auto ipxe = with({"--ipxe"});
    REQUIRE(ipxe);
    CHECK(ipxe->id == "net0");
    const ClientWords as_ipxe{0, "PXEClient:Arch:00000:UNDI:002001", "iPXE",
                              spec_of({"--ipxe"}, host_with_links()).uuid};
    CHECK(ipxe->words == as_ipxe);
    const auto bios = with({"--boot-order=network"});  // whose client is a ROM too
    REQUIRE(bios);
    CHECK(bios->words == as_ipxe);
    const auto uefi = with({"--boot-order=network", "--firmware=uefi"});
    REQUIRE(uefi);
    CHECK(uefi->words.vendor_class == "PXEClient:Arch:00007:UNDI:003000");
    CHECK(uefi->words.user_class.empty());
    CHECK(planned_probe({"--ipxe", "--network=direct", "--direct-dev=eth2"}));
    CHECK_FALSE(planned_probe({"--ipxe"}));
    CHECK_FALSE(with({"--ipxe", "--probe=off"}));
    CHECK_FALSE(with({"--ipxe", "--fast-boot=off"}));
    CHECK_FALSE(with({"--ipxe", "--no-boot-watch"}));
    CHECK_FALSE(with({"--blank-disk", "--boot-order=hd"}));
    CHECK_FALSE(with({"--blank-disk", "--boot-once=hd", "--boot-order=network"}));
    CHECK(with({"--ipxe", "--blank-disk", "--boot-order=network,hd"}));
}

TEST_CASE("packets for a report are those that are watched") {
    const auto told = [](std::vector<std::string> words, const HostFacts& facts) {
        words.insert(words.begin(), "--report=/tmp/a.pcapng");
        const std::vector<Fault> faults = faults_of(words, facts);
        REQUIRE(faults.size() == 1);
        return fmt::format("{}: {} ({})", faults[0].what, faults[0].why, static_cast<int>(faults[0].code));
    };
    HostFacts blind = host_with_links();
    blind.capture_error = EPERM;
    CHECK(spec_of({"--ipxe", "--report=/tmp/a.pcapng"}, blind).nics.front().watched);  // by QEMU's dump
    CHECK(spec_of({"--ipxe", "--report=/tmp/a.json", "--no-boot-watch"}, blind).nics.size() == 1);
    CHECK(told({"--ipxe", "--no-boot-watch"}, blind) ==
          "--report: no packets for /tmp/a.pcapng: --no-boot-watch: nobody looks at them (2)");
    CHECK(in(told({"--blank-disk", "--boot-order=hd"}, blind), "no NIC is in the boot order"));
    CHECK(in(told({"--ipxe", "--network=bridge", "--bridge=br0"}, blind),
             "the guest's packets cannot be seen: Operation not permitted (3)"));
    CHECK(in(told({"--ipxe", "--report=b.json,c.pcapng"}, host_with_links()),
             "names 2 files for the packets: they are written once"));
}

TEST_CASE("a wish for a probe that cannot be is told") {
    const auto told = [](std::vector<std::string> words) {
        words.insert(words.begin(), "--ipxe");
        const VmSpec spec = spec_of(words, host_with_links());
        const auto is_it = [](const std::string& note) { return in(note, "nobody is asked: "); };
        const auto note = std::find_if(spec.notes.begin(), spec.notes.end(), is_it);
        CHECK(spec.nics.front().unprobed.empty());
        return note == spec.notes.end() ? "" : *note;
    };
    const std::string bridge = "--network=bridge";
    const std::string br0 = "--bridge=br0";
    CHECK(told({"--probe=auto"}) ==
          "--probe: nobody is asked: the guest boots first from neither a bridge nor "
          "a device of the host's");
    CHECK(in(told({"--probe=auto", bridge, br0, "--fast-boot=off"}), "--fast-boot leaves the network alone"));
    CHECK(in(told({"--probe=auto", bridge, br0, "--no-boot-watch"}), "nobody looks for the answers"));
    CHECK(told({"--probe=auto", bridge, br0}).empty());
    CHECK(told({"--probe=off", bridge, br0, "--fast-boot=off"}).empty());
    CHECK(told({bridge, br0, "--fast-boot=off"}).empty());
    CHECK(told({}).empty());
}

// The bridge would learn that the address is here now, and lead the other's frames away from it.
TEST_CASE("nobody is asked in the name of an address that was just heard elsewhere, or without the right") {
    const std::vector<std::string> words{"--ipxe", "--network=bridge", "--bridge=br0",
                                         "--mac=52:54:00:ab:cd:ef"};
    HostFacts facts = host_with_links();
    const net::Link* bridge = net::link_named(facts.network->links, "br0");
    REQUIRE(bridge);
    net::ForwardingEntry entry;
    entry.bridge = bridge->index;
    entry.port = 4242;
    entry.mac = {0x52, 0x54, 0, 0xAB, 0xCD, 0xEE};
    facts.network->forwarding = std::vector{entry};
    CHECK(spec_of(words, facts).nics.front().probe);
    facts.network->forwarding->front().mac[5] = 0xEF;
    const NicSpec nic = spec_of(words, facts).nics.front();
    CHECK_FALSE(nic.probe);
    CHECK(nic.unprobed == "its MAC address may be in use");
    CHECK_FALSE(plan_of(words, facts).probe);
    HostFacts blind = host_with_links();
    blind.capture_error = EPERM;
    CHECK(in(spec_of(words, blind).nics.front().unprobed, "needs CAP_NET_RAW"));
}

// -- doctor and status

TEST_CASE("doctor tells what is there, what is doubtful and what is missing") {
    const HostFacts facts = host_with_links();
    const std::string good = doctor_as_text(
        doctor_lines(facts, decide_flags({"--ipxe", "--network=bridge", "--bridge=br0"}, facts)));
    CHECK(in(good, "ok       net0: the bridge br0 can be used\n"));
    CHECK(in(good, "warning  no vhost-net"));
    CHECK(good.ends_with("\nNothing is missing.\n"));
    const std::string bad = doctor_as_text(
        doctor_lines(facts, decide_flags({"--ipxe", "--network=bridge", "--bridge=br7"}, facts)));
    CHECK(in(bad, "fault    "));
    CHECK(in(bad, "br7"));
    CHECK(bad.ends_with("\n1 problem found.\n"));
}

TEST_CASE("a VM of ours is told from any other process by its arguments") {
    const std::vector<std::string> ours{"qemu-system-x86_64", "-name", "guest=vm7", "-mon",
                                        "chardev=qmp,mode=control"};
    CHECK(vm_name_in(ours) == "vm7");
    CHECK(vm_name_in({"qemu-system-x86_64", "-name", "guest=other"}).empty());
    CHECK(vm_name_in({"sh", "-c", "chardev=qmp,mode=control", "-name"}).empty());
    CHECK(vm_name_in({}).empty());
}

TEST_CASE("rights are read from the kernel's text") {
    const ProcessRights rights = parse_process_status(
        "Name:\tqemu\nUid:\t0\t65534\t65534\t65534\nCapEff:\t0000000000000020\nNoNewPrivs:\t1\nSeccomp:"
        "\t2\n");
    CHECK(rights.uid == 65534);
    CHECK(rights.capabilities == "0000000000000020");
    CHECK(rights.no_new_privs);
    CHECK(rights.seccomp == 2);
    CHECK(parse_process_status("garbage") == ProcessRights{});
}

}  // namespace
}  // namespace vml
