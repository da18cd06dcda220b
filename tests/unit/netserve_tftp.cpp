// The TFTP server against the texts that define it: RFC 1350, 2347 to 2349 and 7440; and clients that mean
// harm.
#include <cerrno>
#include <chrono>
#include <string>
#include <vector>

#include "bootwatch/packet.h"
#include "netserve/frame_bytes.h"
#include "netserve/tftp_server.h"
#include "netserve/udp_frame.h"
#include "tests/unit/catch.h"

namespace vml::serve::tftp_tests {
namespace {

using namespace std::string_literals;
using std::chrono::seconds;

using Tftp = TftpServer<UdpEnd>;

constexpr UdpEnd client{{10, 77, 0, 50}, 2070};

std::string content(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
        text[i] = static_cast<char>(i * 7 + i / 256);
    }
    return text;
}

std::string read_request(const std::string& file, const std::vector<std::string>& words = {},
                         const std::string& mode = "octet") {
    std::string text = be16(1) + file + '\0' + mode + '\0';
    for (const std::string& word : words) {
        text += word + '\0';
    }
    return text;
}

std::string ack(unsigned block) {
    return be16(4) + be16(block);
}

std::string data(unsigned block, const std::string& bytes) {
    return be16(3) + be16(block) + bytes;
}

std::string oack(const std::vector<std::string>& words) {
    std::string text = be16(6);
    for (const std::string& word : words) {
        text += word + '\0';
    }
    return text;
}

unsigned error_in(const std::vector<std::string>& answers) {
    REQUIRE(answers.size() == 1);
    const Bytes bytes = bytes_of(answers.front());
    REQUIRE(bytes.be16(0) == 5);
    CHECK(answers.front().back() == '\0');
    return bytes.be16(2);
}

using Answers = std::vector<std::string>;

struct Server {
    std::string file = content(1300);
    bool readable = true;
    std::vector<std::string> asked{};
    std::vector<std::string> lines{};
    Tftp::Time now{};
    Tftp server{{[this](const std::string& name) {
                     asked.push_back(name);
                     return open(name);
                 },
                 1468, [this](const std::string& line) { lines.push_back(line); }}};

    TftpFile open(const std::string& name) const {
        if (name != "boot.efi") {
            return {0, {}, name == "secret" ? EACCES : ENOENT};
        }
        return {file.size(),
                [this](std::uint64_t offset, std::size_t count) -> std::optional<std::string> {
                    return readable ? std::optional{file.substr(offset, count)} : std::nullopt;
                },
                0};
    }
    Answers take(const std::string& payload, const UdpEnd& from = client) {
        return server.take(from, payload, now);
    }
};

// What a client that acknowledges every block gets.
std::string fetched(Server& server, Answers answers, std::size_t block_size) {
    std::string all;
    while (!answers.empty()) {
        unsigned last = 0;
        for (const std::string& answer : answers) {
            const Bytes bytes = bytes_of(answer);
            REQUIRE(bytes.be16(0) == 3);
            last = bytes.be16(2);
            all += answer.substr(4);
            CHECK(answer.size() - 4 <= block_size);
        }
        answers = server.take(ack(last));
    }
    return all;
}

TEST_CASE("a file comes in blocks of 512 bytes, the last of them shorter") {
    Server server;
    CHECK(server.take(read_request("boot.efi")) == Answers{data(1, server.file.substr(0, 512))});
    CHECK(server.take(ack(1)) == Answers{data(2, server.file.substr(512, 512))});
    CHECK(server.take(ack(2)) == Answers{data(3, server.file.substr(1024))});
    CHECK(server.server.transfers() == 1);
    CHECK(server.take(ack(3)).empty());
    CHECK(server.server.transfers() == 0);
    CHECK(server.take(ack(3)).empty());
    CHECK(server.lines == Answers{"tftp: boot.efi: 1300 bytes, 512 bytes a block"});
}

TEST_CASE("a file of whole blocks, and an empty one, end with an empty block") {
    for (const std::size_t blocks : {0U, 2U}) {
        Server server;
        server.file = content(blocks * 512);
        Answers answers = server.take(read_request("boot.efi"));
        for (unsigned number = 1; number <= blocks; ++number) {
            CHECK(answers == Answers{data(number, server.file.substr((number - 1) * 512, 512))});
            answers = server.take(ack(number));
        }
        CHECK(answers == Answers{data(static_cast<unsigned>(blocks) + 1, "")});
        CHECK(server.take(ack(static_cast<unsigned>(blocks) + 1)).empty());
        CHECK(server.server.transfers() == 0);
    }
}

// RFC 2347: what is not known is left out of the answer, names in any case, and block 0 acknowledges it.
TEST_CASE("options are acknowledged first, as far as they are taken") {
    Server server;
    CHECK(server.take(
              read_request("boot.efi", {"TSIZE", "0", "blksize", "1468", "bogus", "1", "timeout", "3"})) ==
          Answers{oack({"tsize", "1300", "blksize", "1468", "timeout", "3"})});
    CHECK(server.take(ack(0)) == Answers{data(1, server.file)});
    CHECK(server.take(ack(1)).empty());
}

TEST_CASE("a block is no larger than a frame has room for, and what makes no sense is not taken") {
    Server server;
    CHECK(server.take(read_request("boot.efi", {"blksize", "65464"})) == Answers{oack({"blksize", "1468"})});
    const std::vector<std::vector<std::string>> senseless{
        {"blksize", "7"},   {"blksize", "x"},    {"blksize", ""},
        {"blksize", "-1"},  {"windowsize", "0"}, {"timeout", "0"},
        {"timeout", "256"}, {"tsize", "x"},      {"blksize", "99999999999999999999999"},
        {"tsize"}};
    for (const auto& words : senseless) {
        CHECK(server.take(read_request("boot.efi", words)) == Answers{data(1, server.file.substr(0, 512))});
    }
    CHECK(server.take(read_request("boot.efi", {"blksize", "100", "blksize", "200"})) ==
          Answers{oack({"blksize", "100"})});
}

// RFC 7440.
TEST_CASE("a window of blocks is on its way at once, and goes on after the block that is acknowledged") {
    Server server;
    server.file = content(10 * 512 + 5);
    CHECK(server.take(read_request("boot.efi", {"windowsize", "4"})) == Answers{oack({"windowsize", "4"})});
    const auto block = [&](unsigned number) {
        return data(number, server.file.substr((number - 1) * 512, 512));
    };
    CHECK(server.take(ack(0)) == Answers{block(1), block(2), block(3), block(4)});
    CHECK(server.take(ack(2)) == Answers{block(3), block(4), block(5), block(6)});  // 3 was lost
    CHECK(server.take(ack(2)).empty());
    CHECK(server.take(ack(6)) == Answers{block(7), block(8), block(9), block(10)});
    CHECK(server.take(ack(10)) == Answers{block(11)});
    CHECK(server.take(ack(11)).empty());
    CHECK(server.server.transfers() == 0);
    CHECK(server.take(read_request("boot.efi", {"windowsize", "65535"})) ==
          Answers{oack({"windowsize", "16"})});
}

TEST_CASE("a file of more than 65535 blocks goes on with block 0") {
    Server server;
    server.file = content(std::size_t{65540} * 8 + 3);
    Answers answers = server.take(read_request("boot.efi", {"blksize", "8", "windowsize", "16"}));
    CHECK(fetched(server, server.take(ack(0)), 8) == server.file);
    CHECK(server.server.transfers() == 0);
}

// The Sorcerer's Apprentice (RFC 1123, 4.2.3.1).
TEST_CASE("an acknowledgement that comes twice, or too early, sends nothing") {
    Server server;
    CHECK(server.take(read_request("boot.efi")).size() == 1);
    CHECK(server.take(ack(2)).empty());
    CHECK(server.take(ack(0)).empty());
    CHECK(server.take(ack(1)).size() == 1);
    CHECK(server.take(ack(1)).empty());
    CHECK(server.take(ack(65535)).empty());
    CHECK(server.server.transfers() == 1);
}

TEST_CASE("what nobody answers comes again, ever later, and ends after a minute") {
    Server server;
    const Answers first = server.take(read_request("boot.efi"));
    REQUIRE(server.server.next_repeat() == server.now + seconds{1});
    CHECK(server.server.repeat(server.now).empty());
    std::vector<long> times;
    while (server.server.next_repeat()) {
        server.now = *server.server.next_repeat();
        for (const auto& sending : server.server.repeat(server.now)) {
            CHECK(sending.client == client);
            if (!sending.payloads.empty()) {
                CHECK(sending.payloads == first);
                times.push_back(std::chrono::duration_cast<seconds>(server.now - Tftp::Time{}).count());
            }
        }
        REQUIRE(times.size() < 100);
    }
    CHECK(times == std::vector<long>{1, 3, 7, 15, 23, 31, 39, 47, 55});
    CHECK(server.server.transfers() == 0);
}

TEST_CASE("the client may say how long to wait, and an answer starts it anew") {
    Server server;
    CHECK(server.take(read_request("boot.efi", {"timeout", "5"})).size() == 1);
    CHECK(server.server.next_repeat() == server.now + seconds{5});
    server.now += seconds{4};
    CHECK(server.take(ack(0)).size() == 1);
    CHECK(server.server.next_repeat() == server.now + seconds{5});
    server.now += seconds{5};
    REQUIRE(server.server.repeat(server.now).size() == 1);
    CHECK(server.server.next_repeat() == server.now + seconds{5});
}

TEST_CASE("a request that comes again is answered again, and another one begins anew") {
    Server server;
    const Answers first = server.take(read_request("boot.efi", {"tsize", "0"}));
    CHECK(server.take(read_request("boot.efi", {"tsize", "0"})) == first);
    CHECK(server.asked.size() == 1);
    CHECK(server.take(read_request("boot.efi")) == Answers{data(1, server.file.substr(0, 512))});
    CHECK(server.asked.size() == 2);
    CHECK(server.take(read_request("boot.efi")) == Answers{data(1, server.file.substr(0, 512))});
    CHECK(server.asked.size() == 2);
    CHECK(server.take(ack(1)).size() == 1);
    CHECK(server.take(read_request("boot.efi")) == Answers{data(1, server.file.substr(0, 512))});
    CHECK(server.server.transfers() == 1);
}

// edk2 asks for the size first, and ends that with an error.
TEST_CASE("an error of the client's ends its transfer, and is not answered") {
    Server server;
    CHECK(server.take(read_request("boot.efi", {"tsize", "0"})).size() == 1);
    CHECK(server.take(be16(5) + be16(0) + "User aborted the transfer" + '\0').empty());
    CHECK(server.server.transfers() == 0);
}

TEST_CASE("what cannot be had is refused, by its reason") {
    Server server;
    CHECK(error_in(server.take(read_request("missing"))) == 1);
    CHECK(error_in(server.take(read_request("secret"))) == 2);
    CHECK(error_in(server.take(read_request(""))) == 1);
    CHECK(error_in(server.take(read_request("///"))) == 1);
    CHECK(error_in(server.take(read_request("boot.efi", {}, "netascii"))) == 0);
    CHECK(error_in(server.take(read_request("boot.efi", {}, "mail"))) == 0);
    CHECK(error_in(server.take(be16(2) + "new\0octet\0"s)) == 2);
    CHECK(server.server.transfers() == 0);
    CHECK(server.lines.front() == "tftp: missing: refused: No such file or directory");
}

TEST_CASE("a file that gets shorter or unreadable on the way is an error, not a shorter file") {
    Server server;
    CHECK(server.take(read_request("boot.efi")).size() == 1);
    server.file.resize(600);
    CHECK(error_in(server.take(ack(1))) == 0);
    CHECK(server.server.transfers() == 0);
    server.file = content(1300);
    server.readable = false;
    CHECK(error_in(server.take(read_request("boot.efi"))) == 0);
    CHECK(server.server.transfers() == 0);
}

TEST_CASE("names are taken as firmware writes them") {
    CHECK(tftp_name("/a/b.efi") == "a/b.efi");
    CHECK(tftp_name("\\a\\b.efi") == "a/b.efi");
    CHECK(tftp_name("//a") == "a");
    CHECK(tftp_name("a//b") == "a//b");
    CHECK(tftp_name("../a") == "../a");  // which the folder refuses
    CHECK(tftp_name("/").empty());
}

TEST_CASE("what is no TFTP at all is told so, and disturbs no transfer") {
    Server server;
    for (const std::string& bytes : {""s, "\0"s, "\0\1"s, "\0\1x"s, "\0\1x\0octet"s, "\0\4"s, "\0\4\0"s,
                                     "\0\7"s, "\0\3\0\1x"s, "\xff\xff"s}) {
        CHECK(error_in(server.take(bytes)) == 4);
    }
    CHECK(server.take(read_request("boot.efi")).size() == 1);
    CHECK(server.take("\0\3\0\1x"s).empty());
    CHECK(server.server.transfers() == 1);
    CHECK(server.take(ack(1)).size() == 1);
}

TEST_CASE("of too many transfers the one that is quiet for the longest is forgotten") {
    Server server;
    const auto from = [](unsigned port) { return UdpEnd{client.address, static_cast<std::uint16_t>(port)}; };
    for (unsigned i = 0; i < Tftp::most_transfers; ++i) {
        server.now += seconds{1};
        CHECK(server.take(read_request("boot.efi"), from(1000 + i)).size() == 1);
    }
    CHECK(server.take(ack(1), from(1000)).size() == 1);  // which is heard again
    for (unsigned i = 0; i < 1000; ++i) {
        CHECK(server.take(read_request("boot.efi"), from(3000 + i)).size() == 1);
        CHECK(server.server.transfers() == Tftp::most_transfers);
        if (i == 0) {
            CHECK(server.take(ack(2), from(1000)).size() == 1);
            CHECK(server.take(ack(1), from(1001)).empty());
        }
    }
}

// The decoder that reads real servers' frames reads what is sent.
TEST_CASE("frames carry datagrams both ways") {
    constexpr Mac guest{0x52, 0x54, 0, 1, 2, 3};
    const std::string payload = data(1, "x");
    const std::string frame =
        udp_frame(FrameEnds<Ip4>{guest, {10, 77, 0, 3}, client.address, 69, client.port, our_mac}, payload);
    const auto packet = boot::decode_frame(bytes_of(frame));
    REQUIRE(packet);
    CHECK(packet->target == guest);
    CHECK(to_string(packet->from.address) == "10.77.0.3");
    CHECK(packet->from.port == 69);
    CHECK(packet->to.port == 2070);
    CHECK(std::get<boot::TftpData>(packet->body).size == 1);
    CHECK(checksum(frame.substr(14, 20)) == 0);
    const auto read = read_udp4(frame);
    REQUIRE(read);
    CHECK(read->payload == payload);
    CHECK(read->ends == FrameEnds<Ip4>{guest, {10, 77, 0, 3}, client.address, 69, client.port, our_mac});
}

TEST_CASE("a frame that is cut, a fragment, or of another protocol carries none") {
    const std::string frame =
        udp_frame(FrameEnds<Ip4>{{}, {10, 77, 0, 3}, client.address, 69, client.port, our_mac}, "payload");
    CHECK(read_udp4(frame));
    const std::string with_padding = frame + std::string(20, '\0');  // Ethernet's
    REQUIRE(read_udp4(with_padding));
    CHECK(read_udp4(with_padding)->payload == "payload");
    for (std::size_t size = 0; size < frame.size(); ++size) {
        CHECK_FALSE(read_udp4(frame.substr(0, size)));
    }
    const auto with = [&](std::size_t at, char byte) {
        std::string changed = frame;
        changed[at] = byte;
        return read_udp4(changed).has_value();
    };
    CHECK_FALSE(with(12, '\x86'));
    CHECK_FALSE(with(14, '\x65'));
    CHECK_FALSE(with(14, '\x44'));
    CHECK_FALSE(with(14, '\x4f'));
    CHECK_FALSE(with(20, '\x20'));
    CHECK_FALSE(with(21, '\x01'));
    CHECK_FALSE(with(23, '\x06'));
    CHECK_FALSE(with(39, '\x07'));
    CHECK_FALSE(with(39, '\x7f'));
}

}  // namespace
}  // namespace vml::serve::tftp_tests
