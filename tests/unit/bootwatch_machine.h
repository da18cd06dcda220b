// A machine whose packets and console a test makes up.
#pragma once

#include <string>

#include "bootwatch/timeline.h"
#include "bootwatch/verdict.h"
#include "tests/unit/bootwatch_frames.h"
#include "tests/unit/catch.h"

namespace vml::boot::test {

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// On a bridge, with iPXE on a NIC whose packets are seen.
class Machine {
  public:
    explicit Machine(bool ipxe = true) {
        timeline.started(0);
        timeline.line(0.1, "SeaBIOS (version 1)");
        if (ipxe) {
            timeline.line(0.3, "iPXE 1.0 -- Open Source Network Boot Firmware -- http://ipxe.org");
        }
        about.ipxe = ipxe;
        about.network = Network::bridge;
        about.host_link = "br0";
    }
    Machine& see(const std::string& frame) {
        const auto packet = decode_frame(bytes_of(frame));
        REQUIRE(packet);
        timeline.packet(at += 0.1, 0, *packet);
        return *this;
    }
    Machine& says(const std::string& line) {
        timeline.line(at += 0.1, line);
        return *this;
    }
    Machine& has_address(const std::string& options = option(67, "boot.ipxe"),
                         const std::string& who = as_ipxe, std::uint32_t next_server = server_ip) {
        const auto with_server = [&](std::string frame) {
            constexpr std::size_t siaddr = 14 + 20 + 8 + 20;
            return frame.replace(siaddr, 4, be32(next_server));
        };
        return see(dhcp(true, 1, who))
            .see(with_server(dhcp(false, 2, options, guest_ip)))
            .see(dhcp(true, 3, who))
            .see(with_server(dhcp(false, 5, options, guest_ip)));
    }
    // A file by TFTP in one block, or an error in its place.
    Machine& tftp(const std::string& file, const std::string& content) {
        ++port;
        return see(udp(true, port, 69, request(file)))
            .see(udp(false, 3000, port, be16(3) + be16(1) + content));
    }
    Machine& no_tftp(const std::string& file, unsigned code, const std::string& words) {
        ++port;
        return see(udp(true, port, 69, request(file)))
            .see(udp(false, 3000, port, be16(5) + be16(code) + words));
    }
    Machine& connects(unsigned server_port) {
        ++port;
        return see(tcp(true, port, server_port, 100, syn))
            .see(tcp(false, port, server_port, 1000, syn | ack));
    }
    Machine& asks(unsigned server_port, const std::string& path, const std::string& header = {},
                  const std::string& method = "GET") {
        return see(tcp(true, port, server_port, 101, ack,
                       method + " " + path + " HTTP/1.1\r\nHost: h\r\n" + header + "\r\n"));
    }
    // So many seconds later.
    Machine& gives_up(unsigned server_port, double later) {
        at += later;
        return see(tcp(true, port, server_port, 300, fin | ack));
    }
    Machine& answers(unsigned server_port, const std::string& bytes) {
        return see(tcp(false, port, server_port, 1001, ack, bytes));
    }
    Machine& http(const std::string& path, const std::string& body, std::size_t length = 0) {
        return connects(80).asks(80, path).answers(
            80, "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(length == 0 ? body.size() : length) +
                    "\r\n\r\n" + body);
    }
    Machine& no_http(const std::string& path) {
        return connects(80).asks(80, path).answers(80, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    }
    Machine& discovers() { return see(dhcp(true, 1, as_ipxe)); }
    Machine& stops() { return says("No bootable device."); }
    Machine& is_out_of_time(double later) {
        about.now = at + later;
        return *this;
    }
    Fault verdict() { return judge(timeline.boots(), about); }
    void gets(ExitCode code, const std::string& what, const std::string& why, const std::string& hint = {}) {
        const Fault fault = verdict();
        INFO(to_text(fault));
        CHECK(fault.code == code);
        CHECK(contains(fault.what, what));
        CHECK(contains(fault.why, why));
        CHECK(contains(fault.hint, hint));
        CHECK_FALSE(fault.hint.empty());
    }

    Timeline timeline{{{"net0", guest}}};
    Circumstances about;
    double at = 1;
    unsigned port = 2000;
};

// Its first bytes.
inline std::string linux_kernel() {
    std::string head(0x206, 'x');
    head.replace(0, 2, "MZ");
    head.replace(0x202, 4, "HdrS");
    return head;
}

}  // namespace vml::boot::test
