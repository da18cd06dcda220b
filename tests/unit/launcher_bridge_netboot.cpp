// What vm-launch serves to a guest on a bridge, from settings to the plan.
#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "launcher/plan/plan_text.h"
#include "launcher/run/run_inputs.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using namespace test;

// br0, on which the host has these addresses, and eth2.
HostFacts host_on_bridge(std::vector<net::Ipv4Address> addresses = {{10, 77, 0, 3}}) {
    HostFacts facts = with_links(made_up_host(), a_bridge_and_a_device(std::move(addresses)));
    facts.roms.push_back(facts.roms.front());  // for a second NIC
    return with_netboot(facts);
}

Words bridge_words(const Words& more = {"--netboot-dir=/srv/n"}) {
    Words flags{"--ipxe", "--network=bridge", "--bridge=br0"};
    flags.insert(flags.end(), more.begin(), more.end());
    return flags;
}

std::string refusal(const Words& flags, const HostFacts& facts) {
    return text_of(faults_of(flags, facts));
}

bool has_note(const VmSpec& spec, std::string_view part) {
    return std::any_of(spec.notes.begin(), spec.notes.end(),
                       [&](const std::string& note) { return contains(std::string_view{note}, part); });
}

TEST_CASE("whose turn on the network was in an earlier run is served nothing, and starts") {
    HostFacts facts = host_on_bridge();
    const Words flags =
        bridge_words({"--netboot-dir=/srv/n", "--boot-once=network", "--blank-disk", "--data-dir=/srv/data"});
    facts.data = data_folder();
    CHECK(spec_of(flags, facts).nics.front().netboot.is_offered());
    facts.data = data_folder(true);
    const VmSpec later = spec_of(flags, facts);
    CHECK_FALSE(later.nics.front().netboot.is_offered());
    CHECK_FALSE(make_plan(later).http);
}

TEST_CASE("what nothing on a bridge boots from is told of") {
    const VmSpec disc =
        spec_of({"--network=bridge", "--bridge=br0", "--iso=/x.iso", "--netboot-dir=/srv/n"}, [] {
            HostFacts facts = host_on_bridge();
            facts.iso = a_file();
            return facts;
        }());
    CHECK(has_note(disc, "--netboot-dir: nothing boots from it"));
    HostFacts bare = host_on_bridge();
    bare.netboot->has_boot_ipxe = bare.netboot->script = false;
    CHECK(has_note(spec_of(bridge_words(), bare),
                   "nothing of it is served, and the network alone says what boots"));
}

TEST_CASE("the folder comes by HTTP alone, from the host's first address on the bridge") {
    const VmSpec spec = spec_of(bridge_words(), host_on_bridge({{10, 77, 0, 3}, {10, 88, 0, 1}}));
    const Netboot& netboot = spec.nics.front().netboot;
    CHECK(netboot.http);
    CHECK_FALSE(netboot.tftp);
    CHECK(netboot.offered_from == net::Ipv4Address{10, 77, 0, 3});
    CHECK_FALSE(has_note(spec, "/srv/n"));
    const Plan plan = make_plan(spec);
    CHECK(plan.http == netboot);
    REQUIRE(plan.offer);
    CHECK(plan.offer->id == "net0");
    CHECK(shown_bootfile(*plan.offer) == "http://10.77.0.3:{port}/boot.ipxe");
    CHECK(
        contains(plan_as_text(plan), "http://10.77.0.3:{port}/boot.ipxe from vm-launch: a ProxyDHCP offer"));
    const auto service = own_service(plan, 40000);
    REQUIRE(service);
    CHECK(service->nic == "net0");
    CHECK(service->bootfile == "http://10.77.0.3:40000/boot.ipxe");
    CHECK_FALSE(own_service(plan_of({"--ipxe", "--netboot-dir=/srv/n"}, host_on_bridge()), 40000));
}

TEST_CASE("a URL comes from where it is, and needs no address of the host's") {
    for (const auto& addresses : {std::vector<net::Ipv4Address>{}, {{10, 77, 0, 3}}}) {
        const Plan plan = plan_of(bridge_words({"--bootfile=http://h/x.ipxe"}), host_on_bridge(addresses));
        CHECK_FALSE(plan.http);
        REQUIRE(plan.offer);
        CHECK(shown_bootfile(*plan.offer) == "http://h/x.ipxe");
        CHECK(own_service(plan, 0)->bootfile == "http://h/x.ipxe");
        CHECK(plan.offer->from == (addresses.empty() ? net::Ipv4Address{192, 0, 0, 8} : addresses.front()));
    }
}

TEST_CASE("without any of it, the network alone says what boots") {
    const Plan plan = plan_of(bridge_words({}), host_on_bridge());
    CHECK_FALSE(plan.offer);
    CHECK_FALSE(plan.http);
}

TEST_CASE("what cannot be served on a bridge is refused, with what can") {
    CHECK(contains(refusal(bridge_words(), host_on_bridge({})),
                   "--netboot-dir: this host has no IPv4 address on br0"));
    CHECK(contains(refusal(bridge_words(), host_on_bridge({})), "ip addr add ADDRESS/LENGTH dev br0"));
    const std::string other_client =
        refusal({"--network=bridge", "--bridge=br0", "--boot-order=network", "--netboot-dir=/srv/n"},
                host_on_bridge());
    CHECK(contains(other_client, "it is iPXE or UEFI's own client that vm-launch serves"));
    CHECK(contains(other_client, "add --ipxe, or --firmware uefi"));
    CHECK(contains(refusal(bridge_words({"--netboot-dir=/srv/n", "--no-boot-watch"}), host_on_bridge()),
                   "cannot be offered to the guest's iPXE on br0"));
    HostFacts blind = host_on_bridge();
    blind.capture_error = EPERM;
    CHECK(contains(refusal(bridge_words(), blind), "--cap-add NET_RAW"));
    HostFacts closed = host_on_bridge();
    closed.netboot->http_error = EACCES;
    CHECK(contains(refusal(bridge_words(), closed), "chmod -R a+rX /srv/n"));
}

TEST_CASE("nothing is served over a macvtap") {
    const std::string direct = refusal(
        {"--ipxe", "--network=direct", "--direct-dev=eth2", "--netboot-dir=/srv/n"}, host_on_bridge());
    CHECK(contains(direct, "--netboot-dir needs a NIC in user mode, on an isolated segment or on a bridge"));
    CHECK(contains(direct, "goes out to the network"));
}

TEST_CASE("the NIC that boots is the one that is served") {
    const auto served = [](const Words& flags) {
        const VmSpec spec = spec_of(flags, host_on_bridge());
        Words nics;
        for (const NicSpec& nic : spec.nics) {
            if (nic.netboot != Netboot{}) {
                nics.push_back(nic.id);
            }
        }
        return nics;
    };
    CHECK(served(bridge_words({"--netboot-dir=/srv/n", "--nic=mode=nat"})) == Words{"net0"});
    CHECK(served({"--ipxe", "--netboot-dir=/srv/n", "--nic=mode=bridge,bridge=br0"}) == Words{"net0"});
    CHECK(served({"--ipxe", "--nic-boot=off", "--netboot-dir=/srv/n",
                  "--nic=mode=bridge,bridge=br0,boot=on"}) == Words{"net1"});
}

TEST_CASE("what is served to a NIC that does not boot, as the one that does is on a macvtap, is told of") {
    const VmSpec spec = spec_of(
        {"--ipxe", "--nic-boot=off", "--netboot-dir=/srv/n", "--nic=mode=direct,direct-dev=eth2,boot=on"},
        host_on_bridge());
    CHECK(has_note(
        spec, "--netboot-dir: it is for NIC 1, which takes no part in the boot (let it: --nic-boot=on)"));
}

TEST_CASE("a loader that is no script is told of: nothing comes by TFTP") {
    HostFacts facts = host_on_bridge();
    facts.netboot->script = false;
    facts.netboot->bootfile = a_file();
    const VmSpec spec = spec_of(bridge_words({"--netboot-dir=/srv/n", "--bootfile=grub.efi"}), facts);
    CHECK(has_note(spec, "grub.efi is no iPXE script"));
    CHECK(spec.nics.front().netboot.http);
}

BootProgram program(const std::string& name, bool is_ipxe, bool in_folder = true) {
    const std::string file = (in_folder ? "/srv/n/" : "/usr/lib/ipxe/") + name;
    return {file, name, is_ipxe, false, in_folder, file, 0};
}

HostFacts with_programs(std::vector<BootProgram> programs) {
    HostFacts facts = host_on_bridge();
    facts.boot_programs = std::move(programs);
    return facts;
}

Words firmware_words(const Words& more = {}) {
    Words flags{"--firmware=uefi",  "--no-ipxe",    "--boot-order=network",
                "--network=bridge", "--bridge=br0", "--netboot-dir=/srv/n"};
    flags.insert(flags.end(), more.begin(), more.end());
    return flags;
}

TEST_CASE("the firmware's PXE client gets iPXE by TFTP on its own link, and iPXE the script by HTTP") {
    const VmSpec spec = spec_of(firmware_words(), with_programs({program("snponly.efi", true)}));
    const Netboot& netboot = spec.nics.front().netboot;
    CHECK(netboot.firmware_fetch == FirmwareFetch::tftp);
    CHECK(netboot.firmware_file == "snponly.efi");
    CHECK_FALSE(netboot.tftp);  // which is QEMU's
    CHECK(netboot.linked.empty());
    CHECK(netboot.http);
    const Plan plan = make_plan(spec);
    REQUIRE(plan.offer);
    CHECK(shown_firmware_file(*plan.offer) == "tftp://10.77.0.3/snponly.efi");
    CHECK(shown_bootfile(*plan.offer) == "http://10.77.0.3:{port}/boot.ipxe");
    CHECK(plan.offer->tftp_block == 1468);
    CHECK(plan.offer->by_http());
    CHECK(contains(own_service(plan, 40000)->told, "by TFTP and HTTP from 10.77.0.3"));
    const auto kept = std::find_if(plan.links.begin(), plan.links.end(), [](const net::Operation& operation) {
        return std::holds_alternative<net::KeepDatagrams>(operation);
    });
    REQUIRE(kept != plan.links.end());
    CHECK(std::get<net::KeepDatagrams>(*kept) == net::KeepDatagrams{1, {{10, 77, 0, 3}, {69}, {4011}, {}}});
    const auto service = own_service(plan, 40000);
    REQUIRE(service);
    REQUIRE(service->firmware);
    CHECK(service->firmware->file == "snponly.efi");
    CHECK_FALSE(service->firmware->by_http);
    CHECK(service->bootfile == "http://10.77.0.3:40000/boot.ipxe");
    const std::string text = plan_as_text(plan);
    CHECK(contains(
        text, "The firmware of net0 gets its address from the network, and tftp://10.77.0.3/snponly.efi"));
    CHECK(contains(text, "UDP port 69 of 10.77.0.3, or to 4011 of whomever"));
    CHECK(contains(plan_as_json(plan), "\"firmware_file\": \"tftp://10.77.0.3/snponly.efi\""));
    CHECK(contains(plan_as_shell(plan),
                   "# by hand nobody offers the firmware anything: the network's own servers "
                   "have to name snponly.efi and serve it"));
}

TEST_CASE("the firmware's HTTP client gets all of it by HTTP, and nothing is kept from anybody") {
    const Plan plan =
        plan_of(firmware_words({"--pxe=http4"}), with_programs({program("snponly.efi", true, false)}));
    REQUIRE(plan.offer);
    CHECK(shown_firmware_file(*plan.offer) == "http://10.77.0.3:{port}/snponly.efi");
    CHECK(plan.offer->tftp_block == 0);
    CHECK(std::none_of(plan.links.begin(), plan.links.end(), [](const net::Operation& operation) {
        return std::holds_alternative<net::KeepDatagrams>(operation);
    }));
    CHECK(own_service(plan, 40000)->firmware->file == "http://10.77.0.3:40000/snponly.efi");
    CHECK(own_service(plan, 40000)->firmware->by_http);
    CHECK(contains(refusal(firmware_words({"--pxe=http4", "--no-boot-watch"}),
                           with_programs({program("snponly.efi", true, false)})),
                   "cannot be offered to the guest's firmware and its iPXE on br0"));
    CHECK(contains(own_service(plan, 40000)->told, "serves by HTTP from 10.77.0.3"));
}

TEST_CASE("a loader of the folder's boots without iPXE, which is offered nothing then") {
    HostFacts facts = with_programs({program("shimx64.efi", false)});
    facts.netboot->has_boot_ipxe = facts.netboot->script = false;
    const Plan plan = plan_of(firmware_words(), facts);
    REQUIRE(plan.offer);
    CHECK(shown_firmware_file(*plan.offer) == "tftp://10.77.0.3/shimx64.efi");
    CHECK(plan.offer->bootfile.empty());
    CHECK(contains(plan_as_json(plan), "\"bootfile\": null"));
    CHECK_FALSE(plan.offer->by_http());  // no server is opened for nobody
    CHECK(plan.http);                    // what TFTP serves
    CHECK(own_service(plan, 0)->told ==
          "net0's firmware was offered what vm-launch serves by TFTP from 10.77.0.3, on its own tap alone");
    // An iPXE that comes after it may ask the network's boot servers.
    CHECK(contains(plan_as_text(plan), "or from 4011 to 4011 of whomever"));
}

TEST_CASE("on a bridge the firmware's client is sent the options that are not iPXE's alone") {
    HostFacts facts = with_programs({program("shimx64.efi", false)});
    facts.netboot->has_boot_ipxe = facts.netboot->script = false;
    const Words options{"--dhcp-option=209=x", "--dhcp-option=43=hex:0601", "--dhcp-option=175.83=u8:1"};
    const auto sent = [&](Words flags) {
        flags.insert(flags.end(), options.begin(), options.end());
        const VmSpec spec = spec_of(firmware_words(flags), facts);
        CHECK(has_note(spec, "nobody gets option 43 (vendor-options)") ==
              flags.front().starts_with("--dhcp"));
        Words codes;
        const auto service = own_service(make_plan(spec), 0);
        REQUIRE(service);
        for (const serve::OfferOption& option : service->firmware->options) {
            codes.push_back(std::to_string(option.code));
        }
        return codes;
    };
    CHECK(sent({}) == Words{"209"});
    CHECK(sent({"--pxe=http4"}) == Words{"209", "43"});
}

TEST_CASE("the shell's commands say what the network's servers have to do in vm-launch's place") {
    const auto shell = [](const Words& flags, const HostFacts& facts) {
        return plan_as_shell(plan_of(flags, facts));
    };
    const std::string by_ipxe = shell(bridge_words(), host_on_bridge());
    CHECK(contains(by_ipxe,
                   "# by hand nobody offers iPXE anything: the network's own servers have to name boot.ipxe "
                   "and serve it\n# what vm-launch would serve is all of /srv/n\n"));
    CHECK(contains(shell(bridge_words({"--bootfile=http://h/x.ipxe"}), host_on_bridge()),
                   "have to name http://h/x.ipxe\n"));
    const std::string bundled = shell(firmware_words({"--pxe=http4", "--dhcp-option=209=x"}),
                                      with_programs({program("snponly.efi", true, false)}));
    CHECK(contains(bundled, "the network's own servers have to name snponly.efi and serve it\n"));
    CHECK(contains(bundled, "the network's own servers have to name boot.ipxe and serve it\n"));
    CHECK(contains(bundled, "nobody sends the DHCP option 209 (config-file)\n"));
    CHECK(contains(bundled, "# what vm-launch would serve is vm-served, which is made here\n"));
    CHECK(contains(bundled, "/snponly.efi vm-served/snponly.efi"));
}

TEST_CASE("a loader by HTTP is of vm-launch's own server, though iPXE is offered nothing") {
    HostFacts facts = with_programs({program("shimx64.efi", false)});
    facts.netboot->has_boot_ipxe = facts.netboot->script = false;
    const Plan plan = plan_of(firmware_words({"--pxe=http4"}), facts);
    REQUIRE(plan.offer);
    CHECK(plan.offer->by_http());
    CHECK(own_url(plan, 40000) == "http://10.77.0.3:40000/");
}

TEST_CASE("an offer on a bridge needs an MTU that DHCP's messages fit into") {
    const auto faults = [](const std::string& mtu) {
        return refusal(bridge_words({"--netboot-dir=/srv/n", "--mtu=" + mtu}), host_on_bridge());
    };
    CHECK(contains(faults("575"), "--mtu: vm-launch's offer on a bridge needs at least 576, and not 575"));
    CHECK(contains(faults("575"), "leave it out, or give 576 or more"));
    const Plan plan = plan_of(bridge_words({"--netboot-dir=/srv/n", "--mtu=576"}), host_on_bridge());
    CHECK(plan.offer);
    CHECK_FALSE(plan_of(bridge_words({"--mtu=575"}), host_on_bridge()).offer);  // nothing is offered
    CHECK(contains(refusal(firmware_words({"--mtu=300"}), with_programs({program("snponly.efi", true)})),
                   "needs at least 576"));
}

TEST_CASE("what the firmware cannot get on a bridge is refused") {
    CHECK(contains(refusal(firmware_words(), with_programs({})), "there is no iPXE program for x86_64"));
    CHECK(contains(refusal(firmware_words({"--pxe=v6"}), with_programs({program("snponly.efi", true)})),
                   "vm-launch's offer is DHCPv4's"));
    HostFacts unreadable = with_programs({program("snponly.efi", true)});
    unreadable.boot_programs.front().http_error = EACCES;
    CHECK(contains(refusal(firmware_words(), unreadable), "vm-launch serves without privileges"));
}

}  // namespace
}  // namespace vml
