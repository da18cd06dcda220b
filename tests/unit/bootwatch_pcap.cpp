// QEMU's dump, in pieces of any size.
#include <string>
#include <vector>

#include "bootwatch/pcap.h"
#include "tests/unit/bootwatch_evidence.h"
#include "tests/unit/catch.h"

namespace vml::boot {
namespace {

std::vector<std::string> read_in(const std::string& pcap, std::size_t piece, bool& good) {
    PcapReader reader;
    std::vector<std::string> frames;
    good = true;
    for (std::size_t at = 0; at < pcap.size(); at += piece) {
        good = reader.feed(pcap.substr(at, piece), [&](Bytes frame, std::size_t length) {
            CHECK(length >= frame.size());
            frames.emplace_back(frame.chars());
        }) && good;
    }
    return frames;
}

TEST_CASE("pieces do not matter") {
    const std::string pcap = read_file(std::filesystem::path{VML_TEST_DIR} / "unit/data/boots/nodhcp.pcap");
    const std::vector<Frame> expected = frames_of(pcap);
    REQUIRE(expected.size() > 10);
    for (const std::size_t piece :
         {std::size_t{1}, std::size_t{7}, std::size_t{16}, std::size_t{1000}, pcap.size()}) {
        bool good = false;
        const auto frames = read_in(pcap, piece, good);
        CHECK(good);
        REQUIRE(frames.size() == expected.size());
        for (std::size_t i = 0; i < frames.size(); ++i) {
            CHECK(frames[i] == expected[i].bytes);
        }
    }
}

TEST_CASE("what is no capture, or has a frame that cannot be, is read no further") {
    PcapReader other;
    CHECK_FALSE(other.feed(std::string(24, 'x'), [](Bytes, std::size_t) { FAIL("a frame"); }));
    const std::string pcap = read_file(std::filesystem::path{VML_TEST_DIR} / "unit/data/boots/nodhcp.pcap");
    PcapReader reader;
    int frames = 0;
    CHECK(reader.feed(pcap.substr(0, 24), [&](Bytes, std::size_t) { ++frames; }));
    std::string record(16, '\0');
    record[11] = '\x7f';
    CHECK_FALSE(reader.feed(record, [&](Bytes, std::size_t) { ++frames; }));
    CHECK_FALSE(reader.feed(pcap.substr(24), [&](Bytes, std::size_t) { ++frames; }));
    CHECK(frames == 0);
}

}  // namespace
}  // namespace vml::boot
