// --dhcp-option N=VALUE as users write it.
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <fmt/format.h>

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

TEST_CASE("a DHCP option whose shape is known has that shape") {
    // edk2 drops the whole message for one that has not.
    struct Row {
        int code;
        std::string_view right;
        std::string_view wrong;
    };
    const auto row = GENERATE(
        Row{1, "ip:255.0.0.0", "ip:1.2.3.4,5.6.7.8"}, Row{2, "u32:3600", "u16:3600"},
        Row{3, "ip:10.0.0.1", "hex:0A000001FF"}, Row{11, "ip:10.0.0.1,10.0.0.2", "u16:1"},
        Row{16, "ip:10.0.0.1", "10.0"}, Row{19, "u8:1", "u8:2"}, Row{20, "u8:0", "u16:0"},
        Row{21, "ip:10.0.0.0,255.0.0.0", "ip:10.0.0.0"}, Row{22, "u16:576", "u8:1"},
        Row{23, "u8:64", "u16:64"}, Row{24, "u32:60", "u8:60"}, Row{25, "hex:00440128", "hex:004401"},
        Row{26, "u16:1500", "u32:1500"}, Row{27, "u8:0", "0"}, Row{28, "ip:10.0.0.255", "u8:1"},
        Row{31, "u8:1", "hex:0101"}, Row{32, "ip:10.0.0.1", "ip:10.0.0.1,10.0.0.2"},
        Row{33, "ip:10.0.0.9,10.0.0.1", "ip:10.0.0.9,10.0.0.1,10.0.0.2"}, Row{34, "u8:1", "u8:3"},
        Row{35, "u32:60", "u16:60"}, Row{36, "u8:1", "u8:9"}, Row{37, "u8:64", "u32:64"},
        Row{38, "u32:60", "60"}, Row{39, "u8:0", "u8:255"}, Row{41, "ip:10.0.0.1", "hex:0A"},
        Row{42, "ip:192.0.2.1", "192.0.2.1"}, Row{42, "ip:192.0.2.1", "192.168.1.10"},
        Row{44, "ip:10.0.0.1", "abc"}, Row{45, "ip:10.0.0.1", "abcd"}, Row{46, "u8:8", "u16:8"},
        Row{48, "ip:10.0.0.1", "u16:1"}, Row{49, "ip:10.0.0.1", "u16:1"}, Row{65, "ip:10.0.0.1", "u16:1"},
        Row{68, "ip:10.0.0.1", "u16:1"}, Row{76, "ip:10.0.0.1", "u16:1"},
        Row{121, "hex:00C0000201", "hex:00C00002"});
    CAPTURE(row.code, row.right, row.wrong);
    CHECK(option_refusal(fmt::format("{}={}", row.code, row.right)) == "nothing");
    CHECK(contains(option_refusal(fmt::format("{}={}", row.code, row.wrong)),
                   fmt::format(" has option {}", row.code)));
}

TEST_CASE("a DHCP option of no known shape is as it is given") {
    for (const int code : {12, 14, 15, 17, 18, 40, 43, 47, 62, 64, 66, 119, 209, 210, 224}) {
        CHECK(option_refusal(fmt::format("{}=192.0.2.1", code)) == "nothing");
    }
    CHECK(option_refusal("175.3=192.0.2.1") == "nothing");  // iPXE's own are numbered by themselves
}

TEST_CASE("who gave a DHCP option as text is told how it is written") {
    const auto hint = [](std::string_view text) {
        try {
            std::ignore = parse_dhcp_option(text);
        } catch (const ValueError& error) {
            return error.hint();
        }
        return "nothing"s;
    };
    CHECK(hint("ntp-servers=192.0.2.1") == "write ntp-servers=ip:192.0.2.1");
    CHECK(hint("6=192.0.2.1, 192.0.2.2") == "write 6=ip:192.0.2.1, 192.0.2.2");
    CHECK(hint("26=1500") == "write 26=u16:1500");
    CHECK(hint("19=1") == "write 19=u8:1");
    CHECK(hint("19=on") == "write 19=u8:…");
    CHECK(hint("ntp-servers=pool.example") == "write ntp-servers=ip:…");
    CHECK(hint("121=x") == "write 121=hex:…");
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
