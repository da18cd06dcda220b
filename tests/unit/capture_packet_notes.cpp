// What a pcapng file says of its packets, and what follows from it for the machines in it.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bootwatch/own_frame.h"
#include "bootwatch/pcapng.h"
#include "capture/packet_notes.h"
#include "tests/unit/capture_frames.h"

namespace vml::capture::test {
namespace {

using boot::PcapngWay;
using Sender = FrameNotes::Sender;

constexpr Mac other_nic{0x52, 0x54, 0, 0, 0, 2};

std::string packet(std::vector<std::string> comments, PcapngWay way = PcapngWay::unknown,
                   std::uint32_t interface = 0) {
    return boot::pcapng_packet({interface, 0, "frame", 5, way, std::move(comments)});
}

std::string own_head() {
    return boot::pcapng_section("vm") + boot::pcapng_interface({"net0", guest, 1024}) +
           boot::pcapng_interface({"net1", other_nic, 1024});
}

// As another program writes it.
std::string others_head() {
    std::string head = boot::pcapng_section("");
    const std::size_t program = head.find("vm-launch");
    return head.replace(program, 9, "editcap 4") + boot::pcapng_interface({"net0", guest, 1024});
}

std::vector<FrameNotes> notes_of(const std::string& file, std::size_t packets, std::size_t piece = 7) {
    PacketNotes notes;
    for (std::size_t at = 0; at < file.size(); at += piece) {
        notes.feed(std::string_view{file}.substr(at, piece));
    }
    std::vector<FrameNotes> all;
    for (std::size_t i = 0; i < packets; ++i) {
        all.push_back(notes.next());
    }
    CHECK(notes.next() == FrameNotes{});
    return all;
}

TEST_CASE("a record's comments are read, whatever the pieces") {
    const std::string file =
        own_head() + packet({}) + packet({std::string{boot::own_offer_comment}, "more"}, PcapngWay::inbound) +
        packet({"other words", std::string{boot::own_help_comment}}, PcapngWay::outbound, 1) +
        packet({std::string{boot::reset_comment}}, PcapngWay::unknown, 7);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{64}, file.size()}) {
        const std::vector<FrameNotes> all = notes_of(file, 4, piece);
        CHECK(all[0] == FrameNotes{Sender::anybody, guest, false, false});
        CHECK(all[1] == FrameNotes{Sender::own_offer, guest, true, false});
        CHECK(all[2] == FrameNotes{Sender::own_help, other_nic, false, false});
        CHECK(all[3] == FrameNotes{Sender::anybody, std::nullopt, false, true});  // of no interface
    }
}

TEST_CASE("of a file that another program saved, comments count, and no reset is known to be there") {
    const auto all =
        notes_of(others_head() + packet({std::string{boot::own_offer_comment}}, PcapngWay::inbound), 1);
    CHECK(all[0] == FrameNotes{Sender::own_offer, std::nullopt, true, false});
}

TEST_CASE("packets of other kinds have their turn, and sections begin anew") {
    std::string simple{"\3\0\0\0\x14\0\0\0\4\0\0\0wire\x14\0\0\0", 20};
    const auto all = notes_of(own_head() + simple + packet({}) + others_head() + packet({}), 3);
    CHECK(all[0] == FrameNotes{});
    CHECK(all[1].nic == guest);
    CHECK_FALSE(all[2].nic);
}

TEST_CASE("a writer's other byte order") {
    // A section and a packet of `vm-launch`, as a big-endian machine would write them.
    const auto option_of = [](unsigned code, std::string value) {
        const auto size = static_cast<unsigned>(value.size());
        value.resize((value.size() + 3) / 4 * 4, '\0');
        return be16(code) + be16(size) + value;
    };
    const auto block = [](std::uint32_t type, const std::string& body) {
        const std::string length = be32(static_cast<std::uint32_t>(body.size()) + 12);
        return be32(type) + length + body + length;
    };
    const std::string file =
        block(0x0A0D0D0A, be32(0x1A2B3C4D) + be16(1) + be16(0) + std::string(8, '\xff') +
                              option_of(4, "vm-launch") + be32(0)) +
        block(1, be16(1) + be16(0) + be32(1024) + option_of(6, text_of(guest)) + be32(0)) +
        block(6, be32(0) + be32(0) + be32(0) + be32(4) + be32(4) + "wire" +
                     option_of(1, std::string{boot::own_help_comment}) + be32(0));
    CHECK(notes_of(file, 1)[0] == FrameNotes{Sender::own_help, guest, false, false});
}

TEST_CASE("how the run ended is told in its words") {
    PacketNotes notes;
    notes.feed(own_head() + packet({std::string{boot::run_end_comment} + "all went well (exit code 0)"}));
    CHECK(notes.run_end() == "all went well (exit code 0)");
}

TEST_CASE("a record that was full says so") {
    PacketNotes notes;
    notes.feed(own_head() + packet({}));
    CHECK(notes.cut().empty());
    notes.feed(packet({std::string{boot::full_comment} + "no more than 64 MiB are kept", "more"}));
    CHECK(notes.cut() == "the record ends here: no more than 64 MiB are kept");
}

TEST_CASE("another run's record in the same file is another boot") {
    const auto all = notes_of(own_head() + packet({}) + packet({}) + own_head() + packet({}) + packet({}), 4);
    CHECK_FALSE(all[0].after_reset);
    CHECK_FALSE(all[1].after_reset);
    CHECK(all[2].after_reset);
    CHECK_FALSE(all[3].after_reset);
}

TEST_CASE("what is no pcapng, or is broken, says nothing") {
    const std::string good = packet({std::string{boot::own_help_comment}});
    CHECK(notes_of(std::string{"\xd4\xc3\xb2\xa1", 4} + std::string(40, '\0') + good, 1)[0] == FrameNotes{});
    std::string too_large = own_head();
    too_large += std::string{"\6\0\0\0\xff\xff\xff\x7f", 8} + std::string(40, 'x');
    CHECK(notes_of(too_large + good, 1)[0] == FrameNotes{});
    const std::string cut = packet({std::string{boot::own_help_comment}});
    CHECK(notes_of(own_head() + cut.substr(0, cut.size() - 1), 1)[0] == FrameNotes{});
    std::string lying = packet({std::string{boot::own_help_comment}});
    lying.replace(20, 4, "\xff\xff\xff\xff");  // the frame's length
    CHECK(notes_of(own_head() + lying, 1)[0].sender == Sender::anybody);
}

// A machine's boot in a record of vm-launch's.
class Record : public Wire {
  public:
    Record& see_as(const std::string& frame, const FrameNotes& notes) {
        machines.frame(at += 0.01, link, bytes_of(frame), notes);
        return *this;
    }
    Record& later(double seconds) {
        at += seconds;
        return *this;
    }
    Record& see_all(std::initializer_list<std::string> frames) {
        for (const std::string& frame : frames) {
            see_as(frame, {.nic = guest});
        }
        return *this;
    }
};

TEST_CASE("vm-launch's own offer is taken for no other server's, and its help for nothing") {
    Record wire;
    const std::string proxy =
        dhcp(false, 2,
             option(54, be32(server_ip)) + option(60, "PXEClient") + option(67, "http://10.0.0.1/boot.ipxe"));
    const std::string repeated = dhcp(false, 2, option(54, be32(9)) + option(67, "help"));
    wire.see_all({dhcp(true, 1, as_ipxe)})
        .see_as(proxy, {Sender::own_offer, guest})
        .see_as(repeated, {Sender::own_help, guest})
        .see_all({dhcp(true, 1, as_ipxe)})
        .ends_later(30);
    const Explanation all = wire.explained();
    REQUIRE(all.machines.size() == 1);
    const boot::Boot& record = all.machines[0].boots[0].record;
    REQUIRE(record.dhcp.size() == 1);
    CHECK(record.dhcp[0].offers.empty());
    REQUIRE(record.dhcp[0].own);
    CHECK(record.dhcp[0].own->message.bootfile == "http://10.0.0.1/boot.ipxe");
    CHECK(all.machines[0].boots[0].verdict.code == ExitCode::no_offer);
    CHECK(all.counts.own_help == 1);
    CHECK(contains(as_text(all), "; 1 frame of vm-launch's own, to spare the machine a wait"));
    CHECK(contains(as_text(all), "vm-launch's own, to this guest alone"));
    CHECK(as_json(all)["frames"]["own_help"] == 1);
}

TEST_CASE("a record tells each reset, and nothing else begins another boot") {
    Record wire;
    wire.see_all({arp_request(1), arp_request(1)});  // nothing is mirrored there
    CHECK(wire.machines.counts().repeated == 0);
    wire.see_all({dhcp(true, 1, as_ipxe)}).later(500).see_all({dhcp(true, 1, as_ipxe)});
    CHECK(wire.explained().machines[0].boots.size() == 1);
    wire.later(1).see_as(dhcp(true, 1, as_ipxe), {Sender::anybody, guest, false, true});
    CHECK(wire.explained().machines[0].boots.size() == 2);
}

TEST_CASE("what was still on its way to the boot before begins none, and the machine's own frame does") {
    Record wire;
    wire.see_all({dhcp(true, 1, as_ipxe)});
    const std::string late = dhcp(false, 2, option(54, be32(server_ip)) + option(67, "late"));
    wire.later(1).see_as(late, {Sender::anybody, guest, true, true});
    wire.later(1).see_as(late, {Sender::anybody, guest, true});
    CHECK(wire.explained().machines[0].boots.size() == 1);
    wire.later(1).see_as(dhcp(true, 1, as_ipxe), {.nic = guest});
    const Explanation all = wire.explained();
    REQUIRE(all.machines[0].boots.size() == 2);
    CHECK(all.machines[0].boots[0].record.dhcp[0].offers.empty());
    CHECK(all.machines[0].boots[1].record.dhcp[0].offers.empty());
}

TEST_CASE("a reset is believed in vm-launch's own record alone") {
    Record wire;
    wire.see_all({dhcp(true, 1, as_ipxe)});
    wire.later(1).see_as(dhcp(true, 1, as_ipxe), {.after_reset = true});
    CHECK(wire.explained().machines[0].boots.size() == 1);
}

TEST_CASE("a record without a boot tells how its run ended, and what was left out") {
    Record wire;
    wire.see_as(dhcp(false, 2, option(67, "help")), {Sender::own_help, guest});
    Explanation all = wire.explained();
    all.run_end = "the option ROM never ran (exit code 10)";
    const auto none = no_machine_in(all);
    REQUIRE(none);
    CHECK(contains(none->why, "; 1 frame of vm-launch's own, to spare the machine a wait"));
    CHECK(contains(none->why, "; the recorded run ended: the option ROM never ran (exit code 10)"));
    CHECK(none->hint.empty());
}

TEST_CASE("in a record of a VM there is no other machine, nor one of its NICs on the other's link") {
    Record wire;
    const auto of = [](std::string frame, const Mac& mac) {
        constexpr std::size_t chaddr = 14 + 20 + 8 + 28;
        return frame.replace(6, 6, text_of(mac)).replace(chaddr, 6, text_of(mac));
    };
    wire.see_all({dhcp(true, 1, as_ipxe), of(dhcp(true, 1, as_ipxe), Mac{2, 0, 0, 0, 0, 5})});
    CHECK(wire.explained().machines.size() == 1);
    CHECK(wire.machines.other_machines().size() == 1);
    CHECK(wire.machines.counts().left_out == 0);
    const std::string second = of(dhcp(true, 1, as_ipxe), other_nic);
    wire.see_as(second, {.nic = other_nic}).later(1).see_as(second, {.nic = guest});
    const Explanation all = wire.explained();
    REQUIRE(all.machines.size() == 2);
    CHECK(all.machines[1].boots[0].record.dhcp[0].discovers == 1);
    wire.later(1).see_as(dhcp(true, 1, as_ipxe), {Sender::anybody, guest, true});  // of a twin
    CHECK(wire.explained().machines[0].boots[0].record.dhcp[0].discovers == 1);
}

}  // namespace
}  // namespace vml::capture::test
