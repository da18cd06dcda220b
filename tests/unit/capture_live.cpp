// Frames as they come: what is told of each machine, and when.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "capture/live.h"
#include "tests/unit/capture_frames.h"

namespace vml::capture::test {
namespace {

struct TakenFrame {
    double at = 0;
    std::string bytes;
};

// Of a capture in libpcap's classic format, written by a machine of this byte order; empty where its frames
// are not Ethernet.
std::vector<TakenFrame> frames_of_file(const std::filesystem::path& path) {
    std::ifstream file{path, std::ios::binary};
    const std::string all{std::istreambuf_iterator<char>{file}, {}};
    const Bytes bytes = bytes_of(all);
    std::vector<TakenFrame> frames;
    const bool nano = bytes.u32(0) == 0xA1B23C4D;
    REQUIRE((nano || bytes.u32(0) == 0xA1B2C3D4));
    for (std::size_t at = 24; bytes.u32(20) == 1 && bytes.has(at, 16);) {
        const std::size_t size = bytes.u32(at + 8);
        frames.push_back({bytes.u32(at) + bytes.u32(at + 4) * (nano ? 1e-9 : 1e-6),
                          std::string{bytes.part(at + 16, size).chars()}});
        at += 16 + size;
    }
    return frames;
}

class Watch {
  public:
    explicit Watch(std::optional<Mac> only = {}) : live{only} {}

    void see(const std::string& frame) {
        live.frame(at += 0.01, bytes_of(frame));
        take();
    }
    // Nothing comes for so long.
    void wait(double seconds) {
        for (const double end = at + seconds; at < end;) {
            at = std::min(end, at + 1);
            live.pass(at);
        }
        take();
    }
    void take() {
        for (News& news : live.take_news()) {
            all.push_back(std::move(news));
        }
    }
    [[nodiscard]] std::vector<News> of(News::Kind kind) const {
        std::vector<News> some;
        std::copy_if(all.begin(), all.end(), std::back_inserter(some),
                     [&](const News& news) { return news.kind == kind; });
        return some;
    }
    [[nodiscard]] std::vector<News> verdicts() const { return of(News::Kind::verdict); }

    Live live;
    double at = 1'764'460'000;
    std::vector<News> all;
};

// The frame of another machine, with an address of its own.
std::string of_machine(std::string frame, unsigned number) {
    const auto replace_all = [&](const std::string& what, const std::string& with) {
        for (std::size_t at = frame.find(what); at != std::string::npos; at = frame.find(what, at + 1)) {
            frame.replace(at, what.size(), with);
        }
    };
    replace_all(text_of(guest), text_of(Mac{0x52, 0x54, 0, 1, static_cast<std::uint8_t>(number >> 8U),
                                            static_cast<std::uint8_t>(number)}));
    replace_all(be32(guest_ip), be32(0x0A010000 + number));
    return frame;
}

std::vector<std::string> address_frames(const std::string& who, const std::string& file) {
    const std::string options = option(54, be32(server_ip)) + option(67, file);
    return {dhcp(true, 1, who), dhcp(false, 2, options, guest_ip), dhcp(true, 3, who),
            dhcp(false, 5, options, guest_ip)};
}

std::vector<std::string> good_tftp(const std::string& file, const std::string& content) {
    return {udp(true, 2001, 69, request(file)), udp(false, 3000, 2001, be16(3) + be16(1) + content),
            udp(true, 2001, 3000, be16(4) + be16(1))};
}

std::vector<std::string> no_tftp(const std::string& file) {
    return {udp(true, 2002, 69, request(file)),
            udp(false, 3000, 2002, be16(5) + be16(1) + "File not found" + std::string(1, '\0'))};
}

void add(std::vector<std::string>& to, const std::vector<std::string>& more) {
    to.insert(to.end(), more.begin(), more.end());
}

std::vector<std::string> good_boot() {
    std::vector<std::string> frames = address_frames(as_firmware, "n.0");
    add(frames, good_tftp("n.0", nbp));
    return frames;
}

std::vector<std::string> failed_boot() {
    std::vector<std::string> frames = address_frames(as_firmware, "gone.0");
    add(frames, no_tftp("gone.0"));
    return frames;
}

void see_all(Watch& watch, const std::vector<std::string>& frames) {
    for (const std::string& frame : frames) {
        watch.see(frame);
    }
}

std::vector<std::filesystem::path> captures() {
    std::vector<std::filesystem::path> files;
    for (const char* folder : {"captures", "unit/data/boots"}) {
        for (const auto& entry :
             std::filesystem::directory_iterator{std::filesystem::path{VML_TEST_DIR} / folder}) {
            if (entry.path().extension() == ".pcap" && !frames_of_file(entry.path()).empty()) {
                files.push_back(entry.path());
            }
        }
    }
    return files;
}

TEST_CASE("a capture that is seen frame by frame ends as it is explained") {
    const auto files = captures();
    REQUIRE(files.size() > 15);
    for (const auto& file : files) {
        INFO(file.string());
        Watch watch;
        Machines machines;
        for (const TakenFrame& frame : frames_of_file(file)) {
            watch.live.frame(frame.at, bytes_of(frame.bytes));
            watch.live.pass(frame.at);
            machines.frame(frame.at, LinkLayer::ethernet, bytes_of(frame.bytes), {});
        }
        watch.at = machines.counts().ended;
        watch.take();
        watch.wait(100);
        for (const FoundMachine& machine : machines.found()) {
            std::map<std::uint64_t, std::vector<boot::Mark>> marks;
            std::map<std::uint64_t, Fault> verdicts;
            for (const News& news : watch.all) {
                if (news.mac == machine.mac && news.kind == News::Kind::mark) {
                    marks[news.boot].push_back(news.mark);
                } else if (news.mac == machine.mac && news.kind == News::Kind::verdict) {
                    verdicts[news.boot] = news.verdict;
                }
            }
            CHECK(verdicts.size() == machine.boots.size());
            for (std::size_t i = 0; i < machine.boots.size(); ++i) {
                CapturedBoot boot = machine.boots[i];
                CHECK(marks[i + 1] == boot.record.marks);
                if (!contains(boot.verdict.what, "the capture ends")) {
                    CHECK(verdicts[i + 1].code == boot.verdict.code);
                    CHECK(verdicts[i + 1].what == boot.verdict.what);
                }
            }
        }
        CHECK(watch.live.machines().size() == machines.found().size());
    }
}

TEST_CASE("of two hundred machines that boot at once no verdict is lost") {
    constexpr unsigned many = 200;
    Watch watch;
    for (std::size_t step = 0; step < good_boot().size(); ++step) {
        for (unsigned i = 0; i < many; ++i) {
            const auto frames = i % 2 == 0 ? good_boot() : failed_boot();
            if (step < frames.size()) {
                watch.live.frame(watch.at += 0.0001, bytes_of(of_machine(frames[step], i)));
                watch.take();
            }
        }
    }
    CHECK(watch.verdicts().empty());
    watch.wait(60);
    std::set<Mac> good;
    std::set<Mac> bad;
    for (const News& news : watch.verdicts()) {
        (news.verdict.code == ExitCode::ok ? good : bad).insert(news.mac);
        CHECK((news.verdict.code == ExitCode::ok || news.verdict.code == ExitCode::fetch_failed));
    }
    CHECK(good.size() == many / 2);
    CHECK(bad.size() == many / 2);
    CHECK(watch.verdicts().size() == many);
    CHECK(watch.of(News::Kind::gives_way).empty());
}

TEST_CASE("a failure is told once the machine is silent, and taken back where it goes on") {
    Watch watch;
    see_all(watch, failed_boot());
    watch.wait(Live::silence_s - 2);
    CHECK(watch.verdicts().empty());
    CHECK(watch.live.due());
    watch.wait(3);
    REQUIRE(watch.verdicts().size() == 1);
    CHECK(watch.verdicts()[0].verdict.code == ExitCode::fetch_failed);
    CHECK_FALSE(watch.verdicts()[0].over);
    CHECK_FALSE(watch.live.due());
    CHECK(watch.live.machines()[0].verdict);
    see_all(watch, good_tftp("other.0", nbp));
    CHECK(watch.of(News::Kind::goes_on).size() == 1);
    CHECK_FALSE(watch.live.machines()[0].verdict);
    watch.wait(Live::silence_s + 1);
    REQUIRE(watch.verdicts().size() == 2);
    CHECK(watch.verdicts()[1].verdict.code == ExitCode::ok);
    CHECK(watch.verdicts()[1].boot == 1);
}

TEST_CASE("a machine that asks on and on gets its verdict once") {
    Watch watch;
    for (int i = 0; i < 30; ++i) {
        watch.see(of_xid(dhcp(true, 1, as_firmware), 7));
        watch.wait(10);
        CHECK(watch.verdicts().size() == (i * 10 + 10 >= Live::no_progress_s ? 1 : 0));
    }
    CHECK(watch.verdicts()[0].verdict.code == ExitCode::no_offer);
}

TEST_CASE("what a loader looked for in vain is told though nothing comes after it") {
    Watch watch;
    std::vector<std::string> frames = good_boot();
    add(frames, no_tftp("pxelinux.cfg/default"));
    see_all(watch, frames);
    const auto is_told = [&] {
        const auto marks = watch.of(News::Kind::mark);
        return contains(marks.back().mark.detail, "pxelinux.cfg/default");
    };
    CHECK_FALSE(is_told());
    REQUIRE(watch.live.due());
    CHECK(*watch.live.due() < watch.at + 4);
    watch.wait(4);
    CHECK(is_told());
}

TEST_CASE("a file that comes slowly is under way") {
    Watch watch;
    see_all(watch, address_frames(as_firmware, "n.0"));
    watch.see(udp(true, 2001, 69, request("n.0")));
    for (unsigned block = 1; block < 30; ++block) {
        watch.see(udp(false, 3000, 2001, be16(3) + be16(block) + std::string(512, 'x')));
        watch.see(udp(true, 2001, 3000, be16(4) + be16(block)));
        watch.wait(20);
    }
    CHECK(watch.verdicts().empty());
    const MachineNow now = watch.live.machines().at(0);
    CHECK(now.fetching);
    CHECK(now.received == 29 * 512);
    CHECK(now.url == "tftp://10.0.0.1/n.0");
    CHECK(to_string(now.address) == "10.0.0.2");
    CHECK(now.arch == std::uint16_t{0});
    CHECK(now.stage == boot::Stage::address);
}

TEST_CASE("a boot that another one follows has its verdict before that begins") {
    Watch watch;
    see_all(watch, failed_boot());
    watch.wait(3);
    see_all(watch, good_boot());
    REQUIRE(watch.verdicts().size() == 1);
    CHECK(watch.verdicts()[0].over);
    CHECK(watch.verdicts()[0].boot == 1);
    CHECK(watch.verdicts()[0].verdict.code == ExitCode::fetch_failed);
    const auto boots = watch.of(News::Kind::boot);
    REQUIRE(boots.size() == 2);
    CHECK(boots[1].boot == 2);
    CHECK(watch.live.machines().at(0).boot == 2);
}

TEST_CASE("an operating system that is heard settles it at once") {
    Watch watch;
    std::vector<std::string> frames = address_frames(as_firmware, "k");
    add(frames, good_tftp("k", kernel().substr(0, 511)));
    see_all(watch, frames);
    watch.wait(5);
    watch.see(of_xid(dhcp(true, 1, as_system), 9));
    REQUIRE(watch.verdicts().size() == 1);
    CHECK(contains(watch.verdicts()[0].verdict.what, "booted"));
    watch.wait(100);
    CHECK(watch.verdicts().size() == 1);
}

std::vector<std::string> no_http(const std::string& user_agent) {
    return {tcp(true, 4000, 80, 100, syn), tcp(false, 4000, 80, 1000, syn | ack),
            tcp(true, 4000, 80, 101, ack,
                "GET /gone HTTP/1.1\r\nUser-Agent: " + user_agent + "\r\nHost: h\r\n\r\n"),
            tcp(false, 4000, 80, 1001, ack, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")};
}

TEST_CASE("what a system that runs asks for in vain is no failure of its boot") {
    Watch watch;
    see_all(watch, good_boot());
    watch.wait(Live::silence_s + 1);
    see_all(watch, no_http("Debian APT-HTTP/1.3 (2.6.1)"));
    watch.wait(Live::silence_s + 1);
    for (const News& news : watch.verdicts()) {
        CHECK(news.verdict.code == ExitCode::ok);
    }
    CHECK(contains(watch.verdicts().back().verdict.what, "an operating system speaks HTTP"));
}

TEST_CASE(
    "what a boot program asks for in vain after a pause is a failure, and an initial RAM disk at once") {
    for (const auto& [user_agent, pause] : {std::pair{"iPXE/1.21", 60.0}, std::pair{"curl/8.5.0", 3.0}}) {
        Watch watch;
        see_all(watch, good_boot());
        watch.wait(pause);
        see_all(watch, no_http(user_agent));
        watch.wait(Live::silence_s + 5);
        INFO(user_agent << ": " << to_text(watch.verdicts().back().verdict));
        CHECK(watch.verdicts().back().verdict.code == ExitCode::fetch_failed);
    }
}

TEST_CASE("where frames were lost no failure is certain") {
    Watch watch;
    see_all(watch, failed_boot());
    watch.live.frames_lost();
    watch.wait(60);
    REQUIRE(watch.verdicts().size() == 1);
    CHECK(watch.verdicts()[0].verdict.code == ExitCode::boot_timeout);
    CHECK(contains(watch.verdicts()[0].verdict.what, "unknown"));
    see_all(watch, failed_boot());
    watch.wait(60);
    CHECK(watch.verdicts().back().verdict.code == ExitCode::fetch_failed);
}

TEST_CASE("a boot whose frames were lost is uncertain in the report too") {
    Live live{std::nullopt, {.most = 8, .weight = std::size_t{64} << 10}};
    double at = 1'764'460'000;
    const auto see = [&](const std::vector<std::string>& frames) {
        for (const std::string& frame : frames) {
            live.frame(at += 0.01, bytes_of(frame));
        }
    };
    see(failed_boot());
    live.frames_lost();
    at += 5;
    see(failed_boot());
    const auto found = live.all().found();
    REQUIRE(found.size() == 1);
    REQUIRE(found[0].boots.size() == 2);
    CHECK(found[0].boots[0].verdict.code == ExitCode::boot_timeout);
    CHECK(contains(found[0].boots[0].verdict.why, "gone.0"));
    CHECK(found[0].boots[1].verdict.code == ExitCode::fetch_failed);
}

TEST_CASE("the machine that was silent for the longest time gives way") {
    Watch watch;
    const unsigned many = Live::most_machines;
    for (unsigned i = 0; i < many; ++i) {
        watch.see(of_machine(dhcp(true, 1, as_firmware), i));
    }
    watch.see(of_machine(of_xid(dhcp(true, 1, as_firmware), 2), 0));
    CHECK(watch.of(News::Kind::gives_way).empty());
    watch.see(of_machine(dhcp(true, 1, as_firmware), many));
    const auto gone = watch.of(News::Kind::gives_way);
    REQUIRE(gone.size() == 1);
    CHECK(gone[0].mac == Mac{0x52, 0x54, 0, 1, 0, 1});
    CHECK(watch.live.machines().size() == many);
    CHECK(watch.live.all().counts().gave_way == 1);
    CHECK(watch.verdicts().empty());
    for (unsigned i = 0; i < 3 * many; ++i) {
        watch.see(of_machine(dhcp(true, 1, as_firmware), many + 1 + i));
    }
    CHECK(watch.live.machines().size() == many);
}

TEST_CASE("a machine that boots does not give way to machines that only ask for an address") {
    Watch watch;
    see_all(watch, good_boot());
    for (unsigned i = 0; i < 2 * Live::most_machines; ++i) {
        watch.see(of_machine(dhcp(true, 1, as_firmware), i));
    }
    for (const News& news : watch.of(News::Kind::gives_way)) {
        CHECK(news.mac != guest);
    }
    CHECK(watch.live.machines().size() == Live::most_machines);
    CHECK(watch.live.machines()[0].mac == guest);
}

TEST_CASE("machines give way where the records of all weigh too much") {
    constexpr std::size_t most = 400'000;
    Machines machines{std::nullopt, {.machines = 100, .silent_give_way = true, .weight = most}};
    double at = 1'764'460'000;
    for (unsigned i = 0; i < 20; ++i) {
        const auto see = [&](const std::string& frame) {
            machines.frame(at += 0.1, LinkLayer::ethernet, bytes_of(of_machine(frame, i)), {});
        };
        see(dhcp(true, 1, as_firmware));
        for (unsigned file = 0; file < 60; ++file) {
            const std::string name = std::string(200, 'a') + std::to_string(file);
            see(udp(true, 3000 + file, 69, request(name)));
            see(udp(false, 3000, 3000 + file, be16(5) + be16(1) + "no" + std::string(1, '\0')));
        }
    }
    CHECK(machines.counts().gave_way > 0);
    std::size_t weight = 0;
    for (Place& place : machines.places().all()) {
        weight += place.machine.weight();
    }
    CHECK(weight <= most + most / 4);
    CHECK(machines.places().all().size() > 1);
}

TEST_CASE("an address of a machine that gave way leads nowhere") {
    Machines machines{std::nullopt, {.machines = 1, .silent_give_way = true}};
    double at = 1'764'460'000;
    const auto see = [&](const std::string& frame) {
        machines.frame(at += 0.1, LinkLayer::ethernet, bytes_of(frame), {});
    };
    for (const std::string& frame : address_frames(as_firmware, "n.0")) {
        see(frame);
    }
    see(of_machine(dhcp(true, 1, as_firmware), 1));
    see(routed(udp(true, 2001, 2002, "x"), true));
    const auto found = machines.found();
    REQUIRE(found.size() == 1);
    CHECK(found[0].mac == Mac{0x52, 0x54, 0, 1, 0, 1});
}

TEST_CASE("what is remembered of many is bounded") {
    Recent<unsigned> recent{4};
    for (unsigned i = 0; i < 100; ++i) {
        recent.insert(i);
        CHECK(recent.contains(i));
        CHECK(recent.contains(i < 4 ? 0 : i - 3));
        CHECK(recent.size() <= 8);
    }
    CHECK_FALSE(recent.contains(80));
}

}  // namespace
}  // namespace vml::capture::test
