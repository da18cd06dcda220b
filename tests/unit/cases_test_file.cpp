// A file of cases → what is run and what is expected; and every fault of it, with its place.
#include "launcher/cases/test_file.h"
#include "tests/unit/cases_support.h"

namespace vml::cases::test {
namespace {

constexpr const char* toml_path = "/tests/boot.toml";

TestFile good_file(std::string_view text, const char* path = toml_path) {
    TestFile file = read_test_file(text, path);
    INFO(text_of(file.faults));
    REQUIRE(file.faults.empty());
    return file;
}

std::string faults_of(std::string_view text, const char* path = toml_path) {
    return text_of(read_test_file(text, path).faults);
}

TEST_CASE("a file with two cases") {
    const TestFile file = good_file(R"(
memory = "512M"
[settings]
netboot-dir = "netboot"
ipxe = true

[[case]]
name = "up"
firmware = "legacy"
expect = {stage = "os", seconds = 60, bytes = 1000000, console = "login:"}
matrix = {nic-model = ["virtio", "e1000"], cpus = [1, 2], balloon = [true, false]}

[[case]]
bootfile = "http://192.0.2.1/none.ipxe"
memory = "1G"
[case.expect]
exit = 13
fetched = ["http://*/a", {url = "tftp://*/b", by = "proxydhcp", from = "192.0.2.1", offered = "192.0.2.2"}]
not_fetched = ["*/c"]
)");
    REQUIRE(file.cases.size() == 2);
    const Case& up = file.cases[0];
    CHECK(up.name == "up");
    CHECK(up.settings.values.at("netboot-dir").text == "/tests/netboot");
    CHECK(up.settings.values.at("memory").text == "512M");
    CHECK(up.settings.values.at("ipxe").text == "1");
    CHECK(up.expect.stage == boot::Stage::os);
    CHECK(up.expect.exit_code == 0);
    CHECK(up.expect.console == "login:");
    CHECK(up.expect.seconds == 60.0);
    CHECK(up.expect.bytes == 1000000U);
    CHECK(up.matrix.size() == 3);
    CHECK(std::find(up.matrix.begin(), up.matrix.end(), Axis{"balloon", {"on", "off"}}) != up.matrix.end());
    const Case& fails = file.cases[1];
    CHECK(fails.name == "case 2");
    CHECK(fails.settings.values.at("memory").text == "1G");
    CHECK(fails.settings.values.at("bootfile").text == "http://192.0.2.1/none.ipxe");
    CHECK(fails.expect.exit_code == 13);
    CHECK(fails.expect.fetched ==
          std::vector<ExpectedFile>{{"http://*/a"},
                                    {"tftp://*/b", "192.0.2.1", NamedBy::proxydhcp, "192.0.2.2"}});
    CHECK(fails.expect.not_fetched == std::vector<std::string>{"*/c"});
}

TEST_CASE("the same in JSON, and paths that are none") {
    const TestFile file = good_file(R"({"case": [{"script": "sub/a.ipxe", "initrd": ["x.gz", "http://h/y.gz"],
        "kernel": "/boot/vmlinuz", "matrix": {"netboot-dir": ["one", "/two"]}, "disk": "d.qcow2"}]})",
                                    "tests/boot.json");
    const Layer& settings = file.cases.front().settings;
    CHECK(settings.values.at("script").text == "tests/sub/a.ipxe");
    CHECK(settings.values.at("initrd").text == "tests/x.gz,http://h/y.gz");
    CHECK(settings.values.at("kernel").text == "/boot/vmlinuz");
    CHECK(settings.disks.front().text == "tests/d.qcow2");
    CHECK(file.cases.front().matrix.front().values == std::vector<std::string>{"tests/one", "/two"});
    CHECK(good_file(R"({"case": [{"netboot-dir": "one"}]})", "boot.json")
              .cases.front()
              .settings.values.at("netboot-dir")
              .text == "one");
}

TEST_CASE("every fault of a file is told at once, with its place") {
    const std::string text = faults_of(R"(
expect = {exit = 1}
memroy = "1G"
[[case]]
name = "a"
firmwre = "uefi"
events = "x"
expect = {stag = "os", exit = 300, console = "(", fetched = [7, {url = "x", bye = "dhcp"}], seconds = 0}
matrix = {nic-model = ["virtjo"], cpus = [1.5]}
[[case]]
name = "a"
expect = "os"
[[case]]
expect = {stage = "ox", bytes = -1, not_fetched = "x", fetched = [{by = "me"}]}
)");
    for (const char* part :
         {"'expect' in /tests/boot.toml: it belongs in a case",
          "'memroy' in /tests/boot.toml: unknown key (did you mean memory?)",
          "'firmwre' in /tests/boot.toml, case 'a': unknown key (did you mean firmware?)",
          "'events' in /tests/boot.toml, case 'a': test sets it itself",
          "'stag' in expect in /tests/boot.toml, case 'a': unknown key (did you mean stage?)",
          "'exit' in expect in /tests/boot.toml, case 'a': expected an exit code, 0 to 255",
          "'console' in expect in /tests/boot.toml, case 'a': expected a regular expression",
          "'fetched' in expect in /tests/boot.toml, case 'a': expected URLs",
          "'bye' in fetched of expect in /tests/boot.toml, case 'a': unknown key",
          "'seconds' in expect in /tests/boot.toml, case 'a': expected seconds, above 0",
          "invalid value 'virtjo'", "'cpus' of the matrix in /tests/boot.toml, case 'a': expected a list",
          "two cases are called 'a'", "expect in /tests/boot.toml, case 'a': expected a table",
          "'stage' in expect in /tests/boot.toml, case 'case 3': expected a stage",
          "'bytes' in expect in /tests/boot.toml, case 'case 3': expected a number of bytes",
          "'not_fetched' in expect in /tests/boot.toml, case 'case 3': expected a list of URLs",
          "'by' in fetched of expect in /tests/boot.toml, case 'case 3': expected dhcp, proxydhcp"}) {
        INFO(part << "\n" << text);
        CHECK(contains(text, part));
    }
}

TEST_CASE("what is there twice is a fault, wherever it is") {
    CHECK(contains(faults_of(R"({"case": [{"expect": {"console": "a", "console": "b"}}]})", "x.json"),
                   "'console' in x.json: it is there twice"));
    CHECK(contains(faults_of(R"({"case": [{"expect": {}, "expect": {}}]})", "x.json"), "'expect' in x.json"));
    CHECK(contains(faults_of("memory = '1G'\n[settings]\nmemory = '2G'\n[[case]]\nname = 'a'"),
                   "'memory' in /tests/boot.toml: it is there twice, in 'settings' and outside it"));
    const TestFile file = good_file(R"({"case": [{"expect": {}}, {"expect": {}}]})", "x.json");
    CHECK(file.cases.size() == 2);
}

TEST_CASE("a value that cannot be right is told with its place") {
    const std::string text = faults_of(R"(
memory = "1Q"
[[case]]
name = "a"
firmware = "uefy"
nic = ["mode=brigde"]
dhcp-option = "x"
[[case]]
firmware = "uefi"
)");
    CHECK(contains(text, "'memory' in /tests/boot.toml: "));
    CHECK(contains(text, "'firmware' in /tests/boot.toml, case 'a': invalid value 'uefy'"));
    CHECK(contains(text, "'dhcp-option' in /tests/boot.toml, case 'a': "));
    CHECK(std::count(text.begin(), text.end(), '\n') >= 3);
}

TEST_CASE("a public key's file is beside the test's, a key is a text") {
    const TestFile file = good_file(R"(
[[case]]
ssh-pubkey = "key.pub"
[[case]]
ssh-pubkey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ me@host"
[[case]]
ssh-pubkey = "~/.ssh/id.pub"
matrix = {bootfile = ["a.ipxe", "b.ipxe"]}
)");
    CHECK(file.cases[0].settings.values.at("ssh-pubkey").text == "/tests/key.pub");
    CHECK(file.cases[1].settings.values.at("ssh-pubkey").text.starts_with("ssh-ed25519 AAAA"));
    CHECK(file.cases[2].settings.values.at("ssh-pubkey").text == "~/.ssh/id.pub");
    CHECK(file.cases[2].matrix.front().values == std::vector<std::string>{"a.ipxe", "b.ipxe"});
}

TEST_CASE("a time that is no number is no limit") {
    for (const char* seconds : {"nan", "inf", "-1"}) {
        INFO(seconds);
        CHECK(contains(faults_of(std::string{"[[case]]\nexpect = {seconds = "} + seconds + "}"),
                       "expected seconds, above 0"));
    }
}

TEST_CASE("a pattern keeps its blanks, or is refused") {
    CHECK(contains(faults_of("[[case]]\nexpect = {console = \"login: \"}"), "no blank around it"));
    CHECK(good_file("[[case]]\nexpect = {console = \"login:[ ]\"}").cases.front().expect.console ==
          "login:[ ]");
}

TEST_CASE("a file that is none") {
    for (const char* header : {"[=]", "[@", "[\xc3\xa9]", "[\x01]", "[[%]]"}) {
        INFO(header);
        CHECK(contains(faults_of(header), "/tests/boot.toml is not valid TOML: line 1"));
    }
    CHECK(contains(faults_of("[[case"), "/tests/boot.toml is not valid TOML"));
    CHECK(contains(faults_of("{", "x.json"), "x.json is not valid JSON"));
    CHECK(contains(faults_of("[]", "x.json"), "x.json is not a JSON object"));
    CHECK(contains(faults_of("memory = '1G'"), "it has no cases"));
    CHECK(contains(faults_of("case = []"), "it has no cases"));
    CHECK(contains(faults_of("case = ['x']"), "case 1 in /tests/boot.toml: expected a table"));
    CHECK(contains(faults_of("settings = 1\n[[case]]\nname = 1\nmatrix = 1"), "'settings' in"));
    CHECK(contains(faults_of("[[case]]\nmemory = [1]"), "'memory' in /tests/boot.toml, case 'case 1'"));
}

}  // namespace
}  // namespace vml::cases::test
