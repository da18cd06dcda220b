// Recorded evidence → a timeline: a capture (pcap, as QEMU's filter-dump writes it) and the console's bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bootwatch/console_text.h"
#include "bootwatch/timeline.h"

namespace vml::boot {

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream stream{path, std::ios::binary};
    if (!stream) {
        throw std::runtime_error{"cannot read " + path.string()};
    }
    return {std::istreambuf_iterator<char>{stream}, {}};
}

struct Frame {
    double at = 0;
    std::string bytes;
};

// pcap's file header is 24 bytes, a record's 16: seconds, microseconds, captured, original length.
inline std::vector<Frame> frames_of(const std::string& pcap) {
    const Bytes file = bytes_of(pcap);
    std::vector<Frame> frames;
    for (std::size_t at = 24; file.has(at, 16); at += 16 + file.u32(at + 8)) {
        frames.push_back({static_cast<double>(file.u32(at)) + static_cast<double>(file.u32(at + 4)) / 1e6,
                          pcap.substr(at + 16, file.u32(at + 8))});
    }
    return frames;
}

// The guest's MAC address: the sender of the first frame with a DHCP request in it.
inline Mac guest_mac(const std::vector<Frame>& frames) {
    for (const Frame& frame : frames) {
        const auto packet = decode_frame(bytes_of(frame.bytes));
        const auto* dhcp = packet ? std::get_if<DhcpMessage>(&packet->body) : nullptr;
        if (dhcp != nullptr && !dhcp->from_server) {
            return dhcp->chaddr;
        }
    }
    return {};
}

// The console is given before the packets up to iPXE's banner, and after them from there on: its lines have
// no times of their own.
inline Timeline replay(const std::string& pcap, const std::string& console) {
    const std::vector<Frame> frames = frames_of(pcap);
    Timeline timeline{{{"net0", guest_mac(frames)}}};
    ConsoleText text;
    const std::vector<std::string> lines = text.feed(console);
    timeline.started(0);
    std::size_t next = 0;
    while (next < lines.size() && !timeline.boot().ipxe) {
        timeline.line(0.3, lines[next++]);
    }
    double at = 0;
    const double first = frames.empty() ? 0 : frames.front().at;
    for (const Frame& frame : frames) {
        at = frame.at - first;
        if (const auto packet = decode_frame(bytes_of(frame.bytes))) {
            timeline.packet(at, 0, *packet);
        }
    }
    for (; next < lines.size(); ++next) {
        timeline.line(at, lines[next]);
    }
    timeline.partial(at, text.partial());
    return timeline;
}

inline Timeline recorded(const std::string& name) {
    const std::filesystem::path folder = std::filesystem::path{VML_TEST_DIR} / "unit/data/boots";
    return replay(read_file(folder / (name + ".pcap")), read_file(folder / (name + ".console")));
}

}  // namespace vml::boot
