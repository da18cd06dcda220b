// --dhcp-option N=VALUE as users write it.
#include <string>
#include <tuple>
#include <vector>

#include "launcher/settings/dhcp_option.h"
#include "launcher/settings/values.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using namespace std::string_literals;
using test::contains;

std::string option_refusal(const std::string& text) {
    try {
        std::ignore = parse_dhcp_option(text);
    } catch (const ValueError& error) {
        return error.what();
    }
    return "nothing";
}

TEST_CASE("a DHCP option by number, by name, and inside of iPXE's own") {
    CHECK(parse_dhcp_option("209=a=b, c") == DhcpOption{209, std::nullopt, "a=b, c"});
    CHECK(parse_dhcp_option("path-prefix=/x/") == DhcpOption{210, std::nullopt, "/x/"});
    CHECK(parse_dhcp_option("175.83=u8:1") == DhcpOption{175, 83, "\1"});
    CHECK(parse_dhcp_option("43=hex:06:01:0aff") == DhcpOption{43, std::nullopt, "\x06\x01\x0a\xff"});
    CHECK(parse_dhcp_option("ntp-servers=ip:192.0.2.1,10.0.0.255").value == "\xC0\0\2\1\x0A\0\0\xFF"s);
    CHECK(parse_dhcp_option("211=u32:258").value == "\0\0\1\2"s);
    CHECK(parse_dhcp_option("224=u16:258").value == "\1\2"s);
    CHECK(to_string(parse_dhcp_option("209=x")) == "209 (config-file)");
    CHECK(to_string(parse_dhcp_option("175.83=x")) == "175.83");
}

TEST_CASE("a DHCP option that cannot be right") {
    for (const char* const text : {"209", "0=x", "255=x", "256=x", "path=x", "209.1=x", "209=", "43=hex:1",
                                   "43=hex:0g", "6=ip:1.2.3", "211=u8:256", "211=u32:x", "175=x"}) {
        CAPTURE(text);
        CHECK(contains(option_refusal(text), "invalid value"));
    }
    CHECK(contains(option_refusal("53=u8:1"), "what kind of message"));
    CHECK(contains(option_refusal("51=u32:60"), "it is of the address, not of what boots"));
    CHECK(contains(option_refusal("67=x"), "as --bootfile does"));
    CHECK(contains(option_refusal("13=u16:9"), "does not ask how long that is"));
    CHECK(contains(option_refusal("175.1=u8:127"), "pass vm-launch's own offer over"));
    CHECK(contains(option_refusal("209=" + std::string(256, 'x')), "1 to 255 bytes"));
}

TEST_CASE("DHCP options: repeated, numbered in the environment, a list in the file") {
    const auto codes = [](const ReadResult& read) {
        std::vector<int> all;
        for (const DhcpOption& option : read.settings.dhcp_options) {
            all.push_back(option.code);
        }
        return all;
    };
    const auto by_env = [](const Environment& environment) {
        return test::read_settings({}, environment, [](const std::string&) { return std::string{}; });
    };
    CHECK(codes(test::read_flags({"--dhcp-option=209=x", "--dhcp-option", "210=y"})) ==
          std::vector{209, 210});
    CHECK(codes(by_env({{"DHCP_OPTION", "209=x"}, {"DHCP_OPTION2", "210=y"}})) == std::vector{209, 210});
    const std::vector<Fault> gap = by_env({{"DHCP_OPTION", "209=x"}, {"DHCP_OPTION3", "210=y"}}).faults;
    REQUIRE(gap.size() == 1);
    CHECK(contains(to_text(gap.front()), "there is no DHCP_OPTION2"));
}

}  // namespace
}  // namespace vml
