// Verdicts on scripts: which line it was, and what must not be blamed on one.
#include <string>

#include "tests/unit/bootwatch_machine.h"

namespace vml::boot {
namespace {

using namespace test;

const std::string no_file = "Could not boot image: No such file or directory (http://ipxe.org/2d0c613b)";

// A boot whose script came by TFTP and ended with iPXE's words.
Machine ran(const std::string& script, const std::string& word, const std::string& error) {
    Machine machine;
    machine.has_address().tftp("boot.ipxe", "#!ipxe\n" + script).says("boot.ipxe : 70 bytes [script]");
    for (const std::string& line : {word, error}) {
        if (!line.empty()) {
            machine.says(line);
        }
    }
    machine.stops();
    return machine;
}

TEST_CASE("each of a script's own faults names its line") {
    const char* unknown = "Could not boot image: Exec format error (http://ipxe.org/2e022001)";
    const char* label = "Could not boot image: No such file or directory (http://ipxe.org/2d02803b)";
    const char* unequal = "Could not boot image: Result too large (http://ipxe.org/46022001)";
    const char* unset = "Could not boot image: No such file or directory (http://ipxe.org/2d02203b)";
    const char* usage = "Could not boot image: Invalid argument (http://ipxe.org/1c162202)";
    struct Row {
        const char* script;
        const char* word;
        const char* error;
        const char* what;
        const char* place;
    };
    const Row row = GENERATE_COPY(
        Row{"echo a\nfoo ||\nfoo\n", "foo: command not found", unknown, "uses a command",
            "boot.ipxe, line 4: "},
        Row{"set a\n${cmd} x\n", ": command not found", unknown, "uses a command", "boot.ipxe, line 3: "},
        Row{":a\ngoto a ||\ngoto b\n", "", label, "a label", "boot.ipxe, line 4: "},
        Row{":a\ngoto ${b}\ngoto c\n", "", label, "a label", "boot.ipxe, line 3 or 4: "},
        Row{"iseq 1 2 || goto x\n\n:x iseq 1 2\n", "", unequal, "a condition", "boot.ipxe, line 4: "},
        Row{"iseq 1 2\nisset ${a}\n", "", unset, "a condition", "boot.ipxe, line 3: "},
        Row{"kernel k\nkernel --nosuch x\n", "Unrecognised option \"--nosuch\"", usage, "in a way",
            "boot.ipxe, line 3: "},
        Row{"sleep 1\nkernel\n", "See http://ipxe.org/cmd/kernel for further information", usage, "in a way",
            "boot.ipxe, line 3: "},
        Row{"sleep x\n", "\"x\": invalid integer value", usage, "in a way", "boot.ipxe, line 2: "},
        Row{"boot || goto x\n:x\nboot\n", "No image selected", "", "before it has loaded",
            "boot.ipxe, line 4: "},
        Row{"imgverify k k.sig\n", "Could not verify: Permission denied (http://ipxe.org/022c613b)",
            "Could not boot image: Permission denied (http://ipxe.org/022c613b)", "ended at imgverify",
            "boot.ipxe, line 2: iPXE's error 022c613b"});
    CAPTURE(row.script);
    Machine machine = ran(row.script, row.word, row.error);
    machine.gets(ExitCode::not_bootable, "the script boot.ipxe ", row.place);
    CHECK(contains(machine.verdict().what, row.what));
}

TEST_CASE("a line that is not certain is not claimed") {
    const char* unequal = "Could not boot image: Result too large (http://ipxe.org/46022001)";
    Machine many = ran("iseq 1 2\niseq 1 2\niseq 1 2\niseq 1 2\niseq 1 2\n", "", unequal);
    many.gets(ExitCode::not_bootable, "condition", "");
    CHECK_FALSE(contains(many.verdict().why, "line"));
    Machine elsewhere = ran("echo a\n", "", unequal);  // of a script that is built into iPXE
    elsewhere.gets(ExitCode::not_bootable, "condition", "");
    CHECK_FALSE(contains(elsewhere.verdict().why, "line"));
}

TEST_CASE("of a script whose end was not seen that is said; the served folder has the rest") {
    const std::string text = "#!ipxe\nfoo ||\n" + std::string(600, '#') + "\nfoo\n";
    const auto boot = [&](const std::string& served) {
        Machine machine;
        machine.has_address();
        ++machine.port;
        machine.see(udp(true, machine.port, 69, request("boot.ipxe")));
        machine.see(udp(false, 3000, machine.port, be16(3) + be16(1) + text.substr(0, 512)).substr(0, 300));
        machine.see(udp(false, 3000, machine.port, be16(3) + be16(2) + text.substr(512)));
        machine.says("foo: command not found")
            .says("Could not boot image: Exec format error (http://ipxe.org/2e022001)")
            .stops();
        machine.about.served = {{"boot.ipxe", served}};
        return machine.verdict();
    };
    CHECK(contains(boot(text).why, "boot.ipxe, line 4: iPXE says"));
    CHECK_FALSE(contains(boot(text + "x").why, "line"));  // it is another one by now
    std::string other = text;
    other.replace(8, 3, "bar");
    CHECK_FALSE(contains(boot(other).why, "line"));
}

TEST_CASE("one of several scripts: the one that has the line") {
    Machine machine;
    machine.has_address().tftp("boot.ipxe", "#!ipxe\nchain menu.ipxe\nfoo\n").tftp("menu.ipxe", "#!ipxe\n");
    machine.says("foo: command not found")
        .says("Could not boot image: Exec format error (http://ipxe.org/2e022001)")
        .stops();
    machine.gets(ExitCode::not_bootable, "the script boot.ipxe uses", "boot.ipxe, line 3: iPXE says");
}

TEST_CASE("what could not be fetched was asked for by a line") {
    Machine machine;
    machine.has_address().tftp("boot.ipxe", "#!ipxe\nset v k\nkernel http://h/${v}\n").no_http("/k");
    machine.says(no_file).stops();
    machine.gets(ExitCode::fetch_failed, "cannot fetch http://h/k", "; asked for by boot.ipxe, line 3",
                 "is the name right");
}

TEST_CASE("a script that went past a failed fetch is judged by the line that ended it") {
    Machine machine;
    machine.has_address()
        .tftp("boot.ipxe", "#!ipxe\nimgfetch http://h/logo || echo on\nfoo\n")
        .no_http("/logo");
    machine.says("foo: command not found")
        .says("Could not boot image: Exec format error (http://ipxe.org/2e022001)")
        .stops();
    machine.gets(ExitCode::not_bootable, "the script boot.ipxe uses", "boot.ipxe, line 3: iPXE says");
    CHECK(contains(machine.verdict().why, "; before that http://h/logo: HTTP/1.1 404 Not Found"));
}

TEST_CASE("a file that vm-launch itself does not serve") {
    Machine machine;
    const std::string named = option(67, "http://h/boot.ipxe");
    machine.has_address(named).no_http("/k").says(no_file).stops();
    CHECK(contains(machine.verdict().hint, "in 10.0.0.1's folder?"));
    machine.about.serves = "/srv/netboot";
    CHECK(contains(machine.verdict().hint, "in /srv/netboot?"));
    machine.about.serves = "";
    CHECK(contains(machine.verdict().hint, "vm-launch serves the script alone"));
    Machine other;  // whose script is vm-launch's, and whose kernel is another server's
    other.about.serves = "";
    other.has_address(option(67, "http://10.0.0.9/boot.ipxe")).no_http("/k").says(no_file).stops();
    CHECK(contains(other.verdict().hint, "in 10.0.0.1's folder?"));
    Machine tftp;
    tftp.about.serves = "/srv/netboot";
    tftp.about.network = Network::nat;
    tftp.has_address(option(67, "boot.ipxe")).no_tftp("boot.ipxe", 1, "File not found").stops();
    CHECK(contains(tftp.verdict().hint, "in /srv/netboot?"));
}

TEST_CASE("a protocol that this iPXE does not have") {
    const std::string complaint = "https://h/k... Operation not supported (http://ipxe.org/3c092003)";
    Machine machine;
    machine.has_address().tftp("boot.ipxe", "#!ipxe\nkernel https://h/k\n").says(complaint);
    Machine handled = machine;
    machine.says("Could not boot image: Operation not supported (http://ipxe.org/3c092003)").stops();
    machine.gets(ExitCode::fetch_failed, "has no protocol to fetch https://h/k", "3c092003", "use http://");
    handled.stops();
    handled.gets(ExitCode::not_bootable, "ended without booting anything", "");
    Machine named;
    named.has_address(option(67, "nfs://h/k"))
        .says("nfs://h/k... Operation not supported (http://ipxe.org/3c092003)")
        .stops();
    named.gets(ExitCode::fetch_failed, "has no protocol to fetch nfs://h/k", "", "http:// and tftp://");
}

TEST_CASE("what was fetched in the initramfs's place is told of") {
    Machine machine;
    machine.has_address()
        .tftp("boot.ipxe", "#!ipxe\nkernel k\ninitrd i\n")
        .http("/k", linux_kernel())
        .http("/i", "\1\2\3");
    machine.says("Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)");
    machine.gets(ExitCode::guest_panicked, "no root file system", "",
                 "/i, which was fetched with the kernel, is no archive");
    Machine none;
    none.has_address().tftp("boot.ipxe", "#!ipxe\nkernel k\n").http("/k", linux_kernel());
    none.says("Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)");
    none.gets(ExitCode::guest_panicked, "no root file system", "", "no initramfs was fetched");
}

TEST_CASE("an unset variable in a URL") {
    struct Row {
        const char* script;
        const char* path;
        const char* what;
        const char* why;
    };
    const Row row = GENERATE(
        Row{"kernel http://h/${dir}/k\n", "//k", "cannot fetch http://h//k: a part of it is empty",
            "boot.ipxe, line 2: nothing sets ${dir}"},
        Row{"chain http://h/${hostname}.ipxe\n", "/.ipxe",
            "cannot fetch http://h/.ipxe: a part of it is empty", "boot.ipxe, line 2: ${hostname} is empty"},
        Row{"set x y\nkernel http://h/k${ver}\n", "/k", "http://h/k: a part", "line 3: nothing sets ${ver}"},
        Row{"kernel http://${next-server}${dir}/k\n", "/k", "http://h/k: a part",
            "line 2: nothing sets ${dir}"},
        Row{"echo\n", "//k", "http://h//k: a part of it is empty", "404"},
        Row{"echo\n", "/-.ipxe", "http://h/-.ipxe: a part of it is empty", "404"});
    CAPTURE(row.script);
    Machine machine;
    machine.has_address().tftp("boot.ipxe", std::string{"#!ipxe\n"} + row.script).no_http(row.path);
    machine.says(no_file).stops();
    machine.gets(ExitCode::fetch_failed, row.what, row.why, "isset ${NAME}");
}

TEST_CASE("a URL that only looks as if a variable were unset") {
    struct Row {
        const char* script;
        const char* path;
    };
    const Row row = GENERATE(Row{"kernel http://h//k\n", "//k"},                    // it was written so
                             Row{"set base http://h/\nkernel ${base}/k\n", "//k"},  // a slash too many
                             Row{"kernel http://h/${dir}/k\n", "/a/k"},             // it was set elsewhere
                             Row{"set ${n} v\nkernel http://h/k${ver}\n", "/k"},    // it may be set
                             Row{"kernel http://h/k${hostname}\n", "/k"});          // and this by DHCP
    CAPTURE(row.script);
    Machine machine;
    machine.has_address().tftp("boot.ipxe", std::string{"#!ipxe\n"} + row.script).no_http(row.path);
    machine.says(no_file).stops();
    machine.gets(ExitCode::fetch_failed, "cannot fetch http://h/", "404", "is the name right");
    CHECK_FALSE(contains(machine.verdict().what, "empty"));
    Machine handled;
    handled.has_address().tftp("boot.ipxe", "#!ipxe\nchain http://h/${dir}/k ||\n").no_http("//k").stops();
    handled.gets(ExitCode::not_bootable, "the iPXE script ended", "404");
}

TEST_CASE("a URL without a server, for which DNS is asked or not") {
    Machine machine;
    machine.has_address().tftp("boot.ipxe", "#!ipxe\nkernel http://${server}/k\n");
    const std::string question =
        be16(5) + be16(0x0100) + be16(1) + be16(0) + be32(0) + std::string(1, '\0') + be16(1) + be16(1);
    std::string answer = question;
    answer.replace(2, 2, be16(0x8183));
    machine.see(udp(true, 4000, 53, question)).see(udp(false, 53, 4000, answer));
    machine.says("http:///k... Error 0x3e11613b (http://ipxe.org/3e11613b)")
        .says("Could not boot image: Error 0x3e11613b (http://ipxe.org/3e11613b)")
        .stops();
    machine.gets(ExitCode::fetch_failed, "cannot fetch http:///k: a part of it is empty",
                 "boot.ipxe, line 2: nothing sets ${server}; it names no server");
    Machine without;  // a DNS server
    without.has_address().tftp("boot.ipxe", "#!ipxe\nkernel http://${server}/k\n");
    without.says("http:///k... Error 0x3e11623b (http://ipxe.org/3e11623b)")
        .says("Could not boot image: Error 0x3e11623b (http://ipxe.org/3e11623b)")
        .stops();
    without.gets(ExitCode::fetch_failed, "cannot fetch http:///k: a part of it is empty",
                 "nothing sets ${server}");
}

TEST_CASE("a script without its first line, and the texts that are none") {
    const char* refused = "Could not boot: Exec format error (http://ipxe.org/2e008081)";
    Machine machine;
    machine.has_address().tftp("boot.ipxe", "# Schl\xc3\xbcssel\nkernel k\n").says(refused).stops();
    machine.gets(ExitCode::not_bootable, "tftp://10.0.0.1/boot.ipxe is text but does not begin with #!ipxe",
                 "its first line is \"# Schl??ssel\"", "#!ipxe");
    Machine marked;
    marked.has_address().tftp("boot.ipxe", "\xef\xbb\xbf#!ipxe\nkernel k\n").says(refused).stops();
    marked.gets(ExitCode::not_bootable, "is text but does not", "byte order mark",
                "without a byte order mark");
    Machine silent;  // an iPXE that takes whatever comes for a boot program
    silent.has_address().tftp("boot.ipxe", "kernel k\nboot\n");
    silent.timeline.silence(200, silent.at);
    silent.gets(ExitCode::not_bootable, "is text but does not begin", "started it as a program");
    Machine late;  // the same, and the time is up
    late.has_address().tftp("boot.ipxe", "#!ipxe\nchain other.ipxe\n").tftp("other.ipxe", "kernel k\n");
    late.is_out_of_time(30);
    late.gets(ExitCode::not_bootable, "tftp://10.0.0.1/other.ipxe is text but", "started it as a program");
    Machine menu;  // a text that a script keeps, and a menu that waits
    menu.has_address().tftp("boot.ipxe", "#!ipxe\nimgfetch note.txt\n").tftp("note.txt", "a note\n");
    menu.is_out_of_time(30);
    menu.gets(ExitCode::boot_timeout, "went no further", "");
    Machine beside;  // what goes into an initramfs
    beside.has_address().tftp("boot.ipxe", "#!ipxe\n").http("/k", "\1\2\3").http("/preseed.cfg", "d-i x\n");
    beside.says(refused).stops();
    beside.gets(ExitCode::not_bootable, "http://h/k cannot be booted", "something unknown");
    Machine loader;  // its configuration
    loader.has_address(option(67, "pxelinux.0"))
        .tftp("pxelinux.0", "\1\2\3")
        .tftp("pxelinux.cfg/default", "LABEL x\n");
    loader.stops();
    CHECK_FALSE(contains(loader.verdict().what, "#!ipxe"));
    Machine other;  // the firmware's own client takes no script at all
    other.has_address(option(67, "list"), option(60, "PXEClient:Arch:00000")).tftp("list", "a list\n");
    other.timeline.silence(200, other.at);
    CHECK_FALSE(contains(other.verdict().what, "#!ipxe"));
}

TEST_CASE("whatever else ended a script: iPXE's own line") {
    Machine machine;
    machine.has_address().tftp("boot.ipxe", "#!ipxe\nifopen net7\n");
    machine.says("Could not boot image: No such device (http://ipxe.org/2c048087)").stops();
    machine.gets(ExitCode::not_bootable, "the script boot.ipxe ended with an error",
                 "iPXE says \"Could not boot image: No such device", "|| goto");
}

}  // namespace
}  // namespace vml::boot
