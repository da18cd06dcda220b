// Whom the options of --dhcp-option reach, by network, client, order and shortcuts, and how many of them fit.
#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "bootwatch/packet.h"
#include "launcher/plan/plan_text.h"
#include "launcher/run/run_inputs.h"
#include "launcher/vm/offer_options.h"
#include "netserve/dhcp4_answer.h"
#include "netserve/proxy_offer.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

// A namespace of its own: the names below are short.
namespace vml::dhcp_takers {
namespace {

using namespace test;
using namespace std::string_literals;

const BootProgram snponly{"/srv/n/snponly.efi", "snponly.efi", true, false, true, "/srv/n/snponly.efi"};
const BootProgram grub{"/srv/n/grubx64.efi", "grubx64.efi", false, false, true, "/srv/n/grubx64.efi"};

HostFacts host(const std::vector<BootProgram>& programs, unsigned bridge_mtu = 1500) {
    const bool only_grub = programs == std::vector{grub};
    HostFacts facts = with_netboot(
        with_links(made_up_host(), a_bridge_and_a_device({{10, 77, 0, 3}}, bridge_mtu)), !only_grub);
    facts.boot_programs = programs;
    facts.roms.front().push_back(efi_rom("/srv/virtio.efirom"));
    facts.roms.push_back(facts.roms.front());  // for a second NIC
    return facts;
}

Words words_of(std::string_view text) {
    Words words;
    while (!text.empty()) {
        const std::size_t space = std::min(text.find(' '), text.size());
        words.emplace_back(text.substr(0, space));
        text.remove_prefix(std::min(space + 1, text.size()));
    }
    return words;
}

// What is said of --dhcp-option: faults with "refused: " before them, and then warnings.
Words told(const Words& flags, const HostFacts& facts) {
    const ReadResult read = read_flags(flags);
    REQUIRE(read.faults.empty());
    const Decision decision = decide(read.settings, read.origins, facts);
    Words lines;
    if (const auto* faults = std::get_if<std::vector<Fault>>(&decision)) {
        for (const Fault& fault : *faults) {
            lines.push_back("refused: " + one_line(fault));
        }
        return lines;
    }
    for (const std::string& note : std::get<VmSpec>(decision).notes) {
        if (note.starts_with("--dhcp-option")) {
            lines.push_back(note);
        }
    }
    return lines;
}

struct Row {
    std::string_view flags;
    bool has_ipxe = true;  // the folder has a script, and a program to run it; else GRUB alone
    std::vector<std::string_view> said{};
    std::string_view options = "209=x 43=hex:0601 175.83=u8:1";
};

constexpr std::string_view only_ipxe = "option 43 (vendor-options) is sent to iPXE alone";
constexpr std::string_view no_175 =
    "nobody gets option 175.83: what is inside of option 175 is for iPXE alone, and none is started here "
    "(add "
    "--ipxe, or leave it out)";
constexpr std::string_view no_43 =
    "nobody gets option 43 (vendor-options): UEFI's PXE client gets vm-launch's own";
constexpr std::string_view only_system =
    "only an operating system gets options 209 (config-file) and 43 (vendor-options): the client that --pxe "
    "names asks by DHCPv6, whose options are others (use --pxe v4 or http4)";

const std::vector<Row> rows{
    {"--network=nat --ipxe"},
    {"--network=nat --firmware=uefi --ipxe"},
    {"--network=nat --firmware=uefi --no-ipxe --pxe=v4", true, {only_ipxe}},
    {"--network=nat --firmware=uefi --no-ipxe --pxe=v4", false, {no_175, no_43}},
    {"--network=nat --firmware=uefi --no-ipxe --pxe=v4",
     false,
     {"refused: --dhcp-option: nobody gets option 175.83"},
     "175.83=u8:1"},
    {"--network=nat --firmware=uefi --no-ipxe --pxe=v4",
     false,
     {"refused: --dhcp-option: nobody gets option 43"},
     "43=hex:0601"},
    {"--network=nat --firmware=uefi --no-ipxe --pxe=http4"},
    {"--network=nat --firmware=uefi --no-ipxe --pxe=http4",
     false,
     {"refused: --dhcp-option: the firmware's HTTP client gets nothing of it"}},
    {"--network=nat --firmware=uefi --no-ipxe --pxe=v6",
     true,
     {"refused: --netboot-dir: --pxe gets nothing of it"}},
    {"--network=nat --firmware=uefi --no-ipxe --pxe=http6",
     false,
     {"refused: --netboot-dir: --pxe gets nothing of it"}},
    {"--network=nat --no-ipxe --boot-order=network",
     true,
     {"refused: --dhcp-option: vm-launch makes no offer, as iPXE is not asked for"}},
    {"--network=nat --no-ipxe --boot-order=hd --blank-disk",
     true,
     {"refused: --dhcp-option: there is no offer that could have it: nothing boots from the network here "
      "(add --ipxe, or --boot-order network,hd)"}},
    {"--network=nat --firmware=uefi --no-ipxe --boot-order=hd --blank-disk",
     false,
     {"refused: --dhcp-option: there is no offer that could have it: nothing boots from the network here"}},
    {"--network=nat --ipxe --nic-boot=off --nic=mode=direct,direct-dev=eth2,boot=on",
     true,
     {"refused: --dhcp-option: there is no offer that could have it: it is for NIC 1, which takes no part in "
      "the boot"}},
    {"--network=bridge --bridge=br0 --ipxe"},
    {"--network=bridge --bridge=br0 --firmware=uefi --no-ipxe --pxe=v4", true, {only_ipxe}},
    {"--network=bridge --bridge=br0 --firmware=uefi --no-ipxe --pxe=v4", false, {no_175, no_43}},
    {"--network=bridge --bridge=br0 --firmware=uefi --no-ipxe --pxe=http4"},
    {"--network=bridge --bridge=br0 --firmware=uefi --no-ipxe --pxe=http4", false, {no_175}},
    {"--network=bridge --bridge=br0 --firmware=uefi --no-ipxe --pxe=http4",
     false,
     {"refused: --dhcp-option: nobody gets option 175.83"},
     "175.83=u8:1"},
    {"--network=bridge --bridge=br0 --firmware=uefi --no-ipxe --pxe=v6",
     false,
     {"refused: --netboot-dir: --pxe gets nothing of it"}},
    {"--network=bridge --bridge=br0 --no-ipxe --boot-order=network",
     true,
     {"refused: --netboot-dir: on a bridge it is iPXE or UEFI's own client"}},
    {"--network=bridge --bridge=br0 --no-ipxe --boot-order=hd --blank-disk",
     true,
     {"refused: --dhcp-option: there is no offer that could have it: nothing boots"}},
    {"--network=isolated --ipxe"},
    {"--network=isolated --no-ipxe --boot-order=network"},  // SeaBIOS has iPXE's ROM
    {"--network=isolated --firmware=uefi --no-ipxe --pxe=v4"},
    {"--network=isolated --firmware=uefi --no-ipxe --pxe=v4", false, {no_175}},
    {"--network=isolated --firmware=uefi --no-ipxe --pxe=http4", false, {no_175}},
    {"--network=isolated --firmware=uefi --no-ipxe --pxe=v6"},  // iPXE, which comes after it, asks over IPv4
                                                                // too
    {"--network=isolated --firmware=uefi --no-ipxe --pxe=v6", false, {no_175, only_system}},
    {"--network=isolated --firmware=uefi --no-ipxe --pxe=http6", false, {no_175, only_system}},
    {"--network=isolated --firmware=uefi --no-ipxe --pxe=v6 --bootfile=snponly.efi"},
    {"--network=isolated --firmware=uefi --no-ipxe --pxe=v6", false, {no_175}, "175.83=u8:1"},
    {"--network=isolated --no-ipxe --boot-order=hd --blank-disk", true, {no_175}},
    {"--network=isolated --firmware=uefi --no-ipxe --boot-order=hd --blank-disk", true, {no_175}},
    {"--network=direct --direct-dev=eth2 --ipxe",
     true,
     {"refused: --netboot-dir needs a NIC in user mode", "refused: --dhcp-option needs a NIC in user mode"}},
};

TEST_CASE("of DHCP options that reach nobody each is told, whoever boots") {
    for (const Row& row : rows) {
        for (const char* const shortcuts : {"on", "off"}) {
            Words flags = words_of(row.flags);
            flags.insert(flags.end(), {"--netboot-dir=/srv/n", "--fast-boot="s + shortcuts});
            for (const std::string& option : words_of(row.options)) {
                flags.push_back("--dhcp-option=" + option);
            }
            const Words lines = told(flags, row.has_ipxe ? host({snponly}) : host({grub}));
            CAPTURE(row.flags, row.options, row.has_ipxe, shortcuts, lines);
            REQUIRE(lines.size() == row.said.size());
            for (std::size_t i = 0; i < lines.size(); ++i) {
                CHECK(contains(lines[i], row.said[i]));
            }
        }
    }
}

TEST_CASE("DHCP options with nothing to offer are refused, and on a segment sent all the same") {
    const Words option{"--dhcp-option=209=x"};
    for (const char* const network : {"--network=nat", "--network=bridge --bridge=br0"}) {
        Words flags = words_of(network);
        flags.insert(flags.end(), {"--ipxe", "--dhcp-option=209=x"});
        CHECK(contains(told(flags, host({snponly})).front(), "nothing that it could offer to the guest"));
    }
    const Words flags{"--network=isolated", "--ipxe", "--dhcp-option=209=x"};
    CHECK(told(flags, host({snponly})).empty());
    CHECK(plan_of(flags, host({snponly})).segments.front().options.size() == 1);
}

TEST_CASE("on a segment an operating system gets its options though nothing boots from the network") {
    // No program runs the script, and a disk boots.
    HostFacts facts = host({});
    facts.boot_programs.clear();
    const Plan plan =
        plan_of({"--network=isolated", "--firmware=uefi", "--no-ipxe", "--boot-order=network,hd",
                 "--blank-disk", "--netboot-dir=/srv/n", "--dhcp-option=42=ip:192.0.2.1"},
                facts);
    CHECK(plan.segments.front().program.empty());
    CHECK(plan.segments.front().options.size() == 1);
}

// -- how many fit

// Options that take so many bytes, with their own two each.
Words options_of(std::size_t bytes) {
    constexpr std::size_t most = 200;
    Words flags;
    for (int code = 224; bytes > 0; ++code) {
        const std::size_t taken = bytes > most + 3 ? most : bytes;
        flags.push_back(fmt::format("--dhcp-option={}={}", code, std::string(taken - 2, 'x')));
        bytes -= taken;
    }
    return flags;
}

// What the encoder makes of a plan, for the client that the row is about.
std::string encoded(const Plan& plan, serve::BootClient client) {
    if (!plan.segments.empty()) {
        const PlannedSegment& planned = plan.segments.front();
        serve::SegmentGuest guest{{0x52, 0x54, 0, 0, 0, 1},
                                  254,
                                  planned.script,
                                  planned.program,
                                  options_for_offer(planned.options)};
        guest.mtu = planned.mtu == 0 ? 1500 : planned.mtu;
        const std::string said =
            "\x35\x01\x01\x39\x02\x05\xC0"s + (client == serve::BootClient::ipxe
                                                   ? "\x4D\x04iPXE\x3D\x07\x01\x52\x54\0\0\0\x01"s
                                               : client == serve::BootClient::pxe ? "\x3C\x09PXEClient"s
                                                                                  : "\x3C\x0AHTTPClient"s);
        std::string asks = "\x01\x01\x06\0"s + std::string(24, '\0') + "\x52\x54\0\0\0\x01"s;
        asks.resize(236, '\0');
        asks += "\x63\x82\x53\x63" + said + '\xFF';
        return serve::dhcp4_answer(guest, serve::udp_frame(serve::FrameEnds<Ip4>{{}, {}, {}, 68, 67}, asks))
            .value_or("");
    }
    const auto service = own_service(plan, 65535);
    REQUIRE(service);
    serve::ProxyOffer offer{1, {}, service->address, {}, {}, {}};
    if (client == serve::BootClient::ipxe) {
        offer.bootfile = service->bootfile;
        offer.priority = std::numeric_limits<std::int8_t>::max();
        offer.options = service->options;
    } else {
        REQUIRE(service->firmware);
        offer.bootfile = service->firmware->file;
        offer.options = service->firmware->options;
        offer.discovery = !service->firmware->by_http;
        offer.vendor_class = service->firmware->by_http ? "HTTPClient" : "PXEClient";
    }
    return serve::proxy_offer(offer);
}

struct Room {
    std::string_view flags;
    std::size_t most = 0;   // of options
    std::size_t frame = 0;  // that is then whole, without Ethernet's header
    serve::BootClient client = serve::BootClient::ipxe;
    unsigned bridge_mtu = 1500;
};

const std::vector<Room> rooms{
    {"--network=nat --ipxe", 1200, 1500},
    {"--network=nat --ipxe --mtu=1400", 1100, 1400},
    {"--network=nat --firmware=uefi --no-ipxe --pxe=v4", 1205, 1500, serve::BootClient::pxe},
    {"--network=bridge --bridge=br0 --ipxe", 1200, 1500},
    {"--network=bridge --bridge=br0 --ipxe", 1200, 1500, serve::BootClient::ipxe, 9000},
    {"--network=bridge --bridge=br0 --ipxe", 1100, 1400, serve::BootClient::ipxe, 1400},
    {"--network=bridge --bridge=br0 --ipxe", 980, 1280, serve::BootClient::ipxe, 1280},
    {"--network=bridge --bridge=br0 --ipxe --mtu=576", 276, 576},
    {"--network=bridge --bridge=br0 --firmware=uefi --no-ipxe --pxe=http4", 1210, 1500,
     serve::BootClient::http},
    {"--network=isolated --ipxe", 1162, 1472},
    {"--network=isolated --ipxe --mtu=1280", 970, 1280},
    {"--network=isolated --firmware=uefi --no-ipxe --pxe=v4", 1176, 1472, serve::BootClient::pxe},
    {"--network=isolated --firmware=uefi --no-ipxe --pxe=http4", 1164, 1472, serve::BootClient::http},
};

TEST_CASE("as many DHCP options as fit are sent whole, and one byte more is refused") {
    constexpr std::size_t ethernet_header = 14;
    for (const Room& room : rooms) {
        const HostFacts facts = room.client == serve::BootClient::ipxe ? host({snponly}, room.bridge_mtu)
                                                                       : host({grub}, room.bridge_mtu);
        const auto flags = [&](std::size_t bytes) {
            Words all = words_of(room.flags);
            all.emplace_back("--netboot-dir=/srv/n");
            const Words options = options_of(bytes);
            all.insert(all.end(), options.begin(), options.end());
            return all;
        };
        CAPTURE(room.flags, room.bridge_mtu, room.most);
        const std::string frame = encoded(plan_of(flags(room.most), facts), room.client);
        CHECK(frame.size() == room.frame + ethernet_header);
        const auto packet = boot::decode_frame(bytes_of(frame));
        REQUIRE(packet);
        const auto& message = std::get<boot::DhcpMessage>(packet->body);
        CHECK_FALSE(message.cut);
        for (const DhcpOption& option : read_flags(options_of(room.most)).settings.dhcp_options) {
            const std::string whole{static_cast<char>(option.code), static_cast<char>(option.value.size())};
            CHECK(frame.find(whole + option.value) != std::string::npos);
        }
        const Words refused = told(flags(room.most + 1), facts);
        REQUIRE(refused.size() == 1);
        CHECK(contains(refused.front(), "the options are too long for "));
        CHECK(contains(refused.front(), "(leave out 1 byte of them"));
    }
}

TEST_CASE("what is too long says which link has no room") {
    Words flags = words_of("--network=bridge --bridge=br0 --ipxe --netboot-dir=/srv/n");
    const Words options = options_of(1000);
    flags.insert(flags.end(), options.begin(), options.end());
    CHECK(
        told(flags, host({snponly}, 1280)) ==
        Words{"refused: --dhcp-option: the options are too long for iPXE: the message that brings them would "
              "have 1272 bytes, and br0 (MTU 1280) has room for 1252 (leave out 20 bytes of them; iPXE's "
              "script can set the rest)"});
}

TEST_CASE("inside of option 175 as many fit as one option has room for") {
    for (const char* const network : {"--network=nat", "--network=isolated"}) {
        const auto flags = [&](std::size_t bytes) {
            return Words{network, "--ipxe", "--netboot-dir=/srv/n",
                         "--dhcp-option=175.83=" + std::string(bytes - 2, 'x')};
        };
        const std::string frame = encoded(plan_of(flags(252), host({snponly})), serve::BootClient::ipxe);
        CHECK(frame.find("\xAF\xFF"s) != std::string::npos);
        CHECK(frame.find("\x53\xFA"s + std::string(250, 'x')) != std::string::npos);
        CHECK(contains(told(flags(253), host({snponly})).front(),
                       "they have 253 bytes, each with 2 of its own, and 252 fit into that option"));
    }
}

}  // namespace
}  // namespace vml::dhcp_takers
