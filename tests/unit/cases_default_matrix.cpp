// What `--matrix default` tries, how others narrow it, and what of it there can be no machine of.
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

#include "launcher/cases/default_matrix.h"
#include "launcher/cases/matrix.h"
#include "launcher/cases/way.h"
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
    CHECK_FALSE(by_way["bios-ipxe"].undionly);
    CHECK(by_way["bios-undionly"].undionly);
    CHECK(by_way["bios-undionly"].ipxe);
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
    CHECK(contains(told({"default"}, {"--undionly"}), "--undionly says one value"));
    CHECK(told({"default"}, {"--script", "a.ipxe"}).empty());
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
    if (settings.undionly) {
        facts.offered.undionly =
            NamedOffer{"/srv/n/undionly.kpxe", {{PathFacts::Kind::file}, "/srv/n/undionly.kpxe", 0, 7}};
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
        {"--proxydhcp: ProxyDHCP exists for IPv4 only, and --pxe is v6", 10},
        {"--proxydhcp: ProxyDHCP exists for IPv4 only, and --pxe is http6", 10},
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

TEST_CASE("a script of the user's own is what undionly.kpxe goes on to, in every cell of that way") {
    const Cells made = cells_of_words({"default", "boot=bios-undionly,bios-ipxe"}, {"my.ipxe"});
    for (const Cell& cell : made.cells) {
        CHECK(cell.read.settings.script == "my.ipxe");
    }
}

// -- by which way it went

TEST_CASE("each way, and each kind of offer, expects evidence of its own, beside what the case does") {
    Case mine;
    mine.name = "mine";
    mine.expect.not_fetched = {"*/secret"};
    for (const Cell& cell : cells_from({mine}, matrix_of({"default"})).cells) {
        INFO(cell.name);
        REQUIRE(cell.expect.way);
        CHECK(cell.expect.not_fetched == mine.expect.not_fetched);
        CHECK(cell.expect.named_by ==
              (contains(cell.name, "offer=proxydhcp") ? NamedBy::proxydhcp : NamedBy::dhcp));
        const bool by_ipxe = contains(cell.name, "ipxe arch") || contains(cell.name, "undionly arch");
        CHECK((cell.expect.way->client == boot::Client::ipxe) == by_ipxe);
    }
}

Expectation expected_of(const std::string& way, const std::string& offer = "dhcp") {
    Expectation expect;
    expect_of(std::string{way_axis}, way, expect);
    expect_of(std::string{offer_axis}, offer, expect);
    return expect;
}

nlohmann::json talk(const std::string& client, double began, const std::string& by_dhcp,
                    const std::string& by_proxy = "") {
    nlohmann::json one{{"client", client},
                       {"began", began},
                       {"acknowledged", {{"at", began}, {"server", "198.18.1.1"}, {"file", by_dhcp}}},
                       {"offers", nlohmann::json::array()}};
    if (!by_proxy.empty()) {
        one["offers"].push_back(
            {{"at", began}, {"server", "198.18.1.1"}, {"proxy", true}, {"file", by_proxy}});
    }
    return one;
}

nlohmann::json fetch(const std::string& url, double began) {
    const bool six = contains(url, "[");
    return {{"url", url},
            {"protocol", url.substr(0, 4)},
            {"server", six ? "fd56::1" : "198.18.1.1"},
            {"began", began},
            {"ended", began},
            {"state", "done"}};
}

// Lists as vectors: of `{one}` clang makes the one JSON object, and GCC an array.
nlohmann::json report_of(const std::vector<nlohmann::json>& talks, const std::vector<nlohmann::json>& fetches,
                         const std::string& stage = "os", const std::string& client6 = "") {
    return {{"nics", {{{"id", "net0"}, {"watched", true}}}},
            {"boots",
             {{{"stages", {{{"stage", stage}, {"reached", true}}}},
               {"dhcp", talks},
               {"ipv6", {{"client", client6}}},
               {"fetches", fetches}}}}};
}

std::string unmet_text(const Expectation& expect, const nlohmann::json& report) {
    std::string text;
    for (const std::string& reason : unmet_way(expect, report)) {
        text += reason + "\n";
    }
    return text;
}

// A boot by each way, as its evidence shows it.
std::map<std::string, nlohmann::json> boots_by_way() {
    const std::string script = "http://198.18.1.1/boot.ipxe";
    const std::string first = "http://198.18.1.1/undionly.ipxe";
    const std::string tftp = "tftp://198.18.1.1/ipxe.efi";
    const std::string http = "http://198.18.1.1/ipxe.efi";
    return {{"ipxe", report_of({talk("iPXE", 1, script)}, {fetch(script, 2)})},
            {"bios-undionly",
             report_of({talk("iPXE", 1, first), talk("iPXE", 4, first)},
                       {fetch(first, 2), fetch("http://198.18.1.1/undionly.kpxe", 3), fetch(script, 5)})},
            {"uefi-pxev4", report_of({talk("firmware", 1, tftp), talk("iPXE", 3, script)},
                                     {fetch(tftp, 2), fetch(script, 4)})},
            {"uefi-httpv4", report_of({talk("firmware", 1, http), talk("iPXE", 3, script)},
                                      {fetch(http, 2), fetch(script, 4)})},
            {"uefi-pxev6",
             report_of({talk("iPXE", 3, script)}, {fetch("tftp://[fd56::1]/ipxe.efi", 2), fetch(script, 4)},
                       "os", "firmware")},
            {"uefi-httpv6",
             report_of({talk("iPXE", 3, script)}, {fetch("http://[fd56::1]/ipxe.efi", 2), fetch(script, 4)},
                       "os", "firmware")}};
}

TEST_CASE("a boot that went another way than its cell's fails it, and no other does") {
    const std::map<std::string, std::string> shown{
        {"bios-ipxe", "ipxe"}, {"uefi-ipxe", "ipxe"}, {"secure-shim", "uefi-pxev4"}};
    for (const Bundle& way : *bundles_of(way_axis)) {
        const std::string name{way.name};
        const std::string own = shown.contains(name) ? shown.at(name) : name;
        for (const auto& [other, report] : boots_by_way()) {
            INFO(name << " by " << other << ": " << unmet_text(expected_of(name), report));
            // iPXE that loads another one is iPXE's way as well.
            const bool same = other == own || (own == "ipxe" && other == "bios-undionly");
            CHECK(unmet_text(expected_of(name), report).empty() == same);
        }
    }
}

TEST_CASE("it is said by what way a boot went instead") {
    const auto boots = boots_by_way();
    CHECK(unmet_text(expected_of("uefi-httpv6"), boots.at("uefi-httpv4")) ==
          "it went another way: the firmware fetched http://198.18.1.1/ipxe.efi first (HTTP over IPv4), "
          "where the "
          "firmware was to fetch by HTTP over IPv6\n");
    CHECK(unmet_text(expected_of("bios-ipxe"), boots.at("uefi-pxev4")) ==
          "it went another way: the firmware fetched tftp://198.18.1.1/ipxe.efi first (TFTP over IPv4), "
          "where iPXE "
          "was to fetch\n");
    CHECK(unmet_text(expected_of("bios-undionly"), boots.at("ipxe")) ==
          "it went another way: the NIC's own iPXE booted, and undionly.kpxe was not fetched\n");
    auto returned = boots.at("bios-undionly");
    returned["boots"][0]["dhcp"].erase(1);
    CHECK(contains(unmet_text(expected_of("bios-undionly"), returned),
                   "no iPXE looked for an address after it"));
    CHECK(unmet_text(expected_of("uefi-pxev4"), report_of({}, {})) ==
          "it went another way: nothing was fetched from the network\n");
    // As far as it came.
    CHECK(unmet_text(expected_of("uefi-pxev4"), report_of({talk("firmware", 1, "")}, {}, "address")).empty());
    CHECK(contains(unmet_text(expected_of("uefi-pxev4"), report_of({talk("iPXE", 1, "")}, {}, "address")),
                   "iPXE looked for an address first"));
}

TEST_CASE("a file that came with the address is no ProxyDHCP server's, nor the other way round") {
    const std::string url = "http://198.18.1.1/boot.ipxe";
    const auto by_dhcp = report_of({talk("iPXE", 1, url)}, {fetch(url, 2)});
    const auto by_proxy = report_of({talk("iPXE", 1, "", url)}, {fetch(url, 2)});
    CHECK(unmet_text(expected_of("bios-ipxe", "dhcp"), by_dhcp).empty());
    CHECK(unmet_text(expected_of("bios-ipxe", "proxydhcp"), by_proxy).empty());
    CHECK(contains(unmet_text(expected_of("bios-ipxe", "proxydhcp"), by_dhcp),
                   "it was named by dhcp (198.18.1.1), not by proxydhcp"));
    CHECK(contains(unmet_text(expected_of("bios-ipxe", "dhcp"), by_proxy),
                   "it was named by proxydhcp (198.18.1.1), not by dhcp"));
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
