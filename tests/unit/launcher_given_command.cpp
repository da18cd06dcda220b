// How vm-launch was called, as the report tells it: whatever is a secret is not in it.
#include <string>
#include <vector>

#include "base/logins.h"
#include "launcher/settings/given_command.h"
#include "launcher/settings/option_table.h"
#include "launcher/settings/secrets.h"
#include "launcher/settings/settings_reader.h"
#include "launcher/settings/shell_words.h"
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
    CHECK(without_secrets("root=/dev/nfs rd.password=hunter2 quiet") ==
          "root=/dev/nfs rd.password=*** quiet");
    CHECK(without_secrets("http://h/x?token=hunter2&y=1") == "http://h/x?token=***&y=1");
    CHECK(without_secrets("secret,id=s0,data=hunter2,format=raw") == "secret,id=s0,data=***,format=raw");
    CHECK(without_secrets("tls-creds-x509,passwordid=sec0,id=x") == "tls-creds-x509,passwordid=***,id=x");
    CHECK(without_secrets("ide,file=/a=b,x==,=") == "ide,file=/a=b,x==,=");
    CHECK(without_secrets("name=opt/x,string=hello") == "name=opt/x,string=hello");
    CHECK(without_secrets("keymap=de keyboard=us -k fr data=ordered") ==
          "keymap=de keyboard=us -k fr data=ordered");
    CHECK(without_secrets("http://${next-server}/{x}?a=1") == "http://${next-server}/{x}?a=1");
    CHECK(without_secrets("") == "");
    CHECK(without_secrets("=") == "=");
    CHECK(without_secrets("password=") == "password=");
}

TEST_CASE("a secret ends where its notation ends it, whatever is in it") {
    CHECK(without_secrets("password=ab,c token=ab&c") == "password=*** token=***");
    CHECK(without_secrets("password=ab;c,d=e quiet") == "password=*** quiet");
    CHECK(without_secrets("a Passwd='hunter 2' b") == "a Passwd=*** b");
    CHECK(without_secrets("password=\"hunter") == "password=***");
    CHECK(without_secrets("password=\"a b\"c\" d\" quiet") == "password=*** quiet");
    CHECK(without_secrets("x \"password=a b\" quiet") == "x \"password=*** quiet");
    CHECK(without_secrets("password=it's quiet") == "password=***");
    CHECK(without_secrets("http://h/?token=ab,c;d&y=1 quiet") == "http://h/?token=***&y=1 quiet");
    CHECK(without_secrets("secret,id=s3,data=ab,,c,format=raw") == "secret,id=s3,data=***,format=raw");
    CHECK(without_secrets("secret,id=s3,data=a b,,") == "secret,id=s3,data=***");
    CHECK(without_secrets("qom-type=secret,id=s2,data=ab,,,,c,d=e") == "qom-type=secret,id=s2,data=***,d=e");
    CHECK(without_secrets("data=ab&c,qom-type=secret") == "data=***");
    CHECK(without_secrets("type=11,value=io.systemd.credential:x=ab,c") == "type=11,value=***");
    CHECK(without_secrets("ip=a,b,password=ab,c") == "ip=a,b,password=***");
}

TEST_CASE("by its key's name") {
    for (const char* key :
         {"password", "PASSWD", "pwd", "rootpw", "luks.key", "api_key", "psk", "user[token]",
          "x-amz-signature", "passphrase", "aws.credential", "chap_secret", "ftp_pass"}) {
        CAPTURE(key);
        const std::string name = key;
        CHECK(without_secrets("a=1 " + name + "=ab,c b=2") == "a=1 " + name + "=*** b=2");
    }
}

TEST_CASE("JSON for QEMU in which a secret is named is not told from there on") {
    CHECK(without_secrets(R"({"qom-type":"secret","id":"s1","data":"ab,c"})") == "***");
    CHECK(without_secrets(R"(if=none,file=json:{ 'driver':'https','password-secret':'ab'},id=x)") ==
          "if=none,file=json:***");
    const std::string harmless = R"({"driver":"null-co","node-name":"n"})";
    CHECK(without_secrets(harmless) == harmless);
}

TEST_CASE("logins are those of URLs, and of dracut's notation of them") {
    CHECK(without_logins("http://me:hunter2@h:80/a@b") == "http://***@h:80/a@b");
    CHECK(without_logins("http://me:p@ss@h/ https://token@h") == "http://***@h/ https://***@h");
    CHECK(without_logins("inst.ks=http://me:it'sSECRET@h/k x=\"http://a\"b@h/\"") ==
          "inst.ks=http://***@h/k x=\"http://***@h/\"");
    CHECK(without_logins("ftp://me:a/b?c@h/k quiet") == "ftp://***@h/k quiet");
    CHECK(without_logins("netroot=iscsi:user:ab,c/d@10.0.0.1::3260::iqn root=x") ==
          "netroot=iscsi:***@10.0.0.1::3260::iqn root=x");
    CHECK(without_logins("cifs:me:pw@//h/share iscsi://me:pw@h/iqn") ==
          "cifs:***@//h/share iscsi://***@h/iqn");
    CHECK(without_logins("file:////x http://u@h") == "file:////x http://*@h");
    for (const char* text :
         {"http://[fe80::1]/a@b", "http://[::1]:80/a@b", "iscsi:10.0.0.1::::iqn.2026-01.x:y",
          "http://h/x me@h", "http://h:80?a@b", "me@h", "://", ""}) {
        CHECK(without_logins(text) == text);
    }
}

TEST_CASE("what is not a setting's alone is looked into, wherever it was given") {
    CHECK(given({"--append", "password=ab,c token=ab&c"}) == "vm-launch --append 'password=*** token=***'");
    CHECK(given({"--", "-object", "secret,id=s0,data=ab,,c"}) ==
          "vm-launch -- -object 'secret,id=s0,data=***'");
    CHECK(given({"--", "-object", R"({"qom-type":"secret","data":"hunter2"})"}) ==
          "vm-launch -- -object '***'");
    const std::string words = "-object 'secret,id=s9,data=a b' -name x -object qom-type=secret,data=hunter2";
    const std::string shown =
        R"('-object '\''secret,id=s9,data=***'\'' -name x -object '\''qom-type=secret,data=***'\''')";
    CHECK(given({"--extra-args", words}) == "vm-launch --extra-args " + shown);
    CHECK(given({"--extra-args=" + words}) == "vm-launch '--extra-args=" + shown.substr(1));
    CHECK(given({}, {{"EXTRA_ARGS", words}}) == "EXTRA_ARGS=" + shown + " vm-launch");
    CHECK(given({"--extra-args", "-object 'secret,data=hunter2"}) == "vm-launch --extra-args '***'");
}

TEST_CASE("a login that iPXE gets by DHCP is not told, and no script") {
    for (const char* code : {"190", "191", "192", "193", "175.191"}) {
        const std::string option = std::string{code} + "=hunter2";
        const std::string shown = std::string{code} + "=***";
        CHECK(given({"--dhcp-option", option}) == "vm-launch --dhcp-option '" + shown + "'");
        CHECK(given({"--dhcp-option=" + option}) == "vm-launch '--dhcp-option=" + shown + "'");
        CHECK(given({}, {{"DHCP_OPTION2", option}}) == "DHCP_OPTION2='" + shown + "' vm-launch");
    }
    CHECK(given({"--dhcp-option", "209=grub.cfg"}) == "vm-launch --dhcp-option 209=grub.cfg");
    const std::string script = "#!ipxe\nset password hunter2\n";
    CHECK(given({"--script", script}) == "vm-launch --script '#!ipxe…'");
    CHECK(given({}, {{"NETBOOT_SCRIPT", " " + script}}) == "NETBOOT_SCRIPT='#!ipxe…' vm-launch");
}

TEST_CASE("what is endless is cut") {
    CHECK(given({"--bootfile", std::string(5000, 'x')}) ==
          "vm-launch --bootfile '" + std::string(1024, 'x') + "…'");
    const std::string endless = given(Words(1000, std::string(1000, ' ')));
    CHECK(endless.size() < std::size_t{17} << 10);
    CHECK(endless.ends_with("' …"));
    CHECK(parse_shell_words(endless).size() == 18);  // no quote is left open
}

}  // namespace
}  // namespace vml
