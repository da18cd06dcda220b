// What `--matrix default` tries, how others narrow it, and what of it there can be no machine of.
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <variant>

#include "launcher/cases/default_matrix.h"
#include "launcher/cases/matrix.h"
#include "launcher/vm/boot_sources.h"
#include "launcher/vm/impossible.h"
#include "launcher/vm/spec.h"
#include "tests/unit/cases_support.h"
#include "tests/unit/launcher_support.h"

namespace vml::cases::test {
namespace {

using vml::test::made_up_host;

Cells cells_of_words(const std::vector<std::string>& words, const std::vector<std::string>& flags = {},
                     const Environment& environment = {}) {
    Cells made = cells_from({{}}, matrix_of(words), flags, environment);
    INFO(text_of(made.faults));
    REQUIRE(made.faults.empty());
    return made;
}

std::vector<std::string> names_in(const Cells& made) {
    std::vector<std::string> names;
    for (const Cell& cell : made.cells) {
        names.push_back(cell.name);
    }
    return names;
}

bool has_name(const Cells& made, const std::string& name) {
    return contains(names_in(made), name);
}

TEST_CASE("the default matrix is each way to boot, on each architecture and NIC, with both kinds of offer") {
    const Cells made = cells_of_words({"default"});
    CHECK(made.cells.size() == std::size_t{8} * 2 * 5 * 2);
    std::set<std::string> names;
    std::set<std::string> stems;
    for (const Cell& cell : made.cells) {
        names.insert(cell.name);
        stems.insert(cell.stem);
        CHECK(cell.is_combination);
        CHECK(cell.is_a_way);
        CHECK(cell.read.settings.nics.front().network == NetworkMode::isolated);
    }
    CHECK(names.size() == made.cells.size());
    CHECK(stems.size() == made.cells.size());
    CHECK(made.cells.front().name == "boot=bios-ipxe arch=x86_64 nic-model=virtio offer=dhcp");
    CHECK(made.warnings.empty());
}

TEST_CASE("what others test by hand is in it") {
    const Cells made = cells_of_words({"default"});
    for (const char* const name : {
             // pixiecore's table of clients: iPXE, a ROM of BIOS that is none, UEFI's own.
             "boot=bios-ipxe arch=x86_64 nic-model=virtio offer=proxydhcp",
             "boot=bios-undionly arch=x86_64 nic-model=e1000 offer=proxydhcp",
             "boot=uefi-pxev4 arch=x86_64 nic-model=virtio offer=proxydhcp",
             // NixOS's boot tests: BIOS and UEFI.
             "boot=bios-ipxe arch=x86_64 nic-model=virtio offer=dhcp",
             "boot=uefi-pxev4 arch=x86_64 nic-model=virtio offer=dhcp",
             // tp-qemu's tests of UEFI's network clients.
             "boot=uefi-pxev6 arch=x86_64 nic-model=virtio offer=dhcp",
             "boot=uefi-httpv4 arch=x86_64 nic-model=virtio offer=dhcp",
             "boot=uefi-httpv6 arch=x86_64 nic-model=virtio offer=dhcp",
         }) {
        INFO(name);
        CHECK(has_name(made, name));
    }
}

TEST_CASE("a way to boot is several settings") {
    const Cells made =
        cells_of_words({"default", "arch=x86_64", "nic-model=virtio", "offer=proxydhcp"}, {"--ipxe-prompt"});
    REQUIRE(made.cells.size() == 8);
    std::map<std::string, Settings> by_way;
    for (const Cell& cell : made.cells) {
        by_way[cell.name.substr(5, cell.name.find(' ') - 5)] = cell.read.settings;
        CHECK(cell.read.settings.proxydhcp);
        CHECK(cell.read.settings.ipxe_prompt);
        CHECK(cell.read.settings.boot_order == std::vector{BootDevice::network});
        CHECK(cell.read.settings.until->stage == boot::Stage::os);
    }
    CHECK(by_way["bios-ipxe"].ipxe);
    CHECK(by_way["bios-ipxe"].firmware == FirmwareMode::legacy);
    CHECK_FALSE(by_way["bios-ipxe"].script);
    CHECK(contains(*by_way["bios-undionly"].script, "chain undionly.kpxe"));
    CHECK(by_way["bios-undionly"].ipxe);
    // Were it to return, the ROM's iPXE would run the folder's script, as if it had booted.
    CHECK(by_way["bios-undionly"].script->ends_with("\niseq ${net0/chip} undionly && chain boot.ipxe\n"));
    CHECK(by_way["uefi-ipxe"].ipxe);
    CHECK(by_way["uefi-ipxe"].firmware == FirmwareMode::uefi);
    CHECK(by_way["secure-shim"].firmware == FirmwareMode::secure);
    const std::map<std::string, PxeClient> clients{{"uefi-pxev4", PxeClient::v4},
                                                   {"uefi-pxev6", PxeClient::v6},
                                                   {"uefi-httpv4", PxeClient::http4},
                                                   {"uefi-httpv6", PxeClient::http6},
                                                   {"secure-shim", PxeClient::v4}};
    for (const auto& [way, client] : clients) {
        CHECK(by_way[way].pxe == client);
        CHECK_FALSE(by_way[way].ipxe);
    }
}

TEST_CASE("other axes narrow the default matrix, whichever comes first, or make it longer") {
    CHECK(cells_of_words({"default", "arch=x86_64"}).cells.size() == 80);
    CHECK(
        names_in(cells_of_words({"nic-model=pcnet", "default", "boot=uefi-ipxe,bios-ipxe", "offer=dhcp"})) ==
        std::vector<std::string>{"boot=uefi-ipxe arch=x86_64 nic-model=pcnet offer=dhcp",
                                 "boot=uefi-ipxe arch=aarch64 nic-model=pcnet offer=dhcp",
                                 "boot=bios-ipxe arch=x86_64 nic-model=pcnet offer=dhcp",
                                 "boot=bios-ipxe arch=aarch64 nic-model=pcnet offer=dhcp"});
    CHECK(cells_of_words({"default", "memory=512M,1G"}).cells.size() == 320);
    // Its axes stand by themselves, too.
    CHECK(names_in(cells_of_words({"boot=bios-ipxe,uefi-pxev4"})) ==
          std::vector<std::string>{"boot=bios-ipxe", "boot=uefi-pxev4"});
}

TEST_CASE("on another network its servers name the file, and that axis is left out with a word of why") {
    const Cells made = cells_of_words({"default"}, {"--network", "bridge", "--bridge", "br0"});
    CHECK(made.cells.size() == 80);
    REQUIRE(made.warnings.size() == 1);
    CHECK(contains(made.warnings.front(), "the matrix is without offer: --network is bridge"));
    CHECK(made.cells.front().read.settings.nics.front().bridge == "br0");
    CHECK(cells_of_words({"default"}, {}, {{"NETWORK_MODE", "nat"}}).cells.size() == 80);
    CHECK(cells_of_words({"default"}, {"--network", "isolated"}).cells.size() == 160);
    // Who names the axis means it.
    CHECK(
        contains(text_of(cells_from({{}}, matrix_of({"default", "offer=dhcp"}), {"--network", "nat"}).faults),
                 "--network says one value, and the matrix others: offer sets it"));
}

TEST_CASE("what a way sets, nobody else does") {
    const auto told = [](const std::vector<std::string>& words, const std::vector<std::string>& flags) {
        return text_of(cells_from({{}}, matrix_of(words), flags).faults);
    };
    CHECK(contains(told({"default", "firmware=uefi"}, {}), "boot and firmware are both in the matrix"));
    CHECK(contains(told({"default"}, {"--firmware", "uefi"}),
                   "--firmware says one value, and the matrix others: boot sets it"));
    CHECK(contains(told({"default"}, {"--arch", "aarch64"}), "--arch says one value"));
    CHECK(contains(told({"default"}, {"--script", "a.ipxe"}), "--script says one value"));
    CHECK(told({"default", "boot=bios-ipxe"}, {"--script", "a.ipxe"}).empty());
    CHECK(told({"boot=uefi-ipxe"}, {"--firmware", "uefi"}).empty());
    std::vector<Fault> faults;
    static_cast<void>(axes_of_words({"boot=uefi-pxe4", "offer=both,dhcp", "ofer=dhcp"}, faults));
    const std::string text = text_of(faults);
    CHECK(contains(text, "--matrix boot: invalid value 'uefi-pxe4' (did you mean uefi-pxev4?)"));
    CHECK(contains(text, "--matrix offer: invalid value 'both' (expected dhcp, proxydhcp)"));
    CHECK(contains(text, "unknown setting 'ofer' (did you mean offer?)"));
}

// -- what cannot be

// A host with everything that Debian 12 has, as far as it decides what can be.
HostFacts debian_12(const Settings& settings) {
    HostFacts facts = vml::test::with_netboot(made_up_host());
    const Arch arch = arch_of(settings, facts.arch);
    const FirmwareMode firmware = firmware_of(settings, arch);
    const rom::NicModel& model = *rom::find_nic_model(settings.nics.front().model);
    const std::string file = "/usr/lib/ipxe/qemu/efi-" + model.rom_stem + ".rom";
    const RomCandidate whole = vml::test::candidate(
        file,
        rom::test::make(rom::test::EfiImage{.id = model.ids.front()}, rom::test::whole_program(), false));
    facts.roms = {std::vector<RomCandidate>{
        firmware == FirmwareMode::legacy ? vml::test::bios_rom(file, model.ids.front()) : whole}};
    UefiFirmware secure = facts.uefi[arch == Arch::x86_64 ? 0 : 1];
    secure.features = {"secure-boot", "enrolled-keys"};
    facts.uefi.push_back(secure);
    if (settings.script) {
        facts.offered.script.emplace();
        facts.offered.script->read.name = "script.ipxe";
        facts.offered.script->read.bytes = *settings.script;
    }
    facts.swtpm = "/usr/bin/swtpm";
    facts.qemu = "/usr/bin/qemu-system-any";
    facts.boot_programs = {
        {"/srv/n/ipxe.efi", "ipxe.efi", true, false, true, "/srv/n/ipxe.efi"},
    };
    if (arch == Arch::x86_64) {
        facts.boot_programs.push_back(
            {"/srv/n/shimx64.efi", "shimx64.efi", false, true, true, "/srv/n/shimx64.efi"});
    }
    return facts;
}

// Why there is no such machine; "": there is one.
std::string why_impossible(const Cell& cell) {
    const Settings& settings = cell.read.settings;
    const HostFacts facts = debian_12(settings);
    const Decision decision = decide(settings, cell.read.origins, facts);
    const auto* faults = std::get_if<std::vector<Fault>>(&decision);
    if (faults == nullptr) {
        return "";
    }
    std::vector<Fault> impossible = impossible_of(*faults, settings, cell.read.origins, facts);
    const std::vector<Fault> unserved = unserved_of(*faults, settings, cell.read.origins, facts);
    impossible.insert(impossible.end(), unserved.begin(), unserved.end());
    INFO(cell.name << "\n" << text_of(*faults));
    REQUIRE_FALSE(impossible.empty());  // else it fails: a lack of the host's
    return impossible.front().what;
}

TEST_CASE("each cell of the default matrix boots or has its reason, on a host with all that Debian 12 has") {
    std::map<std::string, int> reasons;
    for (const Cell& cell : cells_of_words({"default"}, {"--netboot-dir", "/srv/n"}).cells) {
        ++reasons[why_impossible(cell)];
    }
    std::map<std::string, int> expected{
        {"", 44},
        {"--firmware: aarch64 has no legacy firmware", 20},
        {"--proxydhcp: --pxe knows no ProxyDHCP", 20},
        {"--netboot-dir: only iPXE could boot it, and Secure Boot lets the firmware run none here", 2},
    };
    for (const std::string nic : {"virtio", "e1000", "e1000e", "rtl8139", "vmxnet3"}) {
        expected["no iPXE ROM boots " + nic + " under UEFI on aarch64"] = 2;
        if (nic != "virtio") {
            expected["UEFI on x86_64 has no driver for " + nic] = 8;
            expected["UEFI on aarch64 has no driver for " + nic] = 8;
        }
    }
    CHECK(reasons == expected);
}

TEST_CASE("what is known to lead nowhere is a fact of its own, of values that there are") {
    for (const Gap& gap : known_gaps()) {
        const std::string value = std::string{gap.axis} + "=" + std::string{gap.value};
        INFO(value);
        int those = 0;
        for (const Cell& cell : cells_of_words({"default", "boot=" + std::string{gap.way}}).cells) {
            const bool is_it = contains(cell.name, value);
            those += static_cast<int>(is_it);
            CHECK((is_it ? cell.gap == gap.why : cell.gap != gap.why));
        }
        CHECK(those > 0);
    }
}

TEST_CASE("of other servers and other programs nothing is known, nor of what somebody asks for by name") {
    const auto gaps = [](const std::vector<std::string>& words, const std::vector<std::string>& flags = {}) {
        const std::vector<Cell> cells = cells_of_words(words, flags).cells;
        return std::count_if(cells.begin(), cells.end(), [](const Cell& cell) { return !cell.gap.empty(); });
    };
    const std::vector<std::string> both{"default", "boot=bios-undionly,secure-shim", "arch=x86_64"};
    CHECK(gaps(both) == 7);  // vmxnet3 with two kinds of offer; ProxyDHCP with five NIC models
    CHECK(gaps(both, {"--network=isolated"}) == 7);
    CHECK(gaps(both, {"--network=nat"}) == 0);
    CHECK(gaps(both, {"--network=bridge", "--bridge=br0"}) == 0);
    CHECK(gaps(both, {"--firmware-code=/f/code.fd"}) == 0);
    CHECK(gaps(both, {"--ipxe-rom=/f/a.rom"}) == 0);
    CHECK(gaps({"default", "boot=bios-undionly", "nic-model=vmxnet3"}) == 0);
    CHECK(gaps({"default", "boot=secure-shim", "offer=proxydhcp"}) == 0);
    // It would pass, by another way.
    const std::vector<std::string> other{"default", "boot=uefi-httpv6", "arch=aarch64", "nic-model=virtio",
                                         "offer=dhcp"};
    CHECK(gaps(other) == 1);
    CHECK(gaps(other, {"--firmware-code=/f/code.fd"}) == 0);
}

TEST_CASE("the document tells every value of the default matrix") {
    const std::filesystem::path root = std::filesystem::path{VML_TEST_DIR}.parent_path();
    const std::string text = vml::test::text_in(root / "docs/test.md");
    for (const std::string_view axis : {way_axis, offer_axis}) {
        for (const Bundle& bundle : *bundles_of(axis)) {
            CHECK(contains(text,
                           "| `" + std::string{bundle.name} + "` | " + std::string{bundle.meaning} + " |"));
        }
    }
}

}  // namespace
}  // namespace vml::cases::test
