// How vm-launch was called, as the report tells it: whatever is a secret is not in it.
#include <string>
#include <vector>

#include "launcher/settings/given_command.h"
#include "launcher/settings/option_table.h"
#include "launcher/settings/settings_reader.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using test::no_file;
using test::read_settings;
using test::Words;

std::string given(const Words& arguments, const Environment& environment = {}) {
    return read_settings(arguments, environment, no_file).given;
}

TEST_CASE("a command is told as it was given, for a shell to read back") {
    CHECK(given({}) == "vm-launch");
    CHECK(given({"--ipxe", "--bootfile", "my boot.ipxe", "--name=it's"}) ==
          "vm-launch --ipxe --bootfile 'my boot.ipxe' '--name=it'\\''s'");
    CHECK(given({"run", "--ipxe", "--", "-device", "x,y=z"}) == "vm-launch run --ipxe -- -device x,y=z");
}

TEST_CASE("variables stand before it, those that count alone") {
    CHECK(given({"--ipxe"}, {{"BOOT_ORDER", "network"}, {"HOME", "/root"}, {"PATH", "/bin"}}) ==
          "BOOT_ORDER=network vm-launch --ipxe");
    CHECK(given({"--boot-order", "hd"}, {{"BOOT_ORDER", "network"}}) == "vm-launch --boot-order hd");
    CHECK(given({}, {{"NETWORK2_MODE", "bridge"}, {"NETWORK2_BRIDGE", "br 0"}, {"LOG_VERBOSE", "1"}}) ==
          "LOG_VERBOSE=1 NETWORK2_BRIDGE='br 0' NETWORK2_MODE=bridge vm-launch");
}

TEST_CASE("no secret of any setting is told, by whichever way it was given") {
    for (const OptionRow& row : option_table()) {
        if (!row.is_secret) {
            continue;
        }
        const std::string flag = "--" + std::string{row.flag};
        CAPTURE(flag);
        CHECK(given({flag, "hunter2"}) == "vm-launch " + flag + " '***'");
        CHECK(given({flag + "=hunter2"}) == "vm-launch '" + flag + "=***'");
        for (const std::string_view name : {row.environment, row.also}) {
            if (!name.empty()) {
                CHECK(given({}, {{std::string{name}, "hunter2"}}) == std::string{name} + "='***' vm-launch");
            }
        }
    }
    const std::string user_data = "#cloud-config\nchpasswd: {list: 'root:hunter2'}\n";
    CHECK(given({"--user-data", user_data}) == "vm-launch --user-data '***'");
    CHECK(given({}, {{"CLOUD_INIT_USER_DATA", user_data}}) == "CLOUD_INIT_USER_DATA='***' vm-launch");
    CHECK(given({"--user-data", "/srv/user-data"}) == "vm-launch --user-data /srv/user-data");
}

TEST_CASE("nor one that stands in another text") {
    CHECK(without_secrets("http://me:hunter2@h:80/a@b") == "http://***@h:80/a@b");
    CHECK(without_secrets("http://me:p@ss@h/ https://token@h") == "http://***@h/ https://***@h");
    CHECK(without_secrets("http://h/x?token=hunter2&y=1") == "http://h/x?token=***&y=1");
    CHECK(without_secrets("root=/dev/nfs rd.password=hunter2 quiet") ==
          "root=/dev/nfs rd.password=*** quiet");
    CHECK(without_secrets("a Passwd='hunter 2' b") == "a Passwd=*** b");
    CHECK(without_secrets("password=\"hunter2") == "password=***");
    CHECK(without_secrets("secret,id=s0,data=hunter2,format=raw") == "secret,id=s0,data=***,format=raw");
    CHECK(without_secrets("tls-creds-x509,passwordid=sec0,data=x") == "tls-creds-x509,passwordid=***,data=x");
    CHECK(without_secrets("ide,file=/a=b,x==,=") == "ide,file=/a=b,x==,=");
    CHECK(without_secrets("") == "");
}

TEST_CASE("what is endless is cut") {
    CHECK(given({"--bootfile", std::string(5000, 'x')}) ==
          "vm-launch --bootfile '" + std::string(1024, 'x') + "…'");
    CHECK(given(Words(1000, std::string(1000, 'x'))).size() < std::size_t{17} << 10);
}

}  // namespace
}  // namespace vml
