// A stage is reached by its own evidence alone, in whatever order evidence comes.
#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "launcher/watch/boot_observer.h"
#include "tests/unit/bootwatch_frames.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

using namespace boot::test;
using boot::Stage;

const std::string as_ipxe = option(77, "iPXE") + option(60, "PXEClient:Arch:00000");
const std::string as_firmware = option(60, "PXEClient:Arch:00007:UNDI:003000");

// One observation, and every stage that it may be evidence of.
struct Piece {
    std::string name;
    std::vector<Stage> proves;
    std::function<Observed(BootObserver&, double)> show;
};

Observed see(BootObserver& observer, double at, const std::string& frame) {
    const auto packet = boot::decode_frame(bytes_of(frame));
    REQUIRE(packet);
    return observer.packet(at, 0, *packet);
}

Piece line(const std::string& text, std::vector<Stage> proves) {
    return {text, std::move(proves),
            [text](BootObserver& observer, double at) { return observer.line(at, text); }};
}

Piece partial(const std::string& text, std::vector<Stage> proves) {
    return {text, std::move(proves),
            [text](BootObserver& observer, double at) { return observer.partial(at, text); }};
}

Piece frame(const std::string& name, const std::string& bytes, std::vector<Stage> proves) {
    return {name, std::move(proves),
            [bytes](BootObserver& observer, double at) { return see(observer, at, bytes); }};
}

Piece event(const std::string& name, std::vector<Stage> proves) {
    return {name, std::move(proves),
            [name](BootObserver& observer, double at) { return observer.event(at, name); }};
}

std::string tftp_request(const std::string& file) {
    return udp(true, 2000, 69, be16(1) + file + std::string{"\0octet\0", 7});
}

// Every packet of the guest proves the link.
std::vector<Piece> all_evidence() {
    using enum Stage;
    return {
        line("SeaBIOS (version 1)", {firmware}),
        line("BdsDxe: loading Boot0001 \"x\"", {firmware}),
        line(">>Start PXE over IPv4.", {firmware}),
        event("RTC_CHANGE", {firmware}),
        event("VSERPORT_CHANGE", {}),
        event("STOP", {}),
        line("iPXE 1.0 -- Open Source Network Boot Firmware -- http://ipxe.org", {option_rom}),
        line("[Link status: Up]", {Stage::link}),
        frame("iPXE's DISCOVER", dhcp(true, 1, as_ipxe), {option_rom, Stage::link, discover}),
        frame("the firmware's DISCOVER", dhcp(true, 1, as_firmware), {Stage::link, discover}),
        frame("a nameless DISCOVER", dhcp(true, 1, ""), {Stage::link, discover}),
        frame("a system's DISCOVER", dhcp(true, 1, option(12, "web")), {Stage::link, discover, kernel}),
        frame("an offer", dhcp(false, 2, option(67, "b"), guest_ip), {offer}),
        frame("a request", dhcp(true, 3, as_ipxe), {option_rom, Stage::link, discover}),
        frame("an acknowledgement", dhcp(false, 5, option(67, "b"), guest_ip), {address}),
        frame("a refusal", dhcp(false, 6, ""), {}),
        frame("a TFTP request", tftp_request("b"), {Stage::link}),
        frame("a TFTP error", udp(false, 3000, 2000, be16(5) + be16(1) + "no"), {}),
        frame("a script by TFTP", udp(false, 3000, 2000, be16(3) + be16(1) + "#!ipxe\n"), {fetch, script}),
        frame("a file by TFTP", udp(false, 3000, 2000, be16(3) + be16(1) + "\1\2\3"), {fetch}),
        line("boot.ipxe : 20 bytes [script]", {script}),
        line("Could not boot: Exec format error (http://ipxe.org/2e008081)", {}),
        line("No more network devices", {}),
        line("EFI stub: Loaded initrd from command line option", {}),
        line("EFI stub: ERROR: Failed to open file: initrd.img", {}),
        line("EFI stub: Exiting boot services...", {kernel}),
        line("Linux version 6 (x)", {kernel}),
        line("Run /init as init process", {kernel, os}),
        partial("web login: ", {kernel, os}),
        event("NIC_RX_FILTER_CHANGED", {kernel, os}),
        {"the agent's answer",
         {kernel, os, agent},
         [](BootObserver& observer, double at) { return observer.agent_answered(at); }},
        partial("No bootable device.", {}),
        line("Booting from Hard Disk...", {}),
        partial("iPXE> ", {}),
        {"silence", {}, [](BootObserver& observer, double at) { return observer.silence(at); }},
    };
}

bool has(const std::vector<Stage>& stages, Stage stage) {
    return std::find(stages.begin(), stages.end(), stage) != stages.end();
}

// The layer that an exit code blames.
Stage blamed_by(ExitCode code) {
    switch (code) {
        case ExitCode::rom_never_ran:
            return Stage::option_rom;
        case ExitCode::no_offer:
            return Stage::offer;
        case ExitCode::nothing_to_boot:
            return Stage::address;
        case ExitCode::fetch_failed:
            return Stage::fetch;
        case ExitCode::not_bootable:
            return Stage::script;
        default:
            return Stage::agent;
    }
}

struct Story {
    std::vector<Stage> shown;
    std::string told;
    bool ended = false;
};

// Shows evidence at random until the run ends; what is shown is checked each time.
Story play(BootObserver& observer, Stage wanted, int turns, std::mt19937& random,
           const std::vector<Piece>& pieces) {
    Story story;
    story.ended = observer.started(0).end == BootEnd::until_reached;
    story.shown.push_back(Stage::machine);
    std::uniform_int_distribution<std::size_t> any{0, pieces.size() - 1};
    for (int turn = 1; turn <= turns && !story.ended; ++turn) {
        const Piece& piece = pieces[any(random)];
        story.told += piece.name + "; ";
        const Observed seen = piece.show(observer, turn);
        story.shown.insert(story.shown.end(), piece.proves.begin(), piece.proves.end());
        story.ended = seen.end == BootEnd::until_reached;
        for (const boot::Mark& mark : seen.marks) {
            if (mark.proves && !has(story.shown, mark.stage)) {
                FAIL(story.told << "marked " << boot::name_of(mark.stage));
            }
        }
        if (story.ended && !has(story.shown, wanted)) {
            FAIL(story.told << "ended at " << boot::name_of(wanted));
        }
    }
    return story;
}

TEST_CASE("no interleaving of evidence ends a run with success before the stage's own evidence came") {
    const std::vector<Piece> pieces = all_evidence();
    std::mt19937 random{12};  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same boots each time
    const auto count = static_cast<unsigned>(boot::stage_names().size());
    std::vector<unsigned> ended(count);
    for (unsigned run = 0; run < 6000; ++run) {
        const auto wanted = static_cast<Stage>(run % count);
        ObserverConfig config;
        config.nics = {{"net0", guest}};
        config.about.ipxe = run % 2 == 0;
        config.until = Until{wanted, "", std::string{boot::name_of(wanted)}};
        BootObserver observer{config};
        const Story story = play(observer, wanted, 40, random, pieces);
        ended[static_cast<std::size_t>(wanted)] += story.ended ? 1 : 0;
        CHECK(story.ended == observer.has_reached(wanted));
    }
    // Each stage is reached in many of the 500 runs that wait for it.
    CHECK(std::all_of(ended.begin(), ended.end(), [](unsigned times) { return times > 20; }));
}

TEST_CASE(
    "no interleaving of evidence leads to a verdict that blames a layer before the last one that was seen") {
    const std::vector<Piece> pieces = all_evidence();
    std::mt19937 random{9};  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same boots each time
    std::vector<unsigned> judged(21);
    for (unsigned run = 0; run < 6000; ++run) {
        ObserverConfig config;
        config.nics = {{"net0", guest}};
        config.about.ipxe = run % 2 == 0;
        BootObserver observer{config};
        const Story story = play(observer, Stage::agent, static_cast<int>(run % 20), random, pieces);
        const Fault verdict = observer.verdict(BootEnd::dead_end, {});
        ++judged.at(static_cast<std::size_t>(verdict.code));
        INFO(story.told << "\n" << to_text(verdict));
        const Stage blamed = blamed_by(verdict.code);
        // A loader may ask DHCP again: what comes before that is not the last layer any more. And it is not
        // iPXE's ROM that came so far where the firmware's own client did.
        const bool other = observer.boot().dhcp.size() > 1 ||
                           (observer.boot().firmware_client && verdict.code == ExitCode::rom_never_ran);
        if (observer.has_reached(Stage::kernel)) {
            CHECK(blamed == Stage::agent);
        } else if (observer.has_reached(Stage::address) && !other) {
            CHECK(blamed >= Stage::address);
        } else if (observer.has_reached(Stage::offer) && !other) {
            CHECK(blamed >= Stage::offer);
        }
        if (observer.boot().ipxe) {
            CHECK(blamed > Stage::option_rom);
        }
    }
    for (const std::size_t code : {10U, 11U, 13U, 14U, 15U}) {
        INFO(code);
        CHECK(judged[code] > 10);
    }
}

}  // namespace
}  // namespace vml
