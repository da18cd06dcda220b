// A run's packets in a file: what libpcap and `explain` read of it, and what the watch said of each.
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include "bootwatch/own_frame.h"
#include "capture/explanation.h"
#include "launcher/explain/capture_file.h"
#include "launcher/watch/boot_watch.h"
#include "launcher/watch/frame_record.h"
#include "tests/unit/bootwatch_frames.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_process.h"

namespace vml {
namespace {

using boot::test::as_ipxe;
using boot::test::dhcp;
using boot::test::guest;
using boot::test::option;
using test::Folder;

constexpr std::uint64_t second_ns = 1'000'000'000;
constexpr std::uint64_t began_ns = 1'764'460'000 * second_ns;

// A record in memory, with a clock of its own.
class Record {
  public:
    explicit Record(std::size_t most = 64U << 20U, Mac mac = guest)
        : record{FrameRecord::Config{"web", 1024,
                                     [this](std::string_view bytes) {
                                         file += bytes;
                                         ++writes;
                                         return error;
                                     },
                                     [this] { return now_ns; }, most},
                 {{"net0", mac}}} {}

    // The whole file, once.
    std::string ended(std::string_view how = "well") {
        file += record.end(how).bytes;
        return file;
    }

    std::string file;
    int writes = 0;
    int error = 0;
    std::uint64_t now_ns = began_ns;
    FrameRecord record;
};

WireFrame whole(const std::string& bytes) {
    return {bytes_of(bytes), bytes.size()};
}

struct ReadBack {
    double at = 0;
    std::string bytes;
    capture::FrameNotes notes;
};

struct ReadFile {
    std::vector<ReadBack> frames{};
    CaptureEnd end{};
};

// By libpcap.
ReadFile read_back(const std::string& file) {
    const Folder folder;
    folder.write("x.pcapng", file);
    ReadFile read;
    read.end = read_capture((folder.path() / "x.pcapng").string(),
                            [&](double at, capture::LinkLayer link, Bytes bytes, const auto& notes) {
                                CHECK(link == capture::LinkLayer::ethernet);
                                read.frames.push_back({at, std::string{bytes.chars()}, notes});
                            });
    return read;
}

capture::Explanation explained(const ReadFile& read) {
    capture::Machines machines;
    for (const ReadBack& frame : read.frames) {
        machines.frame(frame.at, capture::LinkLayer::ethernet, bytes_of(frame.bytes), frame.notes);
    }
    return {"x", "Ethernet",      machines.counts(), machines.other_hosts(), machines.found(),
            {},  read.end.run_end};
}

std::vector<std::string> recorded_boots() {
    std::vector<std::string> names;
    for (const auto& entry :
         std::filesystem::directory_iterator{std::filesystem::path{VML_TEST_DIR} / "unit/data/boots"}) {
        if (entry.path().extension() == ".pcap") {
            names.push_back(entry.path().stem().string());
        }
    }
    return names;
}

// Without how long something took: it is told by other clocks.
std::vector<std::string> stages_of(const std::vector<boot::Mark>& marks) {
    std::vector<std::string> stages;
    for (const boot::Mark& mark : marks) {
        if (mark.stage >= boot::Stage::discover && mark.stage <= boot::Stage::script) {
            stages.push_back(std::string{boot::name_of(mark.stage)} + ": " +
                             mark.detail.substr(0, mark.detail.rfind(" in ")));
        }
    }
    return stages;
}

TEST_CASE("every recorded boot has the same stages by the file of its record") {
    const std::vector<std::string> names = recorded_boots();
    REQUIRE(names.size() > 10);
    for (const std::string& name : names) {
        INFO(name);
        const auto frames = boot::frames_of(
            boot::read_file(std::filesystem::path{VML_TEST_DIR} / "unit/data/boots" / (name + ".pcap")));
        const Mac mac = boot::guest_mac(frames);
        Record record{64U << 20U, mac};
        boot::Timeline live{{{"net0", mac}}};
        live.started(0);
        capture::Machines directly{mac};
        for (const boot::Frame& frame : frames) {
            record.now_ns = static_cast<std::uint64_t>(frame.at * 1e6) * 1000;
            const double at = static_cast<double>(record.now_ns) / second_ns;
            const FrameRecord::Look look = record.record.frame(0, whole(frame.bytes));
            if (const auto packet = boot::decode_frame(bytes_of(frame.bytes))) {
                record.record.note(live.packet(at - frames.front().at, 0, *packet));
            }
            directly.frame(at, capture::LinkLayer::ethernet,
                           bytes_of(std::string_view{frame.bytes}.substr(0, 1024)), {});
        }
        const ReadFile read = read_back(record.ended());
        REQUIRE(read.frames.size() == frames.size());
        for (std::size_t i = 0; i < frames.size(); ++i) {
            CHECK(read.frames[i].bytes == frames[i].bytes.substr(0, 1024));
            CHECK(std::abs(read.frames[i].at - frames[i].at) < 1e-5);
            CHECK(read.frames[i].notes.nic == mac);
        }
        const capture::Explanation told = explained(read);
        REQUIRE(told.machines.size() == 1);
        REQUIRE(told.machines[0].boots.size() == 1);
        const capture::CapturedBoot& boot = told.machines[0].boots[0];
        CHECK(stages_of(boot.record.marks) == stages_of(live.boot().marks));
        REQUIRE(directly.found().size() == 1);
        CHECK(boot.verdict == directly.found()[0].boots[0].verdict);
        CHECK(boot.record.fetches.size() == live.boot().fetches.size());
        CHECK(told.run_end == "well");
        for (const boot::Mark& mark : live.boot().marks) {
            INFO(mark.detail);
            CHECK((mark.proof != boot::Proof::wire ||
                   record.file.find(boot::as_comment(mark.detail)) != std::string::npos));
        }
    }
}

TEST_CASE("a frame's comments are what was noted while it was looked at, and the last has the run's end") {
    Record record;
    const std::string frame = dhcp(true, 1, as_ipxe);
    {
        const FrameRecord::Look look = record.record.frame(0, whole(frame));
        record.record.note(std::vector<boot::Mark>{
            {boot::Stage::discover, 1, boot::Proof::wire, "iPXE looks for a server"}});
    }
    record.record.note("of nobody");
    record.record.frame(0, whole(frame));
    CHECK(record.file.find("iPXE looks for a server") != std::string::npos);  // at once: it tells of a stage
    record.record.frame(0, whole(frame));
    CHECK(record.writes == 1);  // until there is more
    const std::string file = record.ended("all is well (exit code 0)");
    CHECK(file.find("iPXE looks for a server") < file.rfind(frame));
    CHECK(file.find("of nobody") == std::string::npos);
    CHECK(file.find("the run's end: all is well (exit code 0)") > file.rfind(frame));
    const ReadFile read = read_back(file);
    CHECK(read.end.damage.empty());
    REQUIRE(read.frames.size() == 3);
    CHECK(read.frames[0].bytes == frame);
    CHECK_FALSE(read.frames[0].notes.inbound);
    CHECK(read.end.run_end == "all is well (exit code 0)");
}

TEST_CASE("a fetch is told where it begins") {
    Record record;
    boot::Fetch fetch;
    fetch.url = "tftp://10.0.0.1/boot.ipxe";
    const FrameRecord::Look look = record.record.frame(0, whole("a frame"));
    record.record.note(std::vector<events::Event>{events::fetch(1, fetch)});
    fetch.state = boot::FetchState::receiving;
    record.record.note(std::vector<events::Event>{events::fetch(1, fetch), events::boot_begins(1, 0)});
    const std::string file = record.ended();
    CHECK(file.find("fetch begins: tftp://10.0.0.1/boot.ipxe") != std::string::npos);
    CHECK(file.find("fetch begins") == file.rfind("fetch begins"));
}

TEST_CASE("of a long frame so much is kept as is looked at, and how long it was") {
    Record record;
    const std::string frame = boot::test::udp(false, 3000, 2000, std::string(1400, 'd'));
    record.record.frame(0, {bytes_of(std::string_view{frame}.substr(0, 1024)), frame.size()});
    record.record.own_frame(0, frame, boot::own_help_comment);
    const std::string file = record.ended();
    const std::string lengths{"\x00\x04\x00\x00\xa2\x05\x00\x00", 8};  // 1024 of 1442
    CHECK(file.find(lengths) != file.rfind(lengths));
    const ReadFile read = read_back(file);
    REQUIRE(read.frames.size() == 2);
    CHECK(read.frames[0].bytes == frame.substr(0, 1024));
    CHECK(read.frames[1].bytes == frame.substr(0, 1024));
    CHECK(read.frames[1].notes.sender == capture::FrameNotes::Sender::own_help);
    CHECK(read.frames[1].notes.inbound);
}

TEST_CASE("frames of vm-launch's own servers are marked as such, and are evidence like any") {
    Record record;
    std::string frame = boot::test::udp(false, 69, 2000, "x");
    frame.replace(6, 6, std::string{"\x02VMLRA", 6});
    record.record.frame(0, whole(frame));
    const std::string file = record.ended();
    CHECK(file.find("vm-launch's own server") != std::string::npos);
    CHECK(read_back(file).frames[0].notes.sender == capture::FrameNotes::Sender::anybody);
}

TEST_CASE("after a reset the next frame is told to be another boot's") {
    Record record;
    record.record.frame(0, whole("before it"));
    record.record.was_reset();
    record.record.frame(0, whole("after it"));
    record.record.frame(0, whole("later"));
    const ReadFile read = read_back(record.ended());
    REQUIRE(read.frames.size() == 3);
    CHECK_FALSE(read.frames[0].notes.after_reset);
    CHECK(read.frames[1].notes.after_reset);
    CHECK_FALSE(read.frames[2].notes.after_reset);
}

TEST_CASE("a record has a bound, and says where it ends") {
    constexpr std::size_t most = 1U << 20U;
    Record record{most};
    const std::string frame(1000, 'f');
    for (int i = 0; i < 5000; ++i) {
        const FrameRecord::Look look = record.record.frame(0, whole(frame));
        record.record.note(std::string(100'000, 'n'));
    }
    CHECK(record.writes > 5);
    CHECK(record.writes < 20);  // many frames at once
    const std::string file = record.ended();
    CHECK(file.size() <= most);
    CHECK(file.size() > most * 3 / 4);
    CHECK(file.find("the record ends here") > file.rfind(frame));
    CHECK(file.find("the record ends here") == file.rfind("the record ends here"));
    const ReadFile read = read_back(file);
    CHECK(read.frames.size() > 700);
    CHECK(read.end.run_end == "well");
    CHECK(read.end.damage == "the record ends here: no more than 1 MiB are kept");
}

TEST_CASE("a full record gives no frame the comments of one that it lacks") {
    Record record{150U << 10U};
    const std::string frame(1000, 'f');
    std::string marked = frame;
    marked.replace(6, 6, std::string{"\x02VMLRA", 6});
    for (int i = 0; i < 300; ++i) {
        const FrameRecord::Look look = record.record.frame(0, whole(frame));
        if (record.file.find("no more than") != std::string::npos || i > 200) {
            record.record.own_frame(0, frame, boot::own_help_comment);
            record.record.frame(0, whole(marked));
            record.record.note("of no frame that is kept");
        }
    }
    const std::string file = record.ended();
    CHECK(file.find("the record ends here") != std::string::npos);
    CHECK(file.find("vm-launch's own") == std::string::npos);
    CHECK(file.find("of no frame") == std::string::npos);
}

TEST_CASE("of a frame that only brings more of a file the headers are kept") {
    Record record;
    const std::string frame(1000, 'f');
    {
        const FrameRecord::Look look = record.record.frame(0, whole(frame));
        record.record.keep_head();
    }
    record.record.keep_head();  // of no frame
    {
        const FrameRecord::Look look = record.record.frame(0, whole(frame));
        record.record.note("it tells of something");
        record.record.keep_head();
    }
    const ReadFile read = read_back(record.ended());
    REQUIRE(read.frames.size() == 2);
    CHECK(read.frames[0].bytes == frame.substr(0, 128));
    CHECK(read.frames[1].bytes == frame);
}

TEST_CASE("what cannot be written is told at the end, and nothing more is tried") {
    Record record;
    record.error = ENOSPC;
    for (int i = 0; i < 1000; ++i) {
        record.record.frame(0, whole(std::string(1000, 'f')));
    }
    CHECK(record.writes == 1);
    CHECK(record.record.end("well").error == ENOSPC);
}

TEST_CASE("without a file nothing is kept") {
    FrameRecord record{std::nullopt, {{"net0", guest}}};
    record.frame(0, whole("a frame"));
    record.was_reset();
    CHECK(record.end("well").bytes.empty());
}

// A run's watch over a socket in place of one on the guest's tap.
TEST_CASE("what vm-launch itself hands to the guest is in the record, as its own") {
    boost::asio::io_context io;
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
    const OwnedFd network{ends[0]};
    std::vector<WireTap> taps(1);
    taps[0].nic = "net0";
    taps[0].mac = mac_text(guest);
    taps[0].fd.reset(ends[1]);
    std::string file;
    BootWatchConfig config;
    config.observer.nics = {{"net0", guest}};
    config.own_service = OwnService{"net0", {10, 0, 0, 1}, "http://10.0.0.1/boot.ipxe"};
    config.record = FrameRecord::Config{"web", 1024,
                                        [&](std::string_view bytes) {
                                            file += bytes;
                                            return 0;
                                        },
                                        [] { return began_ns; }};
    Log log{LogLevel::error, LogFormat::text, [](std::string_view) {}};
    BootWatch watch{io,
                    std::move(config),
                    std::move(taps),
                    log,
                    {[](const events::Event&) {}, [](const boot::Mark&) {}, [](BootEnd, const Fault&) {},
                     [](std::chrono::seconds) {}, [](const LinkSwitch&) {}, [](const std::string&, bool) {},
                     [] {}, [] { return std::vector<std::string>{}; }}};
    watch.started();
    const std::string search = dhcp(true, 1, as_ipxe);
    REQUIRE(::write(network.get(), search.data(), search.size()) == static_cast<ssize_t>(search.size()));
    watch.console_line("");  // what came before a line is seen before it
    boot::ReportHead head;
    head.summary = "the end";
    file += watch.end(head).bytes;
    const ReadFile read = read_back(file);
    REQUIRE(read.frames.size() == 2);
    CHECK(read.frames[0].bytes == search);
    CHECK(read.frames[1].notes.sender == capture::FrameNotes::Sender::own_offer);
    std::array<char, 2048> sent{};
    const ssize_t count = ::read(network.get(), sent.data(), sent.size());
    REQUIRE(count > 0);
    CHECK(read.frames[1].bytes == std::string(sent.data(), static_cast<std::size_t>(count)).substr(0, 1024));
    CHECK(file.find("DHCP: iPXE looks for a server") != std::string::npos);
    const capture::Explanation told = explained(read);
    REQUIRE(told.machines.size() == 1);
    const boot::Boot& boot = told.machines[0].boots[0].record;
    CHECK(boot.dhcp.front().own);
    CHECK(boot.dhcp.front().offers.empty());
    CHECK(stages_of(boot.marks) == stages_of(watch.observer().boot().marks));
    CHECK(told.run_end == "the end (exit code 0)");
}

}  // namespace
}  // namespace vml
