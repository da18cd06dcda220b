// Packets → what was fetched.
#include <string>

#include "bootwatch/fetches.h"
#include "tests/unit/bootwatch_frames.h"
#include "tests/unit/catch.h"

namespace vml::boot {
namespace {

using namespace test;

class Guest {
  public:
    Guest& see(const std::string& frame) {
        const auto packet = decode_frame(bytes_of(frame));
        REQUIRE(packet);
        at_ += 0.5;
        news = fetches.see(at_, packet->source == guest, *packet);
        return *this;
    }
    // A connection to port 80 and a request on it.
    Guest& get(const std::string& path, unsigned port = 5000) {
        return see(tcp(true, port, 80, 100, syn))
            .see(tcp(false, port, 80, 1000, syn | ack))
            .see(tcp(true, port, 80, 101, ack, "GET " + path + " HTTP/1.1\r\nHost: boot.example\r\n\r\n"));
    }
    [[nodiscard]] const Fetch& only() const {
        REQUIRE(fetches.all().size() == 1);
        return fetches.all().front();
    }

    Fetches fetches;
    std::optional<std::size_t> news;

  private:
    double at_ = 0;
};

std::string request(const std::string& file) {
    return be16(1) + file + std::string{"\0octet\0", 7};
}
std::string block(unsigned number, std::size_t size, char fill = 'x') {
    return be16(3) + be16(number) + std::string(size, fill);
}

TEST_CASE("TFTP: blocks are counted, the last one is shorter, a block sent twice counts once") {
    Guest g;
    g.see(udp(true, 2000, 69, request("boot.ipxe")));
    CHECK(g.only().url == "tftp://10.0.0.1/boot.ipxe");
    CHECK(g.only().state == FetchState::asked);
    g.see(udp(false, 3000, 2000, block(1, 512))).see(udp(false, 3000, 2000, block(1, 512)));
    CHECK(g.only().received == 512);
    const double latest = g.only().latest;
    g.see(udp(false, 3000, 2000, block(1, 512)));
    CHECK(g.only().latest == latest);  // that is no progress
    g.see(udp(false, 3000, 2000, block(2, 10)));
    CHECK(g.only().received == 522);
    CHECK(g.only().state == FetchState::done);
    CHECK(g.only().ended);
    CHECK(speed_of(g.only()) > 0);
}

TEST_CASE("TFTP: block numbers wrap, and the block size is negotiated") {
    Guest g;
    g.see(udp(true, 2000, 69, request("big")));
    g.see(udp(false, 3000, 2000, be16(6) + std::string{"blksize\0001024\0tsize\00067107865\0", 28}));
    for (unsigned number = 1; number <= 65535; number += 15) {
        g.see(udp(false, 3000, 2000, block(number, 1024)));
    }
    g.see(udp(false, 3000, 2000, block(65535, 1024))).see(udp(false, 3000, 2000, block(0, 1024)));
    g.see(udp(false, 3000, 2000, block(1, 1)));
    CHECK(g.only().received == std::uint64_t{65536} * 1024 + 1);
    CHECK(g.only().state == FetchState::done);
    CHECK(g.only().expected == 67107865U);
}

TEST_CASE("TFTP: a server's refusals, and its silence") {
    Guest g;
    g.see(udp(true, 2000, 69, request("a"))).see(udp(false, 3000, 2000, be16(5) + be16(2) + "denied"));
    CHECK(g.only().fault == FetchFault::access_denied);
    CHECK(g.only().words == "denied");
    Guest silent;
    silent.see(udp(true, 2000, 69, request("a"))).see(udp(true, 2001, 69, request("a")));
    CHECK(silent.only().repeats == 1);
    CHECK(silent.only().state == FetchState::asked);
}

TEST_CASE("TFTP: nobody listens, said again and again, is one fetch") {
    Guest g;
    for (int turn = 0; turn < 3; ++turn) {
        g.see(udp(true, 2000, 69, request("a")));
        g.see(ipv4(false, 1,
                   std::string{"\x03\x03\0\0\0\0\0\0", 8} + udp(true, 2000, 69, request("a")).substr(14)));
    }
    CHECK(g.only().fault == FetchFault::refused);
    CHECK(g.only().repeats == 2);
}

TEST_CASE("TFTP: a client that only asks for the size fetches nothing") {
    Guest g;
    g.see(udp(true, 2000, 69, request("a")))
        .see(udp(false, 3000, 2000, be16(6) + std::string{"tsize\0005\0", 8}));
    g.see(udp(true, 2000, 3000, be16(5) + be16(8) + "aborted"));
    CHECK(g.only().protocol == "tftp-size");
    CHECK(g.only().state == FetchState::done);
}

TEST_CASE("HTTP: status, length, content, and the end by the announced length") {
    Guest g;
    g.get("/boot.ipxe");
    CHECK(g.only().url == "http://boot.example/boot.ipxe");
    g.see(tcp(false, 5000, 80, 1001, ack, "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n#!ipxe\n"));
    CHECK(g.only().status == 200);
    CHECK(g.only().expected == 12U);
    CHECK(g.only().received == 7);
    CHECK(g.only().content == Content::ipxe_script);
    CHECK(g.only().state == FetchState::receiving);
    const std::uint32_t next = 1001 + 39 + 7;
    g.see(tcp(false, 5000, 80, next, ack, "exit\n")).see(tcp(false, 5000, 80, next, ack, "exit\n"));
    CHECK(g.only().received == 12);
    CHECK(g.only().state == FetchState::done);
}

TEST_CASE("HTTP: a header in two segments, and a body that comes alone") {
    Guest g;
    g.get("/k").see(tcp(false, 5000, 80, 1001, ack, "HTTP/1.1 200 OK\r\nContent-Le"));
    g.see(tcp(false, 5000, 80, 1027, ack, "ngth: 4\r\n\r\n")).see(tcp(false, 5000, 80, 1038, ack, "MZxx"));
    CHECK(g.only().received == 4);
    CHECK(g.only().content == Content::efi_other);
    CHECK(g.only().state == FetchState::done);
}

TEST_CASE("HTTP: refusals by status") {
    struct Row {
        const char* status;
        FetchFault fault;
    };
    const Row row =
        GENERATE(Row{"404 Not Found", FetchFault::not_found}, Row{"403 Forbidden", FetchFault::access_denied},
                 Row{"401 Unauthorized", FetchFault::access_denied},
                 Row{"418 Teapot", FetchFault::client_error}, Row{"503 Busy", FetchFault::server_error});
    Guest g;
    g.get("/k").see(tcp(false, 5000, 80, 1001, ack,
                        std::string{"HTTP/1.1 "} + row.status + "\r\nContent-Length: 0\r\n\r\n"));
    CHECK(g.only().state == FetchState::failed);
    CHECK(g.only().fault == row.fault);
    CHECK(g.only().words == std::string{"HTTP/1.1 "} + row.status);
}

TEST_CASE("HTTP: sent on elsewhere, asked for the head only, several on one connection") {
    Guest g;
    g.get("/a").see(tcp(false, 5000, 80, 1001, ack,
                        "HTTP/1.1 302 Found\r\nLocation: http://x/b\r\nContent-Length: 0\r\n\r\n"));
    CHECK(g.only().location == "http://x/b");
    CHECK(g.only().state == FetchState::done);
    g.see(tcp(true, 5000, 80, 200, ack, "HEAD /b HTTP/1.1\r\nHost: x\r\n\r\n"));
    g.see(tcp(false, 5000, 80, 1075, ack, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"));
    REQUIRE(g.fetches.all().size() == 2);
    CHECK(g.fetches.all()[1].protocol == "http-head");
    CHECK(g.fetches.all()[1].state == FetchState::done);
    CHECK(g.fetches.all()[1].url == "http://x/b");
}

TEST_CASE("HTTP: broken off by the server, by the guest, refused, unanswered") {
    Guest cut;
    cut.get("/k").see(tcp(false, 5000, 80, 1001, ack, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"));
    cut.see(tcp(false, 5000, 80, 1044, fin | ack));
    CHECK(cut.only().fault == FetchFault::truncated);
    CHECK(cut.only().received == 3);
    Guest left;
    left.get("/k").see(tcp(false, 5000, 80, 1001, ack, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"));
    left.see(tcp(true, 5000, 80, 200, rst));
    CHECK(left.only().fault == FetchFault::given_up);
    Guest refused;
    refused.see(tcp(true, 5000, 80, 100, syn)).see(tcp(false, 5000, 80, 0, rst | ack));
    CHECK(refused.only().fault == FetchFault::refused);
    Guest alone;
    alone.see(tcp(true, 5000, 80, 100, syn)).see(tcp(true, 5000, 80, 100, syn));
    CHECK(alone.only().state == FetchState::asked);
    CHECK(alone.only().repeats == 1);
}

TEST_CASE("HTTP: edk2 names the host without its port") {
    const auto url_of = [](unsigned port, const std::string& host) {
        Guest g;
        g.see(tcp(true, 5000, port, 100, syn)).see(tcp(false, 5000, port, 1000, syn | ack));
        g.see(tcp(true, 5000, port, 101, ack, "HEAD /k HTTP/1.1\r\nHost: " + host + "\r\n\r\n"));
        return g.only().url;
    };
    CHECK(url_of(80, "h") == "http://h/k");
    CHECK(url_of(8080, "h") == "http://h:8080/k");
    CHECK(url_of(8080, "h:8080") == "http://h:8080/k");
    CHECK(url_of(8080, "[fd77::1]") == "http://[fd77::1]:8080/k");
    CHECK(url_of(8080, "[fd77::1]:8080") == "http://[fd77::1]:8080/k");
    CHECK(url_of(8080, "") == "http://10.0.0.1:8080/k");
}

TEST_CASE("HTTP: what is no request line") {
    const auto protocol_of = [](const std::string& bytes) {
        Guest g;
        g.see(tcp(true, 5000, 21, 100, syn)).see(tcp(false, 5000, 21, 1000, syn | ack));
        g.see(tcp(true, 5000, 21, 101, ack, bytes));
        return g.only().protocol;
    };
    CHECK(protocol_of("RETR /k\r\n") == "ftp");
    CHECK(protocol_of("GET") == "ftp");
    CHECK(protocol_of("") == "ftp");
    CHECK(protocol_of(" / HTTP/1.1\r\n") == "ftp");
    CHECK(protocol_of("PROPFIND /k HTTP/1.1\r\n\r\n") == "http");
    CHECK(protocol_of("GET /" + std::string(1400, 'k')) ==
          "http");  // the rest of the line is in the next segment
}

TEST_CASE("HTTP: a request that is sent again is the same") {
    Guest g;
    g.get("/k").see(tcp(true, 5000, 80, 101, ack, "GET /k HTTP/1.1\r\nHost: boot.example\r\n\r\n"));
    CHECK(g.only().state == FetchState::asked);
    CHECK(g.only().repeats == 1);
}

std::string ranged(unsigned first, unsigned last) {
    return "GET /disk.img HTTP/1.1\r\nHost: boot.example\r\nRange: bytes=" + std::to_string(first) + "-" +
           std::to_string(last) + "\r\n\r\n";
}

TEST_CASE("HTTP: a file that is read piece by piece is one fetch, over one connection or many") {
    Guest g;
    unsigned news = 0;
    std::uint32_t next = 1001;
    for (unsigned piece = 0; piece < 600; ++piece) {
        const unsigned port = piece < 300 ? 5000 : 5000 + piece;
        if (piece == 0 || piece >= 300) {
            next = 1001;
            g.see(tcp(true, port, 80, 100, syn)).see(tcp(false, port, 80, 1000, syn | ack));
        }
        g.see(tcp(true, port, 80, 101, ack, ranged(4 * piece, 4 * piece + 3)));
        news += piece > 0 && g.news ? 1U : 0U;
        const std::string answer = "HTTP/1.1 206 Partial Content\r\nContent-Length: 4\r\n\r\nMZxx";
        g.see(tcp(false, port, 80, next, ack, answer));
        news += piece > 0 && g.news ? 1U : 0U;
        next += static_cast<std::uint32_t>(answer.size());
    }
    CHECK(g.only().ranges == 600);
    CHECK(g.only().received == 2400);
    CHECK(g.only().url == "http://boot.example/disk.img");
    CHECK(g.only().state == FetchState::done);
    CHECK(news == 0);
    g.see(tcp(true, 9000, 80, 100, syn)).see(tcp(false, 9000, 80, 1000, syn | ack));
    g.see(tcp(true, 9000, 80, 101, ack, ranged(0, 3)));
    g.see(tcp(false, 9000, 80, 1001, ack, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"));
    CHECK(g.only().state == FetchState::failed);
    CHECK(g.only().fault == FetchFault::server_error);
}

TEST_CASE("HTTP: chunks are not the file's bytes") {
    Guest g;
    g.get("/s").see(
        tcp(false, 5000, 80, 1001, ack,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\n#!i\r\n6;x=y\r\npxe\nec\r\n"));
    CHECK(g.only().content == Content::ipxe_script);
    CHECK(g.only().state == FetchState::receiving);
    g.see(tcp(false, 5000, 80, 1076, ack, "2\r\nho\r\n0\r\n\r\n"));
    CHECK(g.only().state == FetchState::done);
    Guest cut;  // the last chunk was not seen
    cut.get("/s").see(tcp(false, 5000, 80, 1001, ack,
                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n#!ipxe\nec\r\n"));
    cut.see(tcp(false, 5000, 80, 1090, fin | ack));
    CHECK(cut.only().state == FetchState::done);
}

TEST_CASE("TFTP: a kernel shows behind the first 512 bytes, on another port too") {
    Guest g;
    std::string kernel(600, 'x');
    kernel.replace(0, 2, "MZ");
    kernel.replace(0x202, 4, "HdrS");
    g.see(udp(true, 2000, 6969, request("k")));
    CHECK(g.only().url == "tftp://10.0.0.1:6969/k");
    g.see(udp(false, 3000, 2000, be16(3) + be16(1) + kernel.substr(0, 512)));
    CHECK(g.only().content == Content::efi_other);
    g.see(udp(false, 3000, 2000, be16(3) + be16(1) + kernel.substr(0, 512)));
    g.see(udp(false, 3000, 2000, be16(3) + be16(2) + kernel.substr(512)));
    CHECK(g.only().content == Content::x86_kernel);
    CHECK(g.only().state == FetchState::done);
    Guest other;  // two bytes that look like a request are none
    other.see(udp(true, 2000, 9999, be16(1) + std::string{"x\0y\0", 4}));
    CHECK(other.fetches.all().empty());
}

TEST_CASE("iSCSI, and a port that tells nothing") {
    Guest g;
    g.see(tcp(true, 5000, 3260, 100, syn)).see(tcp(false, 5000, 3260, 1000, syn | ack));
    g.see(tcp(true, 5000, 3260, 101, ack, std::string(48, '\x43')));
    g.see(tcp(false, 5000, 3260, 1001, ack, std::string(48, '\x23')));
    CHECK(g.only().protocol == "iscsi");
    CHECK(g.only().url == "iscsi://10.0.0.1/");
    CHECK(g.only().received == 48);
    Guest odd;
    odd.see(tcp(true, 5000, 81, 100, syn)).see(tcp(false, 5000, 81, 0, rst | ack));
    CHECK(odd.only().protocol == "tcp");
    CHECK(odd.only().fault == FetchFault::refused);
}

TEST_CASE("iPXE's word for a file whose last packets were not seen") {
    Guest g;
    g.get("/initrd").see(
        tcp(false, 5000, 80, 1001, ack, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789"));
    CHECK(g.only().state == FetchState::receiving);
    CHECK_FALSE(g.fetches.said_to_be_done(4, "vmlinuz"));
    CHECK(g.fetches.said_to_be_done(4, "http://boot.example/initrd") == std::optional<std::size_t>{0});
    CHECK(g.only().state == FetchState::done);
    CHECK(g.only().received == 100);
    CHECK(g.only().ended == 4);
    CHECK_FALSE(g.fetches.said_to_be_done(5, "initrd"));
    g.see(tcp(false, 5000, 80, 1050, ack, "its last packets, seen late"));
    CHECK(g.only().received == 100);
    CHECK(g.only().state == FetchState::done);
    CHECK_FALSE(Fetches{}.said_to_be_done(5, "initrd"));
}

TEST_CASE("iPXE's word for a file of which, behind a large one, no packet was seen") {
    const auto after = [](unsigned length) {
        Guest g;
        g.get("/a/boot.ipxe")
            .see(tcp(false, 5000, 80, 1001, ack, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n#!ipxe\n"));
        g.see(udp(true, 2000, 69, request("blob")))
            .see(udp(false, 3000, 2000, be16(6) + std::string{"blksize\00065000\0", 14}));
        for (unsigned number = 1; number * 65000 <= length; ++number) {
            g.see(udp(false, 3000, 2000, block(number, 65000)));
        }
        g.see(udp(false, 3000, 2000, block(length / 65000 + 1, 5)));
        REQUIRE(g.fetches.all().back().state == FetchState::done);
        return g;
    };
    Guest g = after(2000000);
    CHECK_FALSE(g.fetches.said_to_be_done(99, "tftp://10.0.0.1/blob"));  // it was seen
    REQUIRE(g.fetches.said_to_be_done(99, "tftp://10.0.0.1/note") == std::optional<std::size_t>{2});
    const Fetch note = g.fetches.all().back();
    CHECK(note.by_console);
    CHECK(note.state == FetchState::done);
    CHECK(note.protocol == "tftp");
    CHECK(note.server == g.fetches.all()[1].server);
    Guest relative = after(2000000);
    CHECK(relative.fetches.said_to_have_failed(99, "note", 0x2d0c613b));
    CHECK(relative.fetches.all().back().url == "http://boot.example/a/note");
    CHECK(relative.fetches.all().back().fault == FetchFault::not_found);
    CHECK(relative.fetches.all().back().words == "HTTP 404: the server has no such file");
    CHECK_FALSE(after(2000000).fetches.said_to_be_done(99, "https://h/x"));  // TLS hides its names
    CHECK_FALSE(after(100000).fetches.said_to_be_done(99, "note"));          // no reason to miss one
}

TEST_CASE("HTTP without a length ends with the connection") {
    Guest g;
    g.get("/k")
        .see(tcp(false, 5000, 80, 1001, ack, "HTTP/1.0 200 OK\r\n\r\nabc"))
        .see(tcp(false, 5000, 80, 1023, fin | ack));
    CHECK(g.only().state == FetchState::done);
    CHECK(g.only().received == 3);
}

TEST_CASE("TLS: the name, and an alert before anything is secret") {
    Guest g;
    g.see(tcp(true, 5000, 443, 100, syn)).see(tcp(false, 5000, 443, 1000, syn | ack));
    std::string hello = std::string{"\x16\x03\x01\0\0\x01\0\0\0\x03\x03", 11} + std::string(32, 'r') +
                        std::string{"\0", 1} + be16(2) + be16(0x2F) + std::string{"\1\0", 2};
    const std::string name = "boot.example";
    const auto length = static_cast<unsigned>(name.size());
    hello += be16(length + 9) + be16(0) + be16(length + 5) + be16(length + 3) + std::string{"\0", 1} +
             be16(length) + name;
    g.see(tcp(true, 5000, 443, 101, ack, hello));
    CHECK(g.only().url == "https://boot.example/");
    g.see(tcp(false, 5000, 443, 1001, ack, std::string{"\x15\x03\x03\0\x02\x02\x28", 7}));
    CHECK(g.only().fault == FetchFault::tls_alert);
    CHECK(g.only().words == "handshake_failure");
}

TEST_CASE("names that were looked up") {
    Guest g;
    const auto dns = [](bool from_guest, unsigned flags, unsigned answers, const std::string& name) {
        const std::string question =
            std::string{static_cast<char>(name.size())} + name + std::string{"\0", 1} + be16(1) + be16(1);
        return udp(from_guest, from_guest ? 4000 : 53, from_guest ? 53 : 4000,
                   be16(5) + be16(flags) + be16(1) + be16(answers) + be32(0) + question);
    };
    g.see(dns(true, 0x0100, 0, "good")).see(dns(false, 0x8180, 1, "good")).see(dns(true, 0x0100, 0, "bad"));
    g.see(dns(false, 0x8183, 0, "bad")).see(dns(true, 0x0100, 0, "mute"));
    const auto& lookups = g.fetches.lookups();
    REQUIRE(lookups.size() == 3);
    CHECK(lookups[0].found);
    CHECK(lookups[1].answered);
    CHECK_FALSE(lookups[1].found);
    CHECK(lookups[1].rcode == 3);
    CHECK_FALSE(lookups[2].answered);
}

TEST_CASE("memory stays bounded") {
    Guest g;
    for (unsigned i = 0; i < Fetches::most_fetches + 50; ++i) {
        g.see(udp(true, 2000 + i, 69, request("file" + std::to_string(i))));
        g.see(tcp(true, 3000 + i, 80, 1, syn));
    }
    CHECK(g.fetches.all().size() == Fetches::most_fetches);
    // The latest is never lost.
    g.see(udp(true, 9000, 69, request("last")));
    CHECK(g.fetches.all().size() == Fetches::most_fetches);
    CHECK(g.fetches.all().back().url == "tftp://10.0.0.1/last");
    g.see(udp(false, 3000, 9000, block(1, 3)));
    CHECK(g.fetches.all().back().state == FetchState::done);
}

}  // namespace
}  // namespace vml::boot
