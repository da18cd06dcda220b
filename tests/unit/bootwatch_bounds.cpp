// Whatever guest and network send, the record stays small, keeps what the real boot showed, and tells what it
// leaves out.
#include <string>

#include "bootwatch/bounds.h"
#include "bootwatch/report.h"
#include "bootwatch/told.h"
#include "tests/unit/bootwatch_machine.h"
#include "tests/unit/catch.h"

namespace vml::boot {
namespace {

using namespace test;

constexpr unsigned many = 100000;
constexpr unsigned some = 5000;  // of what costs more

Packet packet_of(const std::string& frame) {
    return *decode_frame(bytes_of(frame));
}

// One packet, each time a little different.
template <typename Change>
void flood(Machine& machine, const std::string& frame, unsigned count, Change change) {
    Packet packet = packet_of(frame);
    for (unsigned i = 0; i < count; ++i) {
        change(packet, i);
        machine.timeline.packet(machine.at += 1e-6, 0, packet);
    }
}

void from(Packet& packet, unsigned i) {
    packet.from.address = Address::v4(0x0B000000U + i);
}

const Boot& boot_of(Machine& machine) {
    return machine.timeline.boot();
}

std::string json_of(const std::vector<Boot>& boots) {
    return report_as_json({}, boots).dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

TEST_CASE("the ends of a list stay") {
    std::vector<int> numbers;
    std::uint64_t left_out = 0;
    for (int i = 0; i < 10; ++i) {
        add_bounded(numbers, i, 4, left_out);
    }
    CHECK(numbers == std::vector{0, 1, 8, 9});
    CHECK(left_out == 6);
    keep_ends(numbers, 1, left_out);
    CHECK(numbers == std::vector{9});
    keep_ends(numbers, 0, left_out);
    CHECK(numbers.empty());
    CHECK(left_out == 10);
}

TEST_CASE("a flood of refusals is counted, and the latest is the verdict's") {
    Machine machine;
    machine.discovers().see(dhcp(false, 2, "", guest_ip)).see(dhcp(true, 3, as_ipxe));
    flood(machine, dhcp(false, 6, option(56, "no")), many, from);
    machine.see(dhcp(false, 6, option(56, "the real one")));
    const Boot& boot = boot_of(machine);
    REQUIRE(boot.dhcp.size() == 1);
    CHECK(boot.dhcp[0].naks.size() == most_refusals);
    CHECK(boot.left_out.refusals == many + 1 - most_refusals);
    machine.stops().gets(ExitCode::no_offer, "refused", "the real one");
    CHECK(json_of(machine.timeline.boots()).size() < 65536);
}

TEST_CASE("a flood of offers leaves the address that the guest took") {
    Machine machine;
    machine.discovers().see(dhcp(false, 2, option(67, "boot.ipxe"), guest_ip));
    flood(machine, dhcp(false, 2, option(67, std::string(200, 'x')), guest_ip), many, from);
    machine.see(dhcp(true, 3, as_ipxe)).see(dhcp(false, 5, option(67, "boot.ipxe"), guest_ip));
    const Boot& boot = boot_of(machine);
    CHECK(boot.dhcp[0].offers.size() == most_offers);
    CHECK(boot.dhcp[0].offers[0].message.bootfile == "boot.ipxe");
    CHECK(boot.dhcp[0].ack->message.bootfile == "boot.ipxe");
    CHECK(boot.left_out.offers == many + 1 - most_offers);
    CHECK(boot.reached(Stage::address));
    CHECK(boot.marks.size() < 2 * most_marks);
    CHECK(boot.left_out.marks > many - most_marks);
    CHECK(json_of(machine.timeline.boots()).size() < 262144);
}

TEST_CASE("many talks with DHCP servers") {
    Machine machine;
    for (unsigned i = 0; i < some; ++i) {
        machine.see(dhcp(true, 1, as_ipxe)).see(dhcp(true, 1, option(12, "a system")));
    }
    CHECK(boot_of(machine).dhcp.size() == most_talks);
    CHECK(boot_of(machine).left_out.talks == 2 * some - most_talks);
}

TEST_CASE("a flood of connections takes nothing of what was fetched, before or afterwards") {
    Machine machine;
    machine.has_address().tftp("boot.ipxe", "#!ipxe\nboot http://10.0.0.1/k\n");
    flood(machine, tcp(true, 1, 80, 1, syn), many,
          [](Packet& packet, unsigned i) { packet.to.address = Address::v4(0x0B000000U + i); });
    machine.http("/k", linux_kernel());
    flood(machine, tcp(true, 1, 80, 1, syn), some,
          [](Packet& packet, unsigned i) { packet.to.address = Address::v4(0x0C000000U + i); });
    const Boot& boot = boot_of(machine);
    CHECK(boot.fetches.size() == most_bare + 2);
    CHECK(boot.left_out.fetches == many + some - most_bare);
    const auto fetched = [&](const std::string& url, Content content) {
        return std::any_of(boot.fetches.begin(), boot.fetches.end(), [&](const Fetch& fetch) {
            return fetch.url == url && fetch.content == content && fetch.state == FetchState::done;
        });
    };
    CHECK(fetched("tftp://10.0.0.1/boot.ipxe", Content::ipxe_script));
    CHECK(fetched("http://h/k", Content::x86_kernel));
}

TEST_CASE("a connection whose beginning was left out is followed from its request on") {
    Machine machine;
    machine.has_address().connects(80);
    flood(machine, tcp(true, 1, 80, 1, syn), some,
          [](Packet& packet, unsigned i) { packet.to.address = Address::v4(0x0B000000U + i); });
    machine.asks(80, "/k").answers(80, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
    const Boot& boot = boot_of(machine);
    CHECK(boot.fetches.back().url == "http://h/k");
    CHECK(boot.fetches.back().state == FetchState::done);
    CHECK(boot.fetches.back().received == 3);
}

TEST_CASE("floods of requests, lookups, addresses and words") {
    Machine machine;
    machine.has_address();
    flood(machine, udp(true, 2000, 69, request("a")), some, [](Packet& packet, unsigned i) {
        packet.from.port = static_cast<std::uint16_t>(i);
        std::get<TftpRequest>(packet.body).file = std::to_string(i);
    });
    DnsMessage question;
    question.name = "x";
    Packet lookup = packet_of(arp_request(1));
    lookup.body = question;
    Packet arp = packet_of(arp_request(1));
    for (unsigned i = 0; i < many; ++i) {
        std::get<DnsMessage>(lookup.body).name = std::to_string(i);
        machine.timeline.packet(machine.at, 0, lookup);
        std::get<ArpMessage>(arp.body).target = Address::v4(i + 1);
        machine.timeline.packet(machine.at, 0, arp);
    }
    for (unsigned i = 0; i < some; ++i) {
        machine.says("x... No such file or directory (http://ipxe.org/2d0c613b)");
        machine.says("PXE-E18: Server response timeout." + std::to_string(i));
    }
    const Boot& boot = boot_of(machine);
    CHECK(boot.fetches.size() == most_fetched);
    CHECK(boot.left_out.fetches == some - boot.fetches.size());
    CHECK(boot.fetches.front().url == "tftp://10.0.0.1/0");
    CHECK(boot.fetches.back().url == "tftp://10.0.0.1/" + std::to_string(some - 1));
    CHECK(boot.lookups.size() == most_texts);
    CHECK(boot.left_out.lookups == many - most_texts);
    CHECK(boot.lookups.back().name == std::to_string(many - 1));
    CHECK(boot.unanswered.size() == most_texts);
    CHECK(boot.left_out.unanswered == many - most_texts);
    CHECK(boot.unanswered.back().address == Address::v4(many));
    CHECK(boot.complaints.size() == most_texts);
    CHECK(boot.left_out.complaints == some - most_texts);
    CHECK(boot.firmware_errors.size() == most_texts);
    CHECK(boot.left_out.firmware_errors == some - most_texts);
}

TEST_CASE("a search without end is told in pieces, and the stages stay") {
    Machine machine;
    machine.has_address().http("/boot.efi", "MZ" + std::string(1000, 'x'));
    for (unsigned i = 0; i < some; ++i) {
        machine.port = 2000 + i % 50000;
        machine.no_tftp("pxelinux.cfg/" + std::to_string(i), 1, "File not found");
    }
    machine.says("[    0.000000] Linux version 6.1.0");
    const Boot& boot = boot_of(machine);
    CHECK(boot.marks.size() < most_fetch_marks + 50);
    for (const Stage stage : {Stage::machine, Stage::firmware, Stage::address, Stage::fetch, Stage::kernel}) {
        CHECK(boot.reached(stage));
    }
}

TEST_CASE("texts of the network are cut") {
    Machine machine;
    machine.has_address().connects(80).asks(80, "/" + std::string(50000, 'a'));
    machine.answers(80, "HTTP/1.1 302 " + std::string(10000, 'b') +
                            "\r\nLocation: " + std::string(3000, 'c') + "\r\nContent-Length: 0\r\n\r\n");
    const Fetch& fetch = boot_of(machine).fetches.back();
    CHECK(fetch.url.size() == longest_url);
    CHECK(fetch.words.size() == longest_words);
    CHECK(fetch.location.size() == longest_url);
    std::string options;
    for (int i = 0; i < 200; ++i) {
        options += option(17, std::string(200, 'r'));
    }
    const auto message = std::get<DhcpMessage>(packet_of(dhcp(false, 5, options)).body);
    CHECK(message.root_path.size() == 1024);
    CHECK(message.options.size() == 128);
}

TEST_CASE("boots without end: the first one and the latest stay") {
    Machine machine;
    for (int i = 0; i < 500; ++i) {
        machine.has_address();
        machine.timeline.reset(machine.at += 1);
        machine.says("SeaBIOS (version 1)");
    }
    const auto& boots = machine.timeline.boots();
    CHECK(boots.size() == most_boots);
    CHECK(boots.front().began == 0);
    CHECK(boots.front().left_out.boots == 501 - most_boots);
    CHECK(boots.back().fruitless_before == 500);  // more than are kept
}

TEST_CASE("a text is not cut within a character, unless it is none") {
    CHECK(cut_to("ab\u00e4", 4) == "ab\u00e4");
    CHECK(cut_to("ab\u00e4", 3) == "ab");
    CHECK(cut_to("a\u20ac", 3) == "a");
    CHECK(cut_to("a\u20ac", 2) == "a");
    CHECK(cut_to("\U0001f600", 3).empty());
    CHECK(cut_to("a\u20acb", 4) == "a\u20ac");
    CHECK(cut_to(std::string(20, '\xbf'), 10) == std::string(10, '\xbf'));
}

TEST_CASE("a script that polls for its kernel: the repetitions silence nothing, and the kernel is told") {
    Machine machine;
    machine.has_address().tftp("boot.ipxe", "#!ipxe\n");
    unsigned told = 0;
    const auto told_by = [&](const std::string& frame) {
        return machine.timeline.packet(machine.at += 0.1, 0, packet_of(frame));
    };
    constexpr unsigned polls = 3000;
    for (unsigned i = 0; i < polls; ++i) {
        machine.connects(80).asks(80, "/k");
        told += static_cast<unsigned>(told_by(tcp(false, machine.port, 80, 1001, ack,
                                                  "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))
                                          .size());
    }
    CHECK(told == most_repeats_told + 1);
    for (const std::string name : {"/k", "/initrd", "/modules"}) {
        machine.connects(80).asks(80, name);
        const auto news =
            told_by(tcp(false, machine.port, 80, 1001, ack, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"));
        REQUIRE(news.size() == 1);
        CHECK(news[0].proves);
        CHECK(news[0].detail.starts_with("http://h" + name));
    }
}

TEST_CASE("what is told has an end, and a proof after it is told") {
    Told told;
    const auto takes = [&](unsigned i, bool proves) {
        return told.takes({Stage::fetch, 0, Proof::wire, std::to_string(i) + ": x", proves}, false);
    };
    unsigned failures = 0;
    unsigned proofs = 0;
    for (unsigned i = 0; i < 2 * most_fetch_marks; ++i) {
        failures += takes(i, false) ? 1U : 0U;
    }
    CHECK(failures == most_failures_told);
    for (unsigned i = 0; i < 2 * most_fetch_marks; ++i) {
        proofs += takes(i, true) ? 1U : 0U;
    }
    CHECK(proofs == most_fetch_marks);
    CHECK_FALSE(takes(1, true));
    CHECK(told.takes({Stage::fetch, 0, Proof::wire, "1: x", true}, true));
}

}  // namespace
}  // namespace vml::boot
