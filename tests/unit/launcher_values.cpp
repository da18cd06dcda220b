// The text of one setting → its value: what is taken, what is refused, and what the refusal says.
#include <limits>
#include <string>
#include <vector>

#include "launcher/settings/disk_options.h"
#include "launcher/settings/machine_options.h"
#include "launcher/settings/network_options.h"
#include "launcher/settings/nic_options.h"
#include "launcher/settings/run_options.h"
#include "launcher/settings/shell_words.h"
#include "launcher/settings/values.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using test::contains;
using test::Words;

// Why a text is refused, and the hint where there is one: "why | hint"; empty when it is taken.
template <typename Parser>
std::string refusal(Parser parse, std::string_view text) {
    try {
        static_cast<void>(parse(text));
        return "";
    } catch (const ValueError& error) {
        return std::string{error.what()} + (error.hint().empty() ? "" : " | " + error.hint());
    }
}

TEST_CASE("booleans in all spellings") {
    for (const char* text : {"1", "true", "yes", "on", "TRUE", "Yes", "oN", " on "}) {
        CAPTURE(text);
        CHECK(parse_value<bool>(text));
    }
    for (const char* text : {"0", "false", "no", "off", "FALSE", "No", "OFF", "\tno\n"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_value<bool>(text));
    }
    for (const char* text : {"", "2", "y", "enabled", "tru", "1 0", "-1"}) {
        CAPTURE(text);
        CHECK_FALSE(refusal(parse_value<bool>, text).empty());
    }
    CHECK(refusal(parse_value<bool>, "maybe") == "invalid value 'maybe' (expected on or off)");
}

TEST_CASE("boot orders") {
    using Order = std::vector<BootDevice>;
    CHECK(parse_value<std::vector<BootDevice>>("network") == Order{BootDevice::network});
    CHECK(parse_value<std::vector<BootDevice>>("cdrom,network,hd") ==
          Order{BootDevice::cdrom, BootDevice::network, BootDevice::hd});
    CHECK(parse_value<std::vector<BootDevice>>(" HD , Network ") ==
          Order{BootDevice::hd, BootDevice::network});
    CHECK(parse_value<std::vector<BootDevice>>("hd,,network,") == Order{BootDevice::hd, BootDevice::network});
    CHECK(refusal(parse_value<std::vector<BootDevice>>, "") ==
          "invalid value '' (expected a comma list of network, hd and cdrom)");
    CHECK(refusal(parse_value<std::vector<BootDevice>>, " , ") ==
          "invalid value ' , ' (expected a comma list of network, hd and cdrom)");
    CHECK(refusal(parse_value<std::vector<BootDevice>>, "hd,hd") == "hd is given twice | give it once");
    CHECK(refusal(parse_value<std::vector<BootDevice>>, "netwrok,hd") ==
          "invalid value 'netwrok' (expected network, hd or cdrom) | did you mean network?");
    CHECK(refusal(parse_value<std::vector<BootDevice>>, "floppy") ==
          "invalid value 'floppy' (expected network, hd or cdrom)");
}

TEST_CASE("firmware") {
    CHECK(parse_value<FirmwareMode>("legacy") == FirmwareMode::legacy);
    CHECK(parse_value<FirmwareMode>("BIOS") == FirmwareMode::legacy);
    CHECK(parse_value<FirmwareMode>(" Uefi ") == FirmwareMode::uefi);
    CHECK(contains(refusal(parse_value<FirmwareMode>, "uefy"), "did you mean uefi?"));
    CHECK_FALSE(refusal(parse_value<FirmwareMode>, "").empty());
}

TEST_CASE("networks") {
    CHECK(parse_value<NetworkMode>("nat") == NetworkMode::nat);
    CHECK(parse_value<NetworkMode>("NAT") == NetworkMode::nat);
    CHECK(contains(refusal(parse_value<NetworkMode>, "natt"), "did you mean nat?"));
    CHECK_FALSE(refusal(parse_value<NetworkMode>, "").empty());
}

TEST_CASE("NIC models are those of the ROM catalogue") {
    for (const rom::NicModel& model : rom::nic_models()) {
        CHECK(parse_nic_model(model.name) == model.name);
    }
    CHECK(parse_nic_model(" E1000 ") == "e1000");
    CHECK(contains(refusal(parse_nic_model, "vertio"), "(expected virtio, e1000"));
    CHECK(contains(refusal(parse_nic_model, "x"), "expected virtio, e1000"));
}

TEST_CASE("MAC addresses") {
    CHECK(parse_mac("52:54:00:12:34:56") == "52:54:00:12:34:56");
    CHECK(parse_mac("52-54-00-AB-CD-EF") == "52:54:00:ab:cd:ef");
    CHECK(parse_mac(" 02:00:00:00:00:01 ") == "02:00:00:00:00:01");
    for (const char* text :
         {"", "52:54:00:12:34", "52:54:00:12:34:5", "52:54:00:12:34:56:78", "52:54:00:12:34:5g",
          "525400123456", "52:54:00:12:34:567", "5254:00:12:34:56:7", ":52:54:00:12:34:5"}) {
        CAPTURE(text);
        CHECK(contains(refusal(parse_mac, text), "' | six octets in hex"));
    }
    for (const char* text : {"01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00",
                             "5F:54:00:12:34:56", "03:00:00:00:00:00"}) {
        CAPTURE(text);
        CHECK(contains(refusal(parse_mac, text), "all zeros or multicast | the first octet"));
    }
}

TEST_CASE("ports") {
    CHECK(parse_port("1") == 1);
    CHECK(parse_port(" 65535 ") == 65535);
    CHECK(refusal(parse_port, "0") == "invalid value '0' (expected 1 to 65535)");
    CHECK(refusal(parse_port, "65536") == "invalid value '65536' (expected 1 to 65535)");
    for (const char* text : {"", "-1", "+1", "22x", "0x16", "1.5", "99999999999999999999999"}) {
        CAPTURE(text);
        CHECK(contains(refusal(parse_port, text), "(expected 1 to 65535)"));
    }
}

TEST_CASE("port forwards") {
    using Forwards = std::vector<PortForward>;
    CHECK(parse_port_forwards("8080:80") == Forwards{{8080, 80}});
    CHECK(parse_port_forwards("8080:80, 2222:22") == Forwards{{8080, 80}, {2222, 22}});
    CHECK(parse_port_forwards("8080:80,8081:80") == Forwards{{8080, 80}, {8081, 80}});
    CHECK(parse_port_forwards("") == Forwards{});
    CHECK(contains(refusal(parse_port_forwards, "80"),
                   "invalid value '80' (expected [udp:][ADDRESS:]HOST:GUEST) | for example"));
    CHECK(refusal(parse_port_forwards, "80:1,80:2") == "host port 80 is given twice | give it once");
    for (const char* text : {":80", "80:", "80:80:80", "0:80", "80:0", "80:65536", "127.0.0.1::80",
                             "1.2.3:80:80", "1.2.3.256:80:80", "[::1]:80:80", "sctp:80:80", "80-70:80-70",
                             "80-90:80-91", "1-60000:1-60000", "80/tcp"}) {
        CAPTURE(text);
        CHECK_FALSE(refusal(parse_port_forwards, text).empty());
    }
}

TEST_CASE("port forwards of other protocols, of an address, of a range, and as Docker writes them") {
    using Forwards = std::vector<PortForward>;
    constexpr auto udp = PortProtocol::udp;
    constexpr auto tcp = PortProtocol::tcp;
    CHECK(parse_port_forwards("udp:69:69") == Forwards{{69, 69, udp, ""}});
    CHECK(parse_port_forwards("69:69/udp,69:69") == Forwards{{69, 69, udp, ""}, {69, 69, tcp, ""}});
    CHECK(parse_port_forwards("tcp:8080:80") == Forwards{{8080, 80}});
    CHECK(parse_port_forwards("127.0.0.1:8080:80/tcp") == Forwards{{8080, 80, tcp, "127.0.0.1"}});
    CHECK(parse_port_forwards("UDP:10.0.0.1:53:5353") == Forwards{{53, 5353, udp, "10.0.0.1"}});
    CHECK(parse_port_forwards("localhost:8080:80") == Forwards{{8080, 80, tcp, "127.0.0.1"}});
    CHECK(parse_port_forwards("0.0.0.0:8000-8002:9000-9002") ==
          Forwards{{8000, 9000, tcp, "0.0.0.0"}, {8001, 9001, tcp, "0.0.0.0"}, {8002, 9002, tcp, "0.0.0.0"}});
    CHECK(parse_port_forwards("10.0.0.1:80:80,10.0.0.2:80:80").size() == 2);
    CHECK(contains(refusal(parse_port_forwards, "8000-8010:80-90,8005:1"), "host port 8005 is given twice"));
    CHECK(contains(refusal(parse_port_forwards, "0.0.0.0:80:80,10.0.0.2:80:80"),
                   "host port 80 is given twice"));
    CHECK(contains(refusal(parse_port_forwards, "[::1]:80:80"), "forwards IPv4 alone"));
}

TEST_CASE("architectures have two names each") {
    CHECK(parse_value<Arch>("x86_64") == Arch::x86_64);
    CHECK(parse_value<Arch>("AMD64") == Arch::x86_64);
    CHECK(parse_value<Arch>("aarch64") == Arch::aarch64);
    CHECK(parse_value<Arch>("arm64") == Arch::aarch64);
    CHECK(contains(refusal(parse_value<Arch>, "x86-64"), "did you mean x86_64?"));
    CHECK_FALSE(refusal(parse_value<Arch>, "riscv64").empty());
}

TEST_CASE("accelerators") {
    CHECK(parse_value<AccelChoice>("auto") == AccelChoice::automatic);
    CHECK(parse_value<AccelChoice>("KVM") == AccelChoice::kvm);
    CHECK(parse_value<AccelChoice>("tcg") == AccelChoice::tcg);
    CHECK(contains(refusal(parse_value<AccelChoice>, "kmv"), "did you mean kvm?"));
}

TEST_CASE("CPU counts and shares") {
    CHECK(parse_cpus("1") == Amount{1, {}});
    CHECK(parse_cpus("4096") == Amount{4096, {}});
    CHECK(parse_cpus("half") == Amount{{}, Share::half});
    CHECK(parse_cpus(" MAX ") == Amount{{}, Share::max});
    CHECK(refusal(parse_cpus, "0") == "invalid value '0' (expected 1 to 4096)");
    CHECK(refusal(parse_cpus, "4097") == "invalid value '4097' (expected 1 to 4096)");
    CHECK(refusal(parse_cpus, "two") == "invalid value 'two' (expected a count, half or max)");
    CHECK_FALSE(refusal(parse_cpus, "-2").empty());
    CHECK_FALSE(refusal(parse_cpus, "").empty());
}

TEST_CASE("memory is MiB, or a size with a unit") {
    CHECK(parse_memory("512") == Amount{512, {}});
    CHECK(parse_memory("512M") == Amount{512, {}});
    CHECK(parse_memory("512m") == Amount{512, {}});
    CHECK(parse_memory("2G") == Amount{2048, {}});
    CHECK(parse_memory("2GB") == Amount{2048, {}});
    CHECK(parse_memory("2GiB") == Amount{2048, {}});
    CHECK(parse_memory("1T") == Amount{1048576, {}});
    CHECK(parse_memory("32768K") == Amount{32, {}});
    CHECK(parse_memory("half") == Amount{{}, Share::half});
    CHECK(parse_memory("max") == Amount{{}, Share::max});
    CHECK(parse_memory("16") == Amount{16, {}});
    CHECK(parse_memory("16T") == Amount{16777216, {}});
    CHECK(refusal(parse_memory, "15") == "invalid value '15' (expected 16M to 16T)");
    CHECK(refusal(parse_memory, "17T") == "invalid value '17T' (expected 16M to 16T)");
    for (const char* text : {"", "G", "B", "iB", "1.5G", "-1G", "2 G x", "G2", "2GG", "0x10"}) {
        CAPTURE(text);
        CHECK(contains(refusal(parse_memory, text), "(expected MiB, a size with M, G or T, half or max)"));
    }
    // 2^64 MiB and 2^64 bytes: neither wraps round to something small.
    CHECK(contains(refusal(parse_memory, "18446744073709551615T"), "(expected 16M to 16T)"));
    CHECK(contains(refusal(parse_memory, "17592186044416"), "(expected 16M to 16T)"));
}

TEST_CASE("disk sizes are GiB, or a size with a unit") {
    CHECK(parse_disk_size("20") == Amount{std::uint64_t{20} << 30, {}});
    CHECK(parse_disk_size("20G") == Amount{std::uint64_t{20} << 30, {}});
    CHECK(parse_disk_size("1T") == Amount{std::uint64_t{1} << 40, {}});
    CHECK(parse_disk_size("1K") == Amount{1024, {}});
    CHECK(parse_disk_size("1024T") == Amount{std::uint64_t{1} << 50, {}});
    CHECK(parse_disk_size("Half") == Amount{{}, Share::half});
    CHECK(parse_disk_size("max") == Amount{{}, Share::max});
    for (const char* text : {"0", "1025T", "", "big", "-1G", "18446744073709551615T"}) {
        CAPTURE(text);
        CHECK_FALSE(refusal(parse_disk_size, text).empty());
    }
}

TEST_CASE("seconds") {
    CHECK(parse_seconds("0") == std::chrono::seconds{0});
    CHECK(parse_seconds("8") == std::chrono::seconds{8});
    CHECK(parse_seconds(" 8s ") == std::chrono::seconds{8});
    CHECK(parse_seconds("604800") == std::chrono::seconds{604800});
    for (const char* text : {"", "s", "-1", "1.5", "8 minutes", "604801", "8ss"}) {
        CAPTURE(text);
        CHECK_FALSE(refusal(parse_seconds, text).empty());
    }
}

TEST_CASE("what a run waits for: a stage, or a text on the console") {
    CHECK(parse_until("os").stage == boot::Stage::os);
    CHECK(parse_until(" dhcp ").stage == boot::Stage::address);
    CHECK(parse_until("console:log+in: $").pattern == "log+in: $");
    CHECK_FALSE(parse_until("console:x").stage);
    CHECK(parse_until("console:x").text == "console:x");
    for (const char* text : {"", "OS", "login", "console:", "console:(", "console:[z-a]"}) {
        CAPTURE(text);
        CHECK_FALSE(refusal(parse_until, text).empty());
    }
}

TEST_CASE("reports say by their name what they are") {
    CHECK(parse_reports("a.json,/tmp/b.html") == std::vector<std::filesystem::path>{"a.json", "/tmp/b.html"});
    CHECK(kind_of_report("a.json") == ReportKind::json);
    CHECK(kind_of_report("a.html") == ReportKind::page);
    CHECK(kind_of_report("/data/a.pcapng") == ReportKind::packets);
    CHECK_FALSE(kind_of_report("a.pcap"));
    for (const char* text : {"a", "a.txt", "a.json,b", "a.pcap", "a.pcapng.gz", "-"}) {
        CAPTURE(text);
        CHECK_FALSE(refusal(parse_reports, text).empty());
    }
}

TEST_CASE("names are what a host name's label and a file name both bear") {
    const std::string longest(63, 'a');
    for (const std::string& text :
         {std::string{"vm"}, std::string{"9"}, std::string{"web-1.example_x"}, std::string{"VM"}, longest}) {
        CAPTURE(text);
        CHECK(parse_name(text) == text);
    }
    CHECK(parse_name(" vm ") == "vm");
    for (const std::string& text :
         {std::string{}, std::string{"-vm"}, std::string{".hidden"}, std::string{"a b"}, std::string{"a/b"},
          std::string{"a,b"}, std::string{"ü"}, std::string{"a\nb"}, longest + "a"}) {
        CAPTURE(text);
        CHECK(contains(refusal(parse_name, text), "' | letters, digits"));
    }
}

TEST_CASE("log levels and formats") {
    CHECK(parse_value<LogLevel>("debug") == LogLevel::debug);
    CHECK(parse_value<LogLevel>("INFO") == LogLevel::info);
    CHECK(parse_value<LogLevel>("warning") == LogLevel::warning);
    CHECK(parse_value<LogLevel>("error") == LogLevel::error);
    CHECK(contains(refusal(parse_value<LogLevel>, "warn"), "expected debug, info, warning or error"));
    CHECK(parse_value<LogFormat>("text") == LogFormat::text);
    CHECK(parse_value<LogFormat>("Json") == LogFormat::json);
    CHECK(contains(refusal(parse_value<LogFormat>, "jsn"), "did you mean json?"));
}

TEST_CASE("words are split as a shell would") {
    CHECK(parse_shell_words("") == Words{});
    CHECK(parse_shell_words("  \t ") == Words{});
    CHECK(parse_shell_words("-device foo,bar=1") == Words{"-device", "foo,bar=1"});
    CHECK(parse_shell_words("  a\t b\n c ") == Words{"a", "b", "c"});
    CHECK(parse_shell_words(R"("a b" 'c d')") == Words{"a b", "c d"});
    CHECK(parse_shell_words(R"(a\ b)") == Words{"a b"});
    CHECK(parse_shell_words(R"("a \"b\" \\c")") == Words{R"(a "b" \c)"});
    CHECK(parse_shell_words(R"(x"y"'z')") == Words{"xyz"});
    CHECK(parse_shell_words(R"('$HOME `x` *')") == Words{"$HOME `x` *"});
    CHECK(parse_shell_words(R"(a "" b)") == Words{"a", "", "b"});
    CHECK(parse_shell_words(R"('it'\''s')") == Words{"it's"});
    CHECK(parse_shell_words(R"('C:\new')") == Words{R"(C:\new)"});
    CHECK(parse_shell_words(R"("C:\new")") == Words{R"(C:\new)"});
    for (const char* text : {"\"open", "'open", "end\\"}) {
        CAPTURE(text);
        CHECK(contains(refusal(parse_shell_words, text), "| check quotes and backslashes"));
    }
}

TEST_CASE("free text must be there, and keeps its blanks") {
    CHECK(parse_text("/srv/my disk.img") == "/srv/my disk.img");
    CHECK(parse_text(" x") == " x");
    CHECK(contains(refusal(parse_text, ""), "empty value"));
    CHECK(contains(refusal(parse_text, "  "), "empty value"));
    CHECK(contains(refusal(parse_text, std::string_view{"a\0b", 3}), "NUL"));
}

TEST_CASE("values have names that are read back") {
    for (const BootDevice device : {BootDevice::network, BootDevice::hd, BootDevice::cdrom}) {
        CHECK(parse_value<std::vector<BootDevice>>(to_string(device)) == std::vector{device});
    }
    for (const FirmwareMode mode : {FirmwareMode::legacy, FirmwareMode::uefi, FirmwareMode::secure}) {
        CHECK(parse_value<FirmwareMode>(to_string(mode)) == mode);
    }
    CHECK(to_string(std::vector{BootDevice::network, BootDevice::hd}) == "network,hd");
    CHECK(to_string(std::vector<BootDevice>{}).empty());
}

}  // namespace
}  // namespace vml
