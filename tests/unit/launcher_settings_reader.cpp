// argv, environment and configuration file → settings: who wins, what is refused, and where it came from.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "launcher/settings/nic_options.h"
#include "launcher/settings/notation.h"
#include "launcher/settings/option_table.h"
#include "launcher/settings/settings_reader.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using test::contains;
using test::no_file;
using test::read_flags;
using test::read_settings;
using test::text_of;
using test::Words;

constexpr const char* config_path = "/etc/vm.json";

ReadFile file_with(std::string text) {
    return [text = std::move(text)](const std::string& path) {
        REQUIRE(path == config_path);
        return text;
    };
}

ReadResult read_env(const Environment& environment) {
    return read_settings({}, environment, no_file);
}

ReadResult read_config(const std::string& text) {
    return read_settings({"--config", config_path}, {}, file_with(text));
}

Settings settings_of(const ReadResult& read) {
    INFO(text_of(read.faults));
    REQUIRE(read.faults.empty());
    return read.settings;
}

// "what | hint" of each fault, each of which must be one of settings.
Words faults_in(const ReadResult& read) {
    Words all;
    for (const Fault& fault : read.faults) {
        CHECK(fault.code == ExitCode::settings);
        all.push_back(fault.what + " | " + fault.hint);
    }
    return all;
}

// A value for each setting that is not its default; whoever adds a row adds one here.
const std::map<std::string, std::string>& other_values() {
    static const std::map<std::string, std::string> values{
        {"ipxe", "on"},
        {"ipxe-rom", "/roms/my rom.rom"},
        {"boot-order", "network,cdrom"},
        {"firmware", "uefi"},
        {"fast-boot", "off"},
        {"ipxe-prompt", "on"},
        {"netboot-dir", "/srv/net boot"},
        {"bootfile", "my.ipxe"},
        {"dhcp-option", "path-prefix=a, b=c"},
        {"proxydhcp", "on"},
        {"undionly", "on"},
        {"script", "/srv/my boot.ipxe"},
        {"kernel", "/boot/vmlinuz"},
        {"initrd", "/boot/initrd.img,http://h/more.gz"},
        {"append", "console=ttyS0 quiet"},
        {"mac", "52:54:00:12:34:56"},
        {"nic-model", "e1000"},
        {"port-forward", "8080:80,8443:443"},
        {"ssh-port", "2222"},
        {"arch", "aarch64"},
        {"machine", "pc"},
        {"accel", "tcg"},
        {"require-kvm", "on"},
        {"cpu", "Skylake-Client,-hle"},
        {"cpus", "half"},
        {"memory", "512M"},
        {"name", "web-1"},
        {"events", "fd:7"},
        {"disk", "/images/a,b.qcow2"},
        {"boot-once", "network,cdrom"},
        {"disk-format", "auto,qcow2"},
        {"disk-bus", "nvme"},
        {"disk-cache", "none"},
        {"on-io-error", "stop"},
        {"data-dir", "/srv/data"},
        {"persist", "on"},
        {"reset-nvram", "on"},
        {"blank-disk", "on"},
        {"pxe", "http4"},
        {"tpm", "on"},
        {"rng", "on"},
        {"smbios", "serial=S1,asset=A1"},
        {"cloud-init", "on"},
        {"user-data", "/srv/user-data"},
        {"cloud-init-url", "http://h/seed"},
        {"hostname", "box"},
        {"ssh-pubkey", "ssh-ed25519 AAAA me"},
        {"disk-size", "3G"},
        {"extra-disk", "half"},
        {"disk-io", "native"},
        {"io-thread", "on"},
        {"usb", "on"},
        {"balloon", "on"},
        {"hyperv", "on"},
        {"force-iso", "on"},
        {"guest-password", "s3cret word"},
        {"guest-ip", "192.168.7.9/25"},
        {"firmware-code", "/build/OVMF_CODE.fd"},
        {"firmware-vars", "/build/OVMF_VARS.fd"},
        {"iso", "/images/x.iso"},
        {"no-console", "on"},
        {"console-raw", "on"},
        {"console", "plain"},
        {"console-log", "/var/log/vm.console"},
        {"stop-timeout", "30"},
        {"log-level", "debug"},
        {"log-format", "json"},
        {"color", "never"},
        {"extra-args", "-device 'foo bar'"},
        {"network", "bridge"},
        {"bridge", "br0"},
        {"direct-dev", "eth1"},
        {"segment", "lab.1"},
        {"mtu", "9000"},
        {"nic-boot", "off"},
        {"nic-queues", "4"},
        {"nic", "mode=direct,direct-dev=eth2"},
        {"run-as", "nobody"},
        {"graphics", "vnc"},
        {"vnc-port", "5910"},
        {"vnc-password", "s3cret"},
        {"guest-agent", "off"},
        {"health-stage", "kernel"},
        {"landlock", "off"},
        {"until", "console:log+in: $"},
        {"boot-timeout", "300"},
        {"reboot-limit", "5"},
        {"report", "boot.json,boot.html"},
        {"boot-watch", "off"},
        {"probe", "off"},
    };
    return values;
}

std::string value_for(const OptionRow& row) {
    const std::string flag{row.flag};
    if (const auto found = other_values().find(flag); found != other_values().end()) {
        return found->second;
    }
    FAIL("give the new setting --" << flag << " a value in this test");
    return {};
}

TEST_CASE("every setting can be set by flag, by environment and by file, to the same effect") {
    for (const OptionRow& row : option_table()) {
        const std::string flag{row.flag};
        const std::string value = value_for(row);
        CAPTURE(flag);
        const ReadResult by_flag = read_flags({"--" + flag + "=" + value});
        const ReadResult by_env = read_env({{std::string{row.environment}, value}});
        const ReadResult by_file = read_config(nlohmann::json{{flag, value}}.dump());
        Settings expected;
        row.assign(expected, value);
        CHECK_FALSE(expected == Settings{});
        expected.ipxe = expected.ipxe || flag == "ipxe-rom" || flag == "netboot-dir" || flag == "bootfile" ||
                        flag == "script" || flag == "kernel";
        if (flag == "pxe") {
            expected.boot_order = {BootDevice::network};
        }
        CHECK(settings_of(by_flag) == expected);
        CHECK(settings_of(by_file) == expected);
        if (row.flag == "nic") {
            continue;  // its variables have names of their own, and it may come from several places
        }
        CHECK(settings_of(by_env) == expected);
        CHECK(by_flag.origins.at(flag) == "--" + flag);
        CHECK(by_env.origins.at(flag) == "$" + std::string{row.environment});
        CHECK(by_file.origins.at(flag) == "'" + flag + "' in /etc/vm.json");
    }
}

TEST_CASE("disks: repeated, numbered in the environment, a list in the file") {
    using Paths = std::vector<std::filesystem::path>;
    const auto disks = [](const Words& flags, const Environment& environment, const std::string& config) {
        return read_settings(flags, environment, [&](const std::string&) { return config; }).settings.disks;
    };
    const std::string file = R"({"disk": ["/f1", "/f,2"]})";
    const Environment variables{{"DISK", "/e1"}, {"DISK2", "/e,2"}};
    CHECK(disks({"--disk=/a", "--disk", "/b,c"}, variables, file) == Paths{"/a", "/b,c"});
    CHECK(disks({}, variables, file) == Paths{"/e1", "/e,2"});
    CHECK(disks({}, {{"DISK2", "/only"}}, file) == Paths{"/only"});
    CHECK(disks({"--config=x"}, {}, file) == Paths{"/f1", "/f,2"});
    CHECK(disks({"--config=x"}, {}, R"({"disk": "/f"})") == Paths{"/f"});
    CHECK(read_settings({"--config=x"}, {}, [](const std::string&) {
              return R"({"disk": [1]})";
          }).faults.size() == 1);
    CHECK(read_flags({"--disk="}).faults.size() == 1);
}

TEST_CASE("a value may follow its flag as a word of its own") {
    for (const OptionRow& row : option_table()) {
        if (!row.is_boolean()) {
            const std::string flag = "--" + std::string{row.flag};
            CAPTURE(flag);
            CHECK(settings_of(read_flags({flag, value_for(row)})) ==
                  settings_of(read_flags({flag + "=" + value_for(row)})));
        }
    }
}

TEST_CASE("no two settings share a flag or a variable") {
    std::set<std::string_view> flags;
    std::set<std::string_view> variables;
    for (const OptionRow& row : option_table()) {
        CAPTURE(row.flag);
        CHECK(flags.insert(row.flag).second);
        CHECK((row.environment.empty() || variables.insert(row.environment).second));
        CHECK((row.also.empty() || variables.insert(row.also).second));
        CHECK_FALSE(row.help.empty());
        CHECK_FALSE(row.fallback.empty());
        CHECK(row.help.back() != '.');
        CHECK(find_option(row.flag) == &row);
    }
    for (const std::string_view general : {"config", "format", "help", "version"}) {
        CHECK_FALSE(flags.contains(general));
    }
}

TEST_CASE("a default that is a value is the default") {
    unsigned values = 0;
    for (const OptionRow& row : option_table()) {
        const bool word =
            row.fallback == "on" || row.fallback == "off" || contains(row.choices, row.fallback);
        const bool number = row.fallback.find_first_not_of("0123456789G") == std::string_view::npos;
        if (row.flag != "pxe" && (word || number)) {  // pxe's default holds for UEFI alone
            CAPTURE(row.flag);
            Settings settings;
            row.assign(settings, row.fallback);
            CHECK(settings == Settings{});
            ++values;
        }
    }
    CHECK(values > 20);
}

TEST_CASE("a row knows the words that its setting takes, and its help lists them") {
    unsigned rows = 0;
    for (const OptionRow& row : option_table()) {
        for (const std::string& word : row.choices) {
            CAPTURE(row.flag, word);
            CHECK(settings_of(read_flags({"--" + std::string{row.flag}, word})).nics.size() == 1);
            CHECK(contains(row.help, word));
        }
        rows += row.choices.empty() ? 0U : 1U;
    }
    CHECK(rows > 10);
    CHECK(find_option("firmware")->choices == Words{"legacy", "uefi", "secure"});
}

TEST_CASE("a NIC's key is one row for --nic, the numbered variables and the first NIC") {
    for (const NicKey& key : nic_keys()) {
        const std::string flag{key.first.flag};
        const std::string value = value_for(key.first);
        CAPTURE(flag);
        const Settings first = settings_of(read_flags({"--" + flag + "=" + value}));
        const Settings by_key = settings_of(read_flags({"--nic=" + std::string{key.key} + "=" + value}));
        const Settings by_variable = settings_of(read_env({{key.variable(2), value}}));
        CHECK(by_key.nics.at(1) == first.nics.at(0));
        CHECK(by_variable.nics.at(1) == first.nics.at(0));
        CHECK(contains(find_option("nic")->help, key.key));
    }
    CHECK(nic_keys().front().variable(3) == "NETWORK3_MODE");
}

TEST_CASE("all settings at once, from flags, environment and file, are equal as a whole") {
    Words flags;
    Environment environment;
    nlohmann::json config = nlohmann::json::object();
    for (const OptionRow& row : option_table()) {
        if (row.flag == "no-console" || row.flag == "console-raw") {
            continue;  // each contradicts --console=plain
        }
        const std::string value = value_for(row);
        flags.push_back("--" + std::string{row.flag} + "=" + value);
        environment[std::string{row.environment}] = value;
        config[std::string{row.flag}] = value;
    }
    environment.erase("");                    // of rows that have no variable
    environment["NETWORK2_MODE"] = "direct";  // the further NIC
    environment["NETWORK2_DIRECT_DEV"] = "eth2";
    const Settings by_flags = settings_of(read_flags(flags));
    CHECK(by_flags == settings_of(read_env(environment)));
    CHECK(by_flags == settings_of(read_config(config.dump())));
    CHECK(by_flags.name == "web-1");
    CHECK(by_flags.memory_mib == Amount{512, {}});
    CHECK(by_flags.extra_args == Words{"-device", "foo bar"});
}

TEST_CASE("nothing given is the defaults, of no origin, and no file is read") {
    const ReadResult read = read_flags({});
    CHECK(settings_of(read) == Settings{});
    CHECK(read.origins.empty());
    CHECK(read.command == CommandLine{});
}

TEST_CASE("flags win over the environment, that over the file, that over the default") {
    const Environment environment{{"MEMORY", "300"}, {"CPUS", "3"}};
    const ReadFile file = file_with(R"({"memory": 200, "cpus": 4, "name": "filed"})");
    const ReadResult read = read_settings({"--memory", "100", "--config", config_path}, environment, file);
    const Settings settings = settings_of(read);
    CHECK(settings.memory_mib == Amount{100, {}});
    CHECK(settings.cpus == Amount{3, {}});
    CHECK(settings.name == "filed");
    CHECK(settings.stop_timeout == std::chrono::seconds{8});
    CHECK(read.origins ==
          Origins{{"memory", "--memory"}, {"cpus", "$CPUS"}, {"name", "'name' in /etc/vm.json"}});
}

TEST_CASE("a flag that switches off wins over a variable that switches on") {
    for (const Words& flags : {Words{"--no-ipxe"}, Words{"--ipxe=off"}, Words{"--no-ipxe=yes"}}) {
        const ReadResult read = read_settings(flags, {{"IPXE_ENABLE", "1"}}, no_file);
        CHECK_FALSE(settings_of(read).ipxe);
    }
    CHECK(settings_of(read_flags({"--no-ipxe=off"})).ipxe);
    CHECK_FALSE(settings_of(read_flags({"--fast-boot", "off"})).fast_boot);
    CHECK(settings_of(read_flags({"--no-ipxe", "Off", "--no-fast-boot", "0"})).ipxe);
    CHECK(settings_of(read_flags({"--ipxe", "--ipxe-prompt", "on"})).ipxe_prompt);
    CHECK(faults_in(read_flags({"--ipxe", "maybe"})).size() == 1);
    CHECK(read_flags({"--no-ipxe"}).origins == Origins{{"ipxe", "--no-ipxe"}});
}

TEST_CASE("of a flag given twice the last counts") {
    CHECK(settings_of(read_flags({"--ipxe", "--no-ipxe"})) == Settings{});
    CHECK(settings_of(read_flags({"--no-ipxe", "--ipxe"})).ipxe);
    CHECK(settings_of(read_flags({"--memory=100", "--memory=200"})).memory_mib == Amount{200, {}});
}

TEST_CASE("every boolean has a flag, a --no- flag and all spellings") {
    for (const OptionRow& row : option_table()) {
        if (!row.is_boolean()) {
            continue;
        }
        const std::string flag{row.flag};
        CAPTURE(flag);
        Settings on;
        row.assign(on, "1");
        Settings off;
        row.assign(off, "0");
        CHECK_FALSE(on == off);
        CHECK(settings_of(read_flags({"--" + flag})) == on);
        for (const std::string text : {"1", "true", "yes", "on", "ON"}) {
            CHECK(settings_of(read_flags({"--" + flag + "=" + text})) == on);
            CHECK(settings_of(read_env({{std::string{row.environment}, text}})) == on);
        }
        for (const std::string text : {"0", "false", "no", "off", "No"}) {
            CHECK(settings_of(read_flags({"--" + flag + "=" + text})) == off);
            CHECK(settings_of(read_env({{std::string{row.environment}, text}})) == off);
        }
        CHECK(settings_of(read_config(nlohmann::json{{flag, true}}.dump())) == on);
        CHECK(settings_of(read_config(nlohmann::json{{flag, false}}.dump())) == off);
        if (!row.flag.starts_with("no-")) {
            CHECK(settings_of(read_flags({"--no-" + flag})) == off);
        }
    }
}

TEST_CASE("a word behind a boolean is its value or a fault, and never passed over") {
    const ReadResult off = read_flags({"--ipxe", "off"});
    CHECK((!off.settings.ipxe || !off.faults.empty()));
    CHECK(faults_in(read_flags({"--ipxe", "disk.img"})) ==
          Words{"unexpected argument 'disk.img' | did you mean --disk disk.img?"});
    CHECK(faults_in(read_flags({"--ipxe", "disk.x"})) ==
          Words{"unexpected argument 'disk.x' | a script to boot is FILE.ipxe, a folder ./DIR (see vm-launch "
                "--help); "
                "arguments for QEMU go after --"});
    CHECK(read_flags({"--ipxe", "disk.img"}).settings.ipxe);
    CHECK(read_flags({"--ipxe", "--netboot-dir", "d"}).faults.empty());
}

TEST_CASE("what stands alone and can be booted is booted") {
    for (const std::string folder : {"./netboot", "/srv/netboot", "netboot/", ".", "../a.b/c"}) {
        for (const Words& flags :
             {Words{"--ipxe", folder}, Words{folder}, Words{folder, "--memory=1G"}, Words{"plan", folder}}) {
            CAPTURE(folder);
            CHECK(read_flags(flags).faults.empty());
            CHECK(read_flags(flags).settings.netboot_dir == folder);
            CHECK(read_flags(flags).settings.ipxe);
        }
    }
    CHECK(read_flags({"boot.ipxe"}).settings.script == "boot.ipxe");
    CHECK(read_flags({"doctor", "/srv/a b.ipxe"}).settings.script == "/srv/a b.ipxe");
    CHECK(read_flags({"https://h/boot.ipxe"}).settings.script == "https://h/boot.ipxe");
    CHECK(read_flags({"http://h/snponly.efi"}).settings.bootfile == "http://h/snponly.efi");
    CHECK(read_flags({"./netboot", "boot.ipxe"}).faults.empty());  // the script, and where its files are
}

TEST_CASE("what stands alone and cannot be booted is refused, with what may be meant") {
    CHECK(faults_in(read_flags({"a.ipxe", "b.ipxe"})).size() == 1);
    CHECK(contains(faults_in(read_flags({"netboot"})).at(0), "a folder ./DIR"));
    CHECK(contains(faults_in(read_flags({"/images/disk.qcow2"})).at(0), "--disk /images/disk.qcow2"));
    CHECK(contains(faults_in(read_flags({"x.iso", "--ipxe"})).at(0), "--iso x.iso"));
    CHECK(contains(faults_in(read_flags({"--persist", "/data"})).at(0), "--data-dir /data"));
    CHECK(faults_in(read_flags({"a.ipxe", "--script=b.ipxe"})).size() == 1);
    CHECK(read_flags({"./debian-12.5"}).settings.netboot_dir == "./debian-12.5");
}

TEST_CASE("a list goes on where its flag is given again") {
    const ReadResult read = read_flags({"--port-forward=8080:80", "--kernel=k", "--initrd=a",
                                        "--port-forward", "8081:81", "--initrd=b,c", "--report=a.json",
                                        "--report=b.html", "--smbios=serial=1", "--smbios=asset=2"});
    CHECK(read.faults.empty());
    CHECK(read.settings.port_forwards.size() == 2);
    CHECK(read.settings.initrds == Words{"a", "b", "c"});
    CHECK(read.settings.reports.size() == 2);
    CHECK(read.settings.smbios.size() == 2);
    CHECK(read_flags({"--memory=1G", "--memory=2G"}).settings.memory_mib.number == 2048);
}

TEST_CASE("a number behind a variable that has none is told of") {
    const Words told =
        read_env({{"NETBOOT_INITRD2", "x"}, {"NETBOOT_SCRIPT2", "y"}, {"DISK2", "d"}}).warnings;
    CHECK(told ==
          Words{"unknown variable $NETBOOT_INITRD2 has no effect: NETBOOT_INITRD takes several values, with "
                "commas between them",
                "unknown variable $NETBOOT_SCRIPT2 has no effect: only NETBOOT_SCRIPT exists"});
}

TEST_CASE("a script may be the value itself") {
    const std::string text = "#!ipxe\nchain http://h/x\n";
    CHECK(settings_of(read_env({{"NETBOOT_SCRIPT", "\n " + text}})).script == text);
    CHECK(settings_of(read_env({{"NETBOOT_SCRIPT", "#!ipxe\nshell"}})).script == "#!ipxe\nshell\n");
    CHECK(contains(faults_in(read_env({{"NETBOOT_SCRIPT", "#!ipxe\\nshell"}})).at(0), "a single line"));
    CHECK(faults_in(read_env({{"NETBOOT_SCRIPT", "a\nb"}})).size() == 1);
}

TEST_CASE("a script or a kernel means iPXE, whatever else there is") {
    CHECK(read_flags({"--script=a", "--disk=d"}).settings.ipxe);
    CHECK(read_flags({"--kernel=k", "--boot-order=hd"}).settings.ipxe);
    CHECK_FALSE(read_flags({"--script=a", "--no-ipxe"}).settings.ipxe);
}

TEST_CASE("an empty variable is as good as none") {
    Environment environment{{"VM_LAUNCH_CONFIG", ""}, {"LOG_VERBOSE", ""}};
    for (const OptionRow& row : option_table()) {
        environment.emplace(row.environment, "");
    }
    const ReadResult read = read_env(environment);
    CHECK(settings_of(read) == Settings{});
    CHECK(read.origins.empty());
}

TEST_CASE("what surrounds a value and cannot be meant is cut, for every setting, and told") {
    for (const OptionRow& row : option_table()) {
        if (row.environment.empty()) {
            continue;
        }
        const std::string name{row.environment};
        const std::string value = value_for(row);
        const Settings plain = settings_of(read_env({{name, value}}));
        for (const auto& [before, after] : std::vector<std::pair<std::string, std::string>>{
                 {"", "\r"}, {"", "\n"}, {" \t", " "}, {"\xef\xbb\xbf", "\r\n"}, {"", "\xc2\xa0"}}) {
            CAPTURE(name, before, after);
            const ReadResult read = read_env({{name, before + value + after}});
            const bool secret = name == "GUEST_PASSWORD" || name == "VNC_PASSWORD";
            if (name != "EXTRA_ARGS" && name != "SSH_PUBKEY" && !secret) {
                CHECK(settings_of(read) == plain);
                REQUIRE(read.warnings.size() == 1);
                CHECK(contains(read.warnings.at(0), "$" + name + ": blanks or line ends"));
            }
        }
    }
    const ReadResult read = read_env({{"DISK", "/images/a.qcow2\r"}});
    CHECK(read.warnings ==
          Words{R"($DISK: blanks or line ends around the value were cut: '/images/a.qcow2\r')"});
    CHECK(read_flags({"--disk", "a\n"}).settings.disks.at(0) == "a");
    CHECK(read_config(R"({"cpu": "max\n"})").settings.cpu == "max");
    CHECK(read_env({{"NETWORK2_MODE", "nat"}, {"NETWORK2_BRIDGE", "br0\r"}}).settings.nics.at(1).bridge ==
          "br0");
    CHECK(read_env({{"RUN_AS", " \r\n"}}).settings == Settings{});
    CHECK(read_settings({}, {{"VM_LAUNCH_CONFIG", "/etc/vm.json\r"}}, file_with("{}")).faults.empty());
}

TEST_CASE("quotes that Docker's --env-file keeps are cut, and told") {
    const ReadResult read = read_env({{"DISK", R"("/images/my disk.qcow2")"}, {"CPU_MODEL", "'max'"}});
    CHECK(settings_of(read).disks.at(0) == "/images/my disk.qcow2");
    CHECK(read.settings.cpu == "max");
    CHECK(read.warnings.size() == 2);
    CHECK(read_env({{"EXTRA_ARGS", "'-device foo'"}}).settings.extra_args == Words{"-device", "foo"});
    CHECK(read_env({{"EXTRA_ARGS", R"("-append \"a b\"")"}}).settings.extra_args == Words{"-append", "a b"});
    CHECK(read_env({{"EXTRA_ARGS", R"("a b" "c")"}}).settings.extra_args == Words{"a b", "c"});
    CHECK(read_env({{"EXTRA_ARGS", R"("my disk.img")"}}).settings.extra_args == Words{"my disk.img"});
    CHECK(read_env({{"SSH_PUBKEY", "\"ssh-ed25519 AAAA me\"\r"}}).settings.ssh_public_key ==
          "ssh-ed25519 AAAA me");
    CHECK(read_env({{"SSH_PUBKEY", "ssh-rsa A\nssh-rsa B"}}).settings.ssh_public_key ==
          "ssh-rsa A\nssh-rsa B");
    CHECK(read_env({{"MACHINE", R"("a" "b")"}}).settings.machine == R"("a" "b")");
}

TEST_CASE("a control character within a value is refused, and shown") {
    const ReadResult read = read_env({{"DISK", "a\nb"}, {"MACHINE", "q\x1b[2J35"}});
    CHECK(faults_in(read) ==
          Words{R"($MACHINE: invalid value 'q\x1b[2J35': a line end or another control character is in it | )"
                "give one value, on one line",
                R"($DISK: invalid value 'a\nb': a line end or another control character is in it | )"
                "give one value, on one line"});
    CHECK(contains(faults_in(read_flags({"a\rb"})).at(0), R"('a\rb')"));
    CHECK(contains(faults_in(read_env({{"NETBOOT_SCRIPT", "kernel k\nboot"}})).at(0), "begins with #!ipxe"));
}

TEST_CASE("a variable by which Kubernetes describes a service is no setting") {
    const ReadResult read = read_env({{"SSH_PORT", "tcp://10.96.0.7:22"},
                                      {"VNC_PORT", "tcp://10.96.0.8:5900"},
                                      {"WEB_PORT", "tcp://10.96.0.9:80"},
                                      {"NETBOOT_SERVICE_HOST", "10.96.0.9"},
                                      {"NETBOOT_PORT_80_TCP_ADDR", "10.96.0.9"}});
    CHECK(settings_of(read) == Settings{});
    REQUIRE(read.warnings.size() == 2);
    CHECK(contains(read.warnings.at(0), "$SSH_PORT=tcp://10.96.0.7:22"));
    CHECK(contains(read.warnings.at(1), "enableServiceLinks: false"));
}

TEST_CASE("unknown variables are none of our business") {
    CHECK(settings_of(read_env({{"HOME", "/root"}, {"IPXE", "1"}, {"MEMORYX", "1"}})) == Settings{});
}

TEST_CASE("all faults come in one run, each with its origin") {
    const ReadResult read =
        read_settings({"--memory=lots", "--ixpe", "--boot-order", "floppy", "--config", config_path},
                      {{"NETWORK_MAC", "nonsense"}, {"LOG_VERBOSE", "perhaps"}},
                      file_with(R"({"cpus": "none", "flavour": "sour"})"));
    const Words expected{
        "unknown option --ixpe | did you mean --ipxe?",
        "$LOG_VERBOSE: invalid value 'perhaps' (expected on or off) | ",
        "'flavour' in /etc/vm.json: unknown setting | keys are the long options without dashes",
        "--boot-order: invalid value 'floppy' (expected network, hd or cdrom) | ",
        "'cpus' in /etc/vm.json: invalid value 'none' (expected a count, half or max) | ",
        "$NETWORK_MAC: invalid MAC address 'nonsense' | six octets in hex, for example 52:54:00:12:34:56",
        "--memory: invalid value 'lots' (expected MiB, a size with M, G or T, half or max) | ",
    };
    CHECK(faults_in(read) == expected);
}

TEST_CASE("a value that is refused counts as not given") {
    const ReadResult read = read_flags({"--memory=lots"});
    CHECK(read.settings == Settings{});
    CHECK(read.origins.empty());
}

TEST_CASE("a value that a stronger source covers is not looked at") {
    CHECK(settings_of(read_settings({"--memory=100"}, {{"MEMORY", "lots"}}, no_file)).memory_mib ==
          Amount{100, {}});
}

TEST_CASE("unknown options, with what was probably meant") {
    CHECK(faults_in(read_flags({"--no-ipex"})) ==
          Words{"unknown option --no-ipex | did you mean --no-ipxe?"});
    CHECK(faults_in(read_flags({"--memroy=2G"})) ==
          Words{"unknown option --memroy | did you mean --memory?"});
    CHECK(faults_in(read_flags({"-ipxe"})) == Words{"unknown option -ipxe | did you mean --ipxe?"});
    CHECK(faults_in(read_flags({"--frobnicate"})) ==
          Words{"unknown option --frobnicate | see vm-launch --help; options of QEMU go after --"});
    CHECK(faults_in(read_flags({"--one-unknown", "--two-unknown"})).size() == 2);
}

TEST_CASE("no option is guessed from its beginning") {
    CHECK(faults_in(read_flags({"--mem=512"})).size() == 1);
    CHECK(faults_in(read_flags({"--boot", "network"})).size() >= 1);
}

TEST_CASE("a value that is missing is a fault, and the rest is read all the same") {
    for (const OptionRow& row : option_table()) {
        if (!row.is_boolean()) {
            const std::string flag = "--" + std::string{row.flag};
            CAPTURE(flag);
            CHECK(faults_in(read_flags({flag})) == Words{flag + " requires a value | see vm-launch --help"});
        }
    }
    const ReadResult read = read_flags({"--ipxe", "--cpus=", "--memory"});
    CHECK(faults_in(read) == Words{"--cpus requires a value | see vm-launch --help",
                                   "--memory requires a value | see vm-launch --help"});
    CHECK(read.settings.ipxe);
}

TEST_CASE("a value may begin with a dash") {
    CHECK(settings_of(read_flags({"--extra-args", "-device foo"})).extra_args == Words{"-device", "foo"});
    CHECK(settings_of(read_flags({"--extra-args=-hda x"})).extra_args == Words{"-hda", "x"});
}

TEST_CASE("words that stand alone are refused, but for the files of rom and the topic of help") {
    CHECK(faults_in(read_flags({"--ipxe", "disk.img"})).size() == 1);
    CHECK(faults_in(read_flags({"plan", "disk.img"})).size() == 1);
    const ReadResult roms = read_flags({"rom", "a.rom", "b c.rom"});
    CHECK(settings_of(roms) == Settings{});
    CHECK(roms.command.words == Words{"a.rom", "b c.rom"});
    CHECK(read_flags({"help", "man"}).command.words == Words{"man"});
}

TEST_CASE("what follows -- goes to QEMU as it is") {
    const Words words{"-device", "foo bar", "--ipxe", "--", "", "-h"};
    Words flags{"--ipxe", "--"};
    flags.insert(flags.end(), words.begin(), words.end());
    const ReadResult read = read_flags(flags);
    CHECK(settings_of(read).extra_args == words);
    CHECK_FALSE(read.command.help);
    CHECK(read.origins == Origins{{"ipxe", "--ipxe"}, {"extra-args", "--"}});
}

TEST_CASE("words behind -- win over EXTRA_ARGS, even when there are none") {
    const Environment environment{{"EXTRA_ARGS", "-from env"}};
    CHECK(settings_of(read_settings({}, environment, no_file)).extra_args == Words{"-from", "env"});
    CHECK(settings_of(read_settings({"--", "-x"}, environment, no_file)).extra_args == Words{"-x"});
    CHECK(settings_of(read_settings({"--"}, environment, no_file)).extra_args == Words{});
}

TEST_CASE("subcommands") {
    for (const Subcommand& subcommand : subcommands()) {
        const std::string name{subcommand.name};
        CHECK(read_flags({name}).command.subcommand == name);
        CHECK(read_flags({name}).faults.empty());
    }
    CHECK(read_flags({"--ipxe"}).command.subcommand == "run");
    CHECK(read_flags({"plan", "--ipxe"}).settings.ipxe);
    CHECK(faults_in(read_flags({"plna"})) == Words{"unknown subcommand 'plna' | did you mean plan?"});
    CHECK(
        contains(faults_in(read_flags({"frobnicate"})).at(0),
                 "unknown subcommand 'frobnicate' | expected run, plan, doctor, test, status, stop, reset"));
}

TEST_CASE("a wrong subcommand does not hide the faults behind it") {
    CHECK(faults_in(read_flags({"plna", "--memory=lots", "--ixpe"})).size() == 3);
}

TEST_CASE("help and version, with faults or without") {
    CHECK(read_flags({"--help"}).command.help);
    CHECK(read_flags({"-h"}).command.help);
    CHECK(read_flags({"plan", "-h"}).command.help);
    CHECK(read_flags({"--version"}).command.version);
    CHECK(read_flags({"--version"}).faults.empty());
    CHECK(read_flags({"--nonsense", "--help"}).command.help);
}

TEST_CASE("--format goes with what prints, in what it can print") {
    CHECK(read_flags({"plan", "--format", "json"}).command.format == OutputFormat::json);
    CHECK(read_flags({"plan", "--format=sh"}).command.format == OutputFormat::sh);
    CHECK(read_flags({"plan", "--format=text"}).command.format == OutputFormat::text);
    CHECK(read_flags({"plan"}).command.format == std::nullopt);
    CHECK(read_flags({"rom", "x", "--format=json"}).command.format == OutputFormat::json);
    CHECK(faults_in(read_flags({"rom", "x", "--format=sh"})) ==
          Words{"--format: invalid value 'sh' (expected text or json) | "});
    CHECK(faults_in(read_flags({"plan", "--format=yaml"})) ==
          Words{"--format: invalid value 'yaml' (expected text, json or sh) | "});
    CHECK(faults_in(read_flags({"--format=json"})) ==
          Words{"'run' does not take --format | see vm-launch run --help"});
    CHECK(faults_in(read_flags({"plan", "--format="})).size() == 1);
}

TEST_CASE("a configuration file may use JSON's own types") {
    const Settings typed = settings_of(read_config(
        R"({"ipxe": true, "memory": 512, "boot-order": ["network", "hd"], "port-forward": ["1:2", "3:4"],
            "ssh-port": 2222, "extra-args": ["-device", "a \"b\" \\ 'c'", "", "$x"], "no-console": false})"));
    CHECK(typed == settings_of(read_flags({"--ipxe", "--memory=512", "--boot-order=network,hd",
                                           "--port-forward=1:2,3:4", "--ssh-port=2222", "--", "-device",
                                           "a \"b\" \\ 'c'", "", "$x"})));
}

TEST_CASE("a list of QEMU's words survives whatever is in them") {
    for (const std::string word :
         {"a b", "\"", "\\", "'", "\\n", "a,b", "tab\tend", "new\nline", "ü", "\\\"", "-device", "#", "*"}) {
        CAPTURE(word);
        const nlohmann::json config{{"extra-args", {word, "last"}}};
        CHECK(settings_of(read_config(config.dump())).extra_args == Words{word, "last"});
    }
    CHECK(settings_of(read_config(R"({"extra-args": []})")).extra_args == Words{});
}

TEST_CASE("what cannot be a setting in a configuration file") {
    for (const std::string value : {"null", "{}", "[1]", "[[\"a\"]]", "[true]"}) {
        CAPTURE(value);
        const Words faults = faults_in(read_config(R"({"boot-order": )" + value + "}"));
        REQUIRE(faults.size() == 1);
        CHECK(
            contains(faults.front(),
                     "'boot-order' in /etc/vm.json: expected a string or a whole number from 0, or a list of "
                     "strings, not "));
    }
    CHECK(faults_in(read_config(R"({"memory": -5})")).size() == 1);
    CHECK(faults_in(read_config(R"({"memory": 1.5})")).size() == 1);
    CHECK(faults_in(read_config(R"({"ipxe": "maybe"})")).size() == 1);
    CHECK(faults_in(read_config(R"({"mac": true})")).size() == 1);
    CHECK(faults_in(read_config(R"({"name": ""})")).size() == 1);
}

TEST_CASE("unknown keys in a configuration file, with what was probably meant") {
    CHECK(faults_in(read_config(R"({"ixpe": true})")) ==
          Words{"'ixpe' in /etc/vm.json: unknown setting | did you mean ipxe?"});
    CHECK(faults_in(read_config(R"({"--memory": 5})")) ==
          Words{"'--memory' in /etc/vm.json: unknown setting | did you mean memory?"});
    CHECK(faults_in(read_config(R"({"config": "x", "help": true})")).size() == 2);
}

TEST_CASE("a configuration file that is no JSON object") {
    for (const std::string text : {"", "{", "ipxe: true", "{\"ipxe\": true,}", "\xff", "{} {}"}) {
        CAPTURE(text);
        const ReadResult read = read_config(text);
        CHECK(contains(text_of(read.faults), "--config: /etc/vm.json is not valid JSON\n  why:  "));
        CHECK(read.faults.size() == 1);
    }
    for (const std::string text : {"[]", "1", "null", "\"ipxe\""}) {
        CAPTURE(text);
        CHECK(contains(faults_in(read_config(text)).at(0), "--config: /etc/vm.json is not a JSON object"));
    }
}

TEST_CASE("a configuration file that cannot be read") {
    const ReadFile fails = [](const std::string& path) -> std::string {
        throw Error{{"cannot read " + path, "Permission denied", "", ExitCode::settings}};
    };
    const ReadResult read = read_settings({"--config=/x"}, {}, fails);
    CHECK(read.faults == std::vector<Fault>{{"--config: cannot read /x", "Permission denied",
                                             "name a readable file", ExitCode::settings}});
}

TEST_CASE("the configuration file's name may come from the environment; the flag wins") {
    const Environment environment{{"VM_LAUNCH_CONFIG", config_path}};
    const ReadFile file = file_with(R"({"name": "filed", "cpus": 0})");
    const ReadResult read = read_settings({}, environment, file);
    CHECK(read.settings.name == "filed");
    CHECK(faults_in(read) == Words{"'cpus' in /etc/vm.json: invalid value '0' (expected 1 to 4096) | "});
    CHECK(contains(text_of(read_settings({}, environment, file_with("x")).faults),
                   "$VM_LAUNCH_CONFIG: /etc/vm.json is not valid JSON"));
    CHECK(settings_of(read_settings({"--config", config_path}, {{"VM_LAUNCH_CONFIG", "/other"}},
                                    file_with("{}"))) == Settings{});
}

TEST_CASE("LOG_VERBOSE means debug, unless a log level is given") {
    const auto level = [](const Words& flags, const Environment& environment) {
        return settings_of(read_settings(flags, environment, no_file)).log_level;
    };
    CHECK(level({}, {{"LOG_VERBOSE", "1"}}) == LogLevel::debug);
    CHECK(level({}, {{"LOG_VERBOSE", "0"}}) == LogLevel::info);
    CHECK(level({}, {{"LOG_VERBOSE", "1"}, {"LOG_LEVEL", "error"}}) == LogLevel::error);
    CHECK(level({"--log-level=warning"}, {{"LOG_VERBOSE", "1"}}) == LogLevel::warning);
    CHECK(read_env({{"LOG_VERBOSE", "yes"}}).origins == Origins{{"log-level", "$LOG_VERBOSE"}});
    CHECK(settings_of(read_settings({"--config", config_path}, {{"LOG_VERBOSE", "1"}},
                                    file_with(R"({"log-level": "error"})")))
              .log_level == LogLevel::debug);
}

TEST_CASE("BOOT_FROM is another name of BOOT_ISO, which wins") {
    CHECK(settings_of(read_env({{"BOOT_FROM", "/a.iso"}})).iso == "/a.iso");
    CHECK(read_env({{"BOOT_FROM", "/a.iso"}}).origins == Origins{{"iso", "$BOOT_FROM"}});
    CHECK(settings_of(read_env({{"BOOT_FROM", "/a.iso"}, {"BOOT_ISO", "/b.iso"}})).iso == "/b.iso");
    CHECK(settings_of(read_env({{"BOOT_FROM", "/a.iso"}, {"BOOT_ISO", ""}})).iso == "/a.iso");
}

TEST_CASE("the origin of a default is its flag") {
    CHECK(origin_of({}, "memory") == "--memory (default)");
    CHECK(origin_of({{"memory", "$MEMORY"}}, "memory") == "$MEMORY");
}

// -- further NICs

TEST_CASE("further NICs are the same from flags, variables and a file") {
    const std::string second = "mode=bridge,bridge=br1,mac=02:00:00:00:00:07,model=e1000,mtu=1400,boot=on";
    const std::string third = "mode=direct,direct-dev=eth3,queues=2";
    const Settings by_flag = settings_of(read_flags({"--nic", second, "--nic=" + third}));
    const Settings by_env = settings_of(read_env({{"NETWORK2_MODE", "bridge"},
                                                  {"NETWORK2_BRIDGE", "br1"},
                                                  {"NETWORK2_MAC", "02:00:00:00:00:07"},
                                                  {"NETWORK2_MODEL", "e1000"},
                                                  {"NETWORK2_MTU", "1400"},
                                                  {"NETWORK2_BOOT", "1"},
                                                  {"NETWORK3_MODE", "direct"},
                                                  {"NETWORK3_DIRECT_DEV", "eth3"},
                                                  {"NETWORK3_QUEUES", "2"}}));
    const Settings by_file = settings_of(read_config(nlohmann::json{{"nic", {second, third}}}.dump()));
    REQUIRE(by_flag.nics.size() == 3);
    CHECK(by_flag.nics[0] == NicSettings{});
    CHECK(by_flag.nics[1].bridge == "br1");
    CHECK(by_flag.nics[1].model == "e1000");
    CHECK(by_flag.nics[1].boot == true);
    CHECK(by_flag.nics[2].queues == 2);
    CHECK(by_env == by_flag);
    CHECK(by_file == by_flag);
}

TEST_CASE("a NIC's faults name the NIC's own setting, all at once") {
    const auto by_flag = faults_in(read_flags({"--nic=mode=brigde,mtu=1", "--nic=color=red"}));
    CHECK(by_flag.size() == 2);
    const auto by_env = faults_in(read_env({{"NETWORK2_MODE", "brigde"}, {"NETWORK2_MTU", "1"}}));
    REQUIRE(by_env.size() == 2);
    CHECK(contains(by_env.at(0), "$NETWORK2_MODE"));
    CHECK(contains(by_env.at(0), "did you mean bridge"));
    CHECK(contains(by_env.at(1), "$NETWORK2_MTU"));
}

TEST_CASE("a misspelt variable is warned of, with what was meant, and no fault") {
    const ReadResult read = read_env(
        {{"IPXE_ENABLED", "1"}, {"NETWORK2_BRIGE", "br0"}, {"NETWORK2_MODE", "nat"}, {"HOSTNAME", "x"}});
    CHECK(read.faults.empty());
    CHECK(read.warnings ==
          std::vector<std::string>{
              "unknown variable $IPXE_ENABLED has no effect: did you mean IPXE_ENABLE?",
              "unknown variable $NETWORK2_BRIGE has no effect: did you mean NETWORK_BRIDGE?"});
}

TEST_CASE("what Docker-VM-Runner has and vm-launch has not is refused with what to use") {
    CHECK(contains(faults_in(read_env({{"NETWORK_MODE", "container"}})).at(0), "use bridge or direct with"));
    CHECK(contains(faults_in(read_env({{"NETWORK2_MODE", "container"}})).at(0), "$NETWORK2_MODE"));
    CHECK(contains(faults_in(read_env({{"BOOT_FROM", "https://h/x.iso"}})).at(0), "--bootfile URL"));
    CHECK(contains(faults_in(read_env({{"BOOT_FROM", "blank"}})).at(0), "BLANK_DISK=1"));
    CHECK(read_env({{"DISK_TYPE", "ide"}}).settings.disk_bus == DiskBus::sata);
    CHECK(read_env({{"DISK_TYPE", "usb"}}).settings.disk_bus == DiskBus::usb);
}

TEST_CASE("hints speak of variables to who sets variables") {
    CHECK(with_variables("add --netboot-dir DIR (NETBOOT_DIR), or give a URL") ==
          "add NETBOOT_DIR=DIR, or give a URL");
    CHECK(with_variables("add --ipxe (IPXE_ENABLE=1)") == "add IPXE_ENABLE=1");
    CHECK(with_variables("use --accel tcg") == "use ACCEL=tcg");
    CHECK(with_variables("--no-ipxe --boot-order network --pxe v4 with a signed shim") ==
          "IPXE_ENABLE=0 BOOT_ORDER=network PXE=v4 with a signed shim");
    CHECK(with_variables("leave --ipxe-rom out") == "leave IPXE_ROM_PATH out");
    CHECK(with_variables("start it with `--network host`, or --cap-add NET_ADMIN") ==
          "start it with `--network host`, or --cap-add NET_ADMIN");
    CHECK(with_variables("or add a NIC: --nic mode=nat") == "or add a NIC: NETWORK2_MODE=nat");
    CHECK(with_variables("give it by --nic") == "give it by --nic");
    CHECK(with_variables("say --disk-format qcow2, or --disk-format vmdk uses it") ==
          "say DISK_FORMAT=qcow2, or DISK_FORMAT=vmdk uses it");
    CHECK(with_variables("(--fast-boot=off leaves it)") == "(FAST_BOOT=off leaves it)");
    CHECK(with_variables("--boot-order network,hd") == "BOOT_ORDER=network,hd");
    CHECK(read_env({{"IPXE_ENABLE", "1"}, {"NETWORK2_MODE", "nat"}}).in_variables);
    CHECK(read_env({{"MEMORY", "lots"}}).in_variables);
    CHECK_FALSE(read_settings({"--disk", "d"}, {{"IPXE_ENABLE", "1"}}, no_file).in_variables);
    CHECK_FALSE(read_settings({"--nic=mode=nat"}, {{"IPXE_ENABLE", "1"}}, no_file).in_variables);
    CHECK_FALSE(read_settings({"--", "-snapshot"}, {{"IPXE_ENABLE", "1"}}, no_file).in_variables);
    CHECK(read_env({{"DISTRO", "alpine"}}).in_variables);  // of another program, but that is how they speak
    CHECK_FALSE(read_settings({"--disk", "d"}, {{"DISTRO", "alpine"}}, no_file).in_variables);
    CHECK_FALSE(read_env({}).in_variables);
}

TEST_CASE("exec's command is what stands behind the dashes, and nothing for QEMU") {
    const ReadResult read = read_flags({"exec", "web", "--", "ls", "-l", "--", "x"});
    CHECK(read.faults.empty());
    CHECK(read.command.words == Words{"web"});
    CHECK(read.command.rest == Words{"ls", "-l", "--", "x"});
    CHECK(read.settings.extra_args.empty());
}

TEST_CASE("screen, agent and health have their settings") {
    const ReadResult read = read_env(
        {{"GRAPHICS", "novnc"}, {"VNC_PORT", "5901"}, {"GUEST_AGENT", "no"}, {"HEALTH_STAGE", "OS"}});
    CHECK(read.faults.empty());
    CHECK(read.settings.graphics == Graphics::novnc);
    CHECK(read.settings.vnc_port == 5901);
    CHECK_FALSE(read.settings.guest_agent);
    CHECK(read.settings.health_stage == "os");
    CHECK(read_env({{"GRAPHICS", "vga"}}).faults.size() == 1);
    CHECK(read_env({{"VNC_PORT", "80"}}).faults.size() == 1);
    CHECK(read_env({{"HEALTH_STAGE", "linux"}}).faults.size() == 1);
    CHECK(read_env({{"CPU_MODEL", "host-passthrough"}}).settings.cpu == "host");
}

}  // namespace
}  // namespace vml
