// Captures made by hand: a machine of bootwatch_frames.h on a network, seen from somewhere.
#pragma once

#include <string>
#include <utility>

#include "capture/explanation.h"
#include "tests/unit/bootwatch_frames.h"
#include "tests/unit/catch.h"

namespace vml::capture::test {

using namespace boot::test;

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

inline const std::string as_firmware = option(60, "PXEClient:Arch:00000:UNDI:002001") + option(93, be16(0));
inline const std::string as_system = option(60, "udhcp 1.36") + option(12, "installed");

// A boot program that is no text.
inline const std::string nbp{"\xea\5\0\0\xc0\x07 program", 14};

inline std::string of_xid(std::string frame, std::uint32_t xid) {
    constexpr std::size_t place = 14 + 20 + 8 + 4;
    return frame.replace(place, 4, be32(xid));
}

inline std::string through_relay(std::string frame, std::uint32_t relay) {
    constexpr std::size_t place = 14 + 20 + 8 + 24;
    return frame.replace(place, 4, be32(relay));
}

// With these tags, the outer one first.
inline std::string tagged(std::string frame, const std::string& tags) {
    return frame.insert(12, tags);
}

// From and to a router, instead of the machine itself.
inline std::string routed(std::string frame, bool from_guest) {
    return frame.replace(from_guest ? 6 : 0, 6, text_of(Mac{2, 0, 0, 0, 0, 0x77}));
}

class Wire {
  public:
    // 10 ms after the one before.
    Wire& see(const std::string& frame) {
        machines.frame(at += 0.01, link, bytes_of(std::string_view{frame}.substr(0, snap)), {});
        return *this;
    }
    Wire& wait(double seconds) {
        at += seconds;
        return *this;
    }
    // Something else, so that the capture lasts until then.
    Wire& ends_later(double seconds) {
        return wait(seconds).see(ethernet(false, 0x88CC, "lldp").replace(0, 6, "\1\0\0\0\0\0", 6));
    }
    Wire& gets_address(const std::string& who, const std::string& file, std::uint32_t xid = 1) {
        const auto with_server = [&](std::string frame) {
            constexpr std::size_t siaddr = 14 + 20 + 8 + 20;
            return of_xid(frame.replace(siaddr, 4, be32(server_ip)), xid);
        };
        const std::string options = option(54, be32(server_ip)) + (file.empty() ? "" : option(67, file));
        return see(of_xid(dhcp(true, 1, who), xid))
            .see(with_server(dhcp(false, 2, options, guest_ip)))
            .see(of_xid(dhcp(true, 3, who), xid))
            .see(with_server(dhcp(false, 5, options, guest_ip)));
    }
    Wire& tftp(const std::string& file, const std::string& content) {
        ++port;
        return see(udp(true, port, 69, request(file)))
            .see(udp(false, 3000, port, be16(3) + be16(1) + content))
            .see(udp(true, port, 3000, be16(4) + be16(1)));
    }
    Wire& no_tftp(const std::string& file) {
        ++port;
        return see(udp(true, port, 69, request(file)))
            .see(udp(false, 3000, port, be16(5) + be16(1) + "File not found" + std::string(1, '\0')));
    }
    Wire& connects() {
        ++port;
        return see(tcp(true, port, 80, 100, syn)).see(tcp(false, port, 80, 1000, syn | ack));
    }
    Wire& http(const std::string& path, const std::string& answer) {
        return connects()
            .see(tcp(true, port, 80, 101, ack,
                     "GET " + path + " HTTP/1.1\r\nUser-Agent: iPXE/1.21\r\nHost: h\r\n\r\n"))
            .see(tcp(false, port, 80, 1001, ack, answer));
    }
    Explanation explained() {
        return {"x.pcap", "Ethernet", machines.counts(), machines.other_hosts(), machines.found()};
    }
    // The only machine's only boot.
    CapturedBoot boot() {
        const Explanation all = explained();
        REQUIRE(all.machines.size() == 1);
        INFO(as_text(all));
        REQUIRE(all.machines.front().boots.size() == 1);
        return all.machines.front().boots.front();
    }
    void gets(ExitCode code, const std::string& what, const std::string& why = {}) {
        const Fault verdict = boot().verdict;
        INFO(to_text(verdict));
        CHECK(verdict.code == code);
        CHECK(contains(verdict.what, what));
        CHECK(contains(verdict.why, why));
    }

    Machines machines;
    LinkLayer link = LinkLayer::ethernet;
    std::size_t snap = std::string::npos;
    double at = 1'764'460'000;
    unsigned port = 2000;
};

inline std::string ok_answer(const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

inline std::string kernel() {
    std::string head(0x206, 'x');
    head.replace(0, 2, "MZ");
    head.replace(0x202, 4, "HdrS");
    return head;
}

}  // namespace vml::capture::test
