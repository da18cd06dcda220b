// The server's side of a transfer by TFTP.
#include <string>
#include <vector>

#include "netserve/tftp_transfer.h"
#include "tests/unit/catch.h"

namespace vml::serve {
namespace {

using namespace std::string_literals;
using Datagrams = std::vector<std::string>;

constexpr std::size_t most = 1468;

std::string wish(const std::string& options = "") {
    return "\0\x01"s + "a/b\0octet\0"s + options;
}

std::string acknowledged(unsigned block) {
    return "\0\x04"s + static_cast<char>(block >> 8U) + static_cast<char>(block);
}

TftpTransfer transfer(const std::string& options, const std::string& content) {
    return {read_tftp(wish(options), most).value(), content.size(),
            [content](std::uint64_t offset, std::size_t count) { return content.substr(offset, count); }};
}

TEST_CASE("what a read request says") {
    const auto plain = read_tftp(wish(), most);
    REQUIRE(plain);
    CHECK(plain->name == "a/b");
    CHECK(plain->block == 512);
    const auto full = read_tftp(
        wish("BLKSIZE\0"s + "9000\0tsize\0"s + "0\0windowsize\0"s + "4\0timeout\0"s + "3\0"s), most);
    CHECK(full->block == most);
    CHECK(full->window == 4);
    CHECK(full->agreed == std::vector{"BLKSIZE"s, "tsize"s, "windowsize"s});
    CHECK_FALSE(read_tftp("\0\x01"s + "a\0netascii\0"s, most)->octet);
}

TEST_CASE("what is no read request") {
    for (const std::string& bad : {""s, "\0"s, "\0\x01"s, "\0\x02"s + "a\0octet\0"s, "\0\x01"s + "a\0octet"s,
                                   "\0\x01"s + "\0octet\0"s, "\0\x01"s + "a\0"s, acknowledged(1)}) {
        CHECK_FALSE(read_tftp(bad, most));
    }
    CHECK(read_tftp(wish("blksize\0"s + "4\0"s), most)->block == 512);    // too small
    CHECK(read_tftp(wish("blksize\0"s + "x\0"s), most)->agreed.empty());  // no number
    CHECK(read_tftp(wish("blksize\0"s), most)->agreed.empty());           // without its value
}

TEST_CASE("a file goes block by block, each once it was acknowledged, and ends with a shorter one") {
    TftpTransfer sent = transfer("", std::string(512, 'x') + "y");
    CHECK(sent.begin() == Datagrams{"\0\x03\0\x01"s + std::string(512, 'x')});
    CHECK(sent.hear(acknowledged(0)).empty());  // of nothing
    CHECK(sent.hear(acknowledged(2)).empty());  // of what was not sent
    CHECK(sent.hear(acknowledged(1)) == Datagrams{"\0\x03\0\x02y"s});
    CHECK(sent.hear(acknowledged(1)).empty());  // a second time: it would double what follows
    CHECK(sent.repeat() == Datagrams{"\0\x03\0\x02y"s});
    CHECK(sent.hear(acknowledged(2)).empty());
    CHECK(sent.is_over());
}

TEST_CASE("a file that fills its last block is followed by an empty one") {
    TftpTransfer sent = transfer("", std::string(512, 'x'));
    (void)sent.begin();
    CHECK(sent.hear(acknowledged(1)) == Datagrams{"\0\x03\0\x02"s});
}

TEST_CASE("options are agreed on before the first block") {
    TftpTransfer sent = transfer("tsize\0"s + "0\0blksize\0"s + "8\0"s, "0123456789");
    CHECK(sent.begin() == Datagrams{"\0\x06tsize\0"s + "10\0blksize\0"s + "8\0"s});
    CHECK(sent.hear(acknowledged(1)).empty());
    CHECK(sent.hear(acknowledged(0)) == Datagrams{"\0\x03\0\x01"s + "01234567"});
}

TEST_CASE("a window's lost blocks come again from the first one that is missing") {
    TftpTransfer sent = transfer("blksize\0"s + "8\0windowsize\0"s + "3\0"s, std::string(40, 'x'));
    (void)sent.begin();
    CHECK(sent.hear(acknowledged(0)).size() == 3);
    const Datagrams again = sent.hear(acknowledged(1));  // the second was lost
    CHECK(again.size() == 3);
    CHECK(again.front().substr(0, 4) == "\0\x03\0\x02"s);
    CHECK(sent.hear(acknowledged(1)).front().substr(0, 4) == "\0\x03\0\x02"s);
}

TEST_CASE("blocks are counted anew behind 65535") {
    constexpr std::size_t blocks = 65537;
    TftpTransfer sent = transfer("blksize\0"s + "8\0"s, std::string(8 * blocks, 'x'));
    (void)sent.begin();
    Datagrams next = sent.hear(acknowledged(0));
    for (std::size_t block = 1; block <= blocks; ++block) {
        REQUIRE(next.size() == 1);
        next = sent.hear(acknowledged(block & 0xFFFFU));
    }
    CHECK(next == Datagrams{"\0\x03\0\x02"s});
    CHECK(sent.hear(acknowledged(2)).empty());
    CHECK(sent.is_over());
}

TEST_CASE("a client that gives up, and a file that has become shorter, end it") {
    TftpTransfer given_up = transfer("", std::string(600, 'x'));
    (void)given_up.begin();
    CHECK(given_up.hear(tftp_error(TftpError::other, "no")).empty());
    CHECK(given_up.is_over());
    TftpTransfer cut{read_tftp(wish(), most).value(), 600, [](std::uint64_t, std::size_t) { return ""s; }};
    CHECK(cut.begin().front().starts_with("\0\x05"s));
    CHECK(cut.is_over());
}

}  // namespace
}  // namespace vml::serve
