// iPXE's error numbers, as iPXE printed them in real boots, in words.
#include "bootwatch/ipxe_error.h"
#include "tests/unit/catch.h"

namespace vml::boot {
namespace {

TEST_CASE("a number in a line, in each of iPXE's ways") {
    CHECK(ipxe_error_in("x (http://ipxe.org/040ee119)") == 0x040ee119U);
    CHECK(ipxe_error_in("x (https://ipxe.org/2e008081)") == 0x2e008081U);
    CHECK(ipxe_error_in("Error 0x3e11613b") == 0x3e11613bU);
    for (const char* line :
         {"iPXE -- http://ipxe.org", "(http://ipxe.org/cmd/chain)", "(http://ipxe.org/2d12", "",
          "(http://ipxe.org/2d12603)", "http://example.org/2d12603b"}) {
        CAPTURE(line);
        CHECK(ipxe_error_in(line) == std::nullopt);
    }
}

TEST_CASE("its parts") {
    CHECK(split_ipxe_error(0x040ee119) == IpxeError{0x04, 0x0ee0, 1, 0x19});
    CHECK(split_ipxe_error(0x2d12603b) == IpxeError{0x2d, 0x1260, 0, 0x3b});
}

TEST_CASE("errors that were seen, explained") {
    CHECK(explain_ipxe_error(0x040ee119) == "no DHCP server and no router gave an address");
    CHECK(explain_ipxe_error(0x2d03e13b) == "DHCP named no file and no script to boot");
    CHECK(explain_ipxe_error(0x2d12603b) == "the TFTP server has no such file");
    CHECK(explain_ipxe_error(0x4c126035) == "the TFTP server does not answer");
    CHECK(explain_ipxe_error(0x2d0c613b) == "HTTP 404: the server has no such file");
    CHECK(explain_ipxe_error(0x0f0a6039) == "the server reset the connection");
    CHECK(explain_ipxe_error(0x3e11613b) == "DNS knows no such name");
    CHECK(explain_ipxe_error(0x2e008081) == "this iPXE knows no program or script in what was fetched");
}

TEST_CASE("an error without an entry of its own is put together from its parts; anything is welcome") {
    CHECK(explain_ipxe_error(0x0a0c6001) == "device busy, says HTTP");
    CHECK(explain_ipxe_error(0x4c0c6001) == "timed out, says HTTP");
    CHECK(explain_ipxe_error(0x31ffff00) == "not enough memory");
    for (std::uint32_t number = 0; number < 0xff000000U; number += 0x00ffff1fU) {
        CHECK_FALSE(explain_ipxe_error(number).empty());
    }
}

TEST_CASE("the questions that verdicts ask") {
    CHECK(is_exec_format(0x2e008081));
    CHECK_FALSE(is_exec_format(0x2d12603b));
    CHECK(is_nothing_to_boot(0x2d03e13b));
    CHECK_FALSE(is_nothing_to_boot(0x2d12603b));
    CHECK(is_no_address(0x040ee186));
    CHECK_FALSE(is_no_address(0x04016119));
}

}  // namespace
}  // namespace vml::boot
