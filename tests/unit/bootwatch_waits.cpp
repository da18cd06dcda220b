// Boots that wait, or went past a fault, beside those that did not: what each must get, and must not.
#include <string>

#include "bootwatch/progress.h"
#include "tests/unit/bootwatch_machine.h"

namespace vml::boot {
namespace {

using namespace test;

TEST_CASE("boots without end: of a kernel that resets at once, and of an installer") {
    for (const bool ran : {false, true}) {
        Machine machine;
        machine.has_address().tftp("boot.ipxe", "#!ipxe\n").http("/k", linux_kernel());
        if (ran) {
            machine.says("Linux version 6.1.0 (x)");
        }
        machine.timeline.reset(machine.at + 1);
        const Fault fault = judge_loop(machine.timeline.boots(), 3);
        CHECK(fault.code == ExitCode::reboot_loop);
        CHECK(contains(fault.hint, "resets the machine") == !ran);
        CHECK(contains(fault.hint, "--boot-once network") == ran);
    }
}

TEST_CASE("a page that came for an initramfs is named where the kernel finds no root") {
    for (const bool page : {false, true}) {
        Machine machine;
        machine.has_address().tftp("boot.ipxe", "#!ipxe\n").http("/k", linux_kernel());
        machine.http("/initrd",
                     page ? "<!DOCTYPE html><html><body>Sign in</body></html>" : "\x1f\x8b\x08 packed");
        machine.says("Linux version 6.1.0 (x)")
            .says("Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)");
        machine.gets(ExitCode::guest_panicked, "the kernel found no root file system",
                     "Unable to mount root fs",
                     page ? "http://h/initrd is an HTML page" : "is the initramfs whole");
    }
}

TEST_CASE("a kernel that was fetched whole may run without a word: an optional 404 is a note") {
    Machine machine;
    machine.has_address().tftp("boot.ipxe", "#!ipxe\n").http("/k", linux_kernel()).no_http("/optional");
    machine.is_out_of_time(30);
    machine.gets(ExitCode::boot_timeout, "nothing was seen of the kernel http://h/k", "404 Not Found",
                 "console=ttyS0");
    Machine refused;
    refused.has_address().tftp("boot.ipxe", "#!ipxe\n").http("/k", linux_kernel()).no_http("/initrd");
    refused.says("http://h/initrd... No such file or directory (http://ipxe.org/2d0c613b)")
        .says("Could not boot image: No such file or directory (http://ipxe.org/2d0c613b)")
        .is_out_of_time(30);
    refused.gets(ExitCode::fetch_failed, "cannot fetch http://h/initrd", "404 Not Found");
}

TEST_CASE("the time was up while bytes came, or long after they had stopped") {
    Machine slow;
    slow.has_address().tftp("boot.ipxe", "#!ipxe\n").http("/k", "abc", 3000000).is_out_of_time(1);
    slow.gets(ExitCode::boot_timeout, "still fetching http://h/k", "3 bytes of 3.0 MB came",
              "--boot-timeout");
    slow.is_out_of_time(60);
    slow.gets(ExitCode::fetch_failed, "fetching http://h/k stalled", "3 bytes of 3.0 MB came",
              "is the server still up");
}

TEST_CASE("a server that takes the request and never answers; one that is slow is no fault") {
    for (const bool loaded : {false, true}) {
        Machine machine;
        machine.has_address().tftp("boot.ipxe", "#!ipxe\nkernel http://h/k\n");
        if (loaded) {
            machine.http("/vmlinuz", linux_kernel());
        }
        machine.connects(80).asks(80, "/k");
        const double asked = machine.at;
        CHECK_FALSE(overdue_answer(asked + 14, machine.timeline.fetches()));
        machine.asks(80, "/k");  // sent again, where not even the server's kernel acknowledges it
        CHECK(contains(overdue_answer(asked + 15, machine.timeline.fetches()).value(),
                       "waiting for 10.0.0.1:80, which took the request for http://h/k 15 s ago and has not "
                       "answered"));
        machine.about.now = asked + 12;
        machine.gets(ExitCode::boot_timeout, "still fetching http://h/k", "10.0.0.1:80 took the request",
                     "--boot-timeout");
        machine.about.now = asked + 30;
        machine.gets(ExitCode::fetch_failed, "cannot fetch http://h/k: the server never answered",
                     "10.0.0.1:80 took the request at", "its log");
        machine.about.now = {};
        CHECK(machine.timeline.silence_would_end_it());
        machine.timeline.silence(asked + 120, asked);
        machine.gets(ExitCode::fetch_failed, "cannot fetch http://h/k: the server never answered",
                     "nothing has come since");
    }
    Machine slow;
    slow.has_address().tftp("boot.ipxe", "#!ipxe\n").connects(80).asks(80, "/k");
    slow.at += 12;
    slow.answers(80, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
    CHECK_FALSE(overdue_answer(slow.at + 20, slow.timeline.fetches()));
    CHECK_FALSE(slow.timeline.fetches().back().state == FetchState::asked);
    slow.stops();
    CHECK_FALSE(contains(slow.verdict().what, "never answered"));
}

Machine asking(const std::string& method) {
    Machine machine;
    machine.has_address().tftp("boot.ipxe", "#!ipxe\nsanboot http://h/k\n");
    machine.connects(80).asks(80, "/k", {}, method);
    return machine;
}

const std::string head_only = "HTTP/1.1 200 OK\r\nContent-Length: 30000\r\n\r\n";

TEST_CASE("whatever the method is: a request that is never answered, waited for or given up") {
    const std::string method = GENERATE("GET", "HEAD", "POST", "OPTIONS");
    CAPTURE(method);
    Machine waiting = asking(method);
    CHECK(contains(overdue_answer(waiting.at + 15, waiting.timeline.fetches()).value_or(""),
                   "http://h/k 15 s"));
    CHECK(waiting.timeline.silence_would_end_it());
    waiting.is_out_of_time(12).gets(ExitCode::boot_timeout, "still fetching http://h/k", "took the request");
    waiting.is_out_of_time(30).gets(ExitCode::fetch_failed, "http://h/k: the server never answered",
                                    "nothing has come since; asked for by boot.ipxe, line 2", "its log");
    Machine impatient = asking(method);  // as edk2's client is after 5 s
    impatient.gives_up(80, 4.9);
    CHECK(contains(impatient.timeline.boot().marks.back().detail,
                   "http://h/k: given up after 5 s without an answer"));
    impatient.says("Could not boot image: Connection timed out (http://ipxe.org/4c0a6035)").stops();
    impatient.gets(ExitCode::fetch_failed, "http://h/k: the server never answered",
                   "nothing had come when the client gave up 5 s later; iPXE's error 4c0a6035");
    Machine ended = asking(method);  // by Ctrl-C
    ended.gives_up(80, 0.2)
        .says("Could not boot image: Operation canceled (http://ipxe.org/0b8080a0)")
        .stops();
    CHECK_FALSE(contains(ended.verdict().what, "never answered"));
}

TEST_CASE("iPXE asks for a SAN device's size again and again: the latest request alone is young") {
    Machine machine = asking("HEAD");
    machine.gives_up(80, 15).connects(80).asks(80, "/k", {}, "HEAD").is_out_of_time(5);
    machine.gets(ExitCode::fetch_failed, "http://h/k: the server never answered", "nothing has come since");
}

TEST_CASE("healthy boots that ask for a size") {
    const auto is_told = [](Machine& machine) {
        const bool overdue = overdue_answer(machine.at + 100, machine.timeline.fetches()).has_value();
        return overdue || machine.timeline.silence_would_end_it() ||
               contains(machine.is_out_of_time(100).verdict().what, "/k");
    };
    Machine unanswered = asking("HEAD");
    CHECK(is_told(unanswered));
    Machine idle = asking("HEAD");  // the answer has no body, and the connection is kept
    CHECK_FALSE(is_told(idle.answers(80, head_only)));
    Machine slow = asking("HEAD");
    slow.at += 20;
    CHECK_FALSE(is_told(slow.answers(80, head_only)));
    Machine fetching = asking("HEAD");  // and then the file, over the same connection
    fetching.answers(80, head_only)
        .see(tcp(true, fetching.port, 80, 150, ack, "GET /k HTTP/1.1\r\nHost: h\r\n\r\n"));
    fetching.see(tcp(false, fetching.port, 80, 1048, ack, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"));
    CHECK(fetching.timeline.fetches().back().state == FetchState::done);
    fetching.says("EFI stub: Exiting boot services").is_out_of_time(100);
    CHECK_FALSE(contains(fetching.verdict().what, "/k"));
}

TEST_CASE("a server that knows no HEAD and has the file; one that has it not") {
    Machine machine = asking("HEAD");
    machine.answers(80, "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
        .http("/k", linux_kernel());
    machine.is_out_of_time(30);
    machine.gets(ExitCode::boot_timeout, "nothing was seen of the kernel http://h/k", "");
    Machine missing = asking("HEAD");
    missing.answers(80, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    missing.says("Could not boot image: No such file or directory (http://ipxe.org/2d0c613b)").stops();
    missing.gets(ExitCode::fetch_failed, "cannot fetch http://h/k", "404 Not Found", "is the name right");
    Machine optional = asking("HEAD");  // the script goes on to the disk
    optional.answers(80, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").stops();
    CHECK_FALSE(contains(optional.verdict().what, "cannot fetch"));
}

TEST_CASE("a head without a body is an answer that stalled") {
    Machine machine;
    machine.has_address().tftp("boot.ipxe", "#!ipxe\n").connects(80).asks(80, "/k");
    machine.answers(80, "HTTP/1.1 200 OK\r\nContent-Length: 30000\r\n\r\n").is_out_of_time(60);
    CHECK_FALSE(overdue_answer(machine.at + 60, machine.timeline.fetches()));
    machine.gets(ExitCode::fetch_failed, "fetching http://h/k stalled", "0 bytes of 30 kB came");
}

TEST_CASE("an initramfs that does not fit into the memory") {
    Machine machine;
    machine.has_address().tftp("boot.ipxe", "#!ipxe\n").http("/initrd", "abc", 900000000);
    machine.see(tcp(true, machine.port, 80, 200, rst));
    machine.says("http://h/initrd... No space left on device (http://ipxe.org/34232006)")
        .says("Could not boot image: No space left on device (http://ipxe.org/34232006)")
        .stops();
    machine.gets(ExitCode::fetch_failed, "http://h/initrd does not fit into the guest's memory",
                 "no space left", "--memory");
}

TEST_CASE("IPv6 alone: what was seen of it is told, and a boot file that DHCPv6 names is looked at") {
    const std::string discover = dhcp(true, 1, as_ipxe);
    const std::string router =
        ipv6(false, 58, std::string{"\x86\0\0\0\x40\x80", 6} + be16(1800) + be32(0) + be32(0));
    Machine alone;
    alone.see(discover).see(router).see(dhcp6(true, 1, "")).see(discover).stops();
    alone.gets(ExitCode::no_offer, "no DHCPv4 server answered on a network with IPv6",
               "advertised itself, addresses by DHCPv6; no DHCPv6 server answered", "option 59");
    alone.about.network = Network::isolated;  // where no server is the user's
    CHECK(contains(alone.verdict().hint, "vm-launch itself answers"));
    Machine without_file;
    without_file.see(discover).see(router).see(dhcp6(true, 1, "")).see(dhcp6(false, 7, address6)).stops();
    without_file.gets(ExitCode::nothing_to_boot, "DHCPv6 gave an address and named nothing to boot",
                      "option 59");
    Machine missing;
    missing.see(discover).see(router).see(dhcp6(true, 1, ""));
    missing.see(dhcp6(false, 7, address6 + option6(59, "tftp://[fdfd::1]/x.ipxe")));
    missing.see(udp6(true, 2000, 69, request("x.ipxe")));
    missing.see(udp6(false, 3000, 2000, be16(5) + be16(1) + "File not found")).stops();
    missing.gets(ExitCode::fetch_failed, "cannot fetch tftp://[fdfd:", "File not found", "is the name right");
    CHECK(contains(missing.verdict().what, "]/x.ipxe"));
    Machine four;  // a router alone says nothing where DHCPv4 works
    four.see(router).has_address().tftp("boot.ipxe", "#!ipxe\n").stops();
    four.gets(ExitCode::not_bootable, "the iPXE script ended", "");
}

TEST_CASE(
    "a dead host behind ARP: gateway, DNS server, boot server, another one; and one that the boot went "
    "past") {
    const std::string options = option(67, "b") + option(3, be32(0x0A000008)) + option(6, be32(0x0A000009));
    struct Row {
        std::uint32_t address;
        const char* what;
    };
    const Row row =
        GENERATE(Row{0x0A000008, "the gateway 10.0.0.8 (DHCP option 3)"},
                 Row{0x0A000009, "the DNS server 10.0.0.9 (DHCP option 6)"},
                 Row{server_ip, "the boot server 10.0.0.1"}, Row{0x0A000005, "the server 10.0.0.5"});
    Machine machine;
    machine.has_address(options).tftp("b", "#!ipxe\n").see(arp_request(row.address)).stops();
    machine.gets(ExitCode::fetch_failed, std::string{"nobody answers for "} + row.what, "by ARP",
                 "is that host up");
    Machine past;
    past.has_address(options)
        .tftp("b", "#!ipxe\n")
        .see(arp_request(row.address))
        .http("/k", "\1\2\3")
        .stops();
    past.gets(ExitCode::not_bootable, "script ended", "");
}

TEST_CASE("a file without a server") {
    Machine no_server;
    no_server.has_address(option(67, "boot.ipxe") + option(66, "tftp.example"), as_ipxe, 0)
        .says("Nothing to boot: No such file or directory (http://ipxe.org/2d03e13b)")
        .stops();
    no_server.gets(ExitCode::nothing_to_boot, "DHCP named boot.ipxe and no server to fetch it from",
                   "tftp.example by option 66", "next server");
    CHECK_FALSE(contains(no_server.verdict().why, "named no file"));
}

TEST_CASE("iSCSI: the target by its name, where that was seen") {
    Machine san;
    san.has_address(option(17, "iscsi:10.0.0.1::::iqn.x:y")).connects(3260);
    san.see(tcp(true, san.port, 3260, 101, ack, std::string(48, '\x43')))
        .answers(3260, std::string(48, '\x23'))
        .see(tcp(true, san.port, 3260, 149, fin | ack))
        .says("Could not open SAN device: Input/output error (http://ipxe.org/1d704139)")
        .stops();
    san.gets(ExitCode::fetch_failed, "cannot boot from the iSCSI target iqn.x:y on 10.0.0.1", "input/output",
             "LUN");
    Machine login;  // a script's target; the login names it
    login.has_address(option(17, "iscsi:10.0.0.1::::iqn.x:y")).connects(3260);
    login
        .see(tcp(true, login.port, 3260, 101, ack,
                 std::string(48, '\x43') +
                     std::string{"InitiatorName=iqn.a\0TargetName=iqn.b:c\0AuthMethod=None\0", 55}))
        .see(tcp(true, login.port, 3260, 205, fin | ack))
        .says("Could not open SAN device: Input/output error (http://ipxe.org/1d704139)")
        .stops();
    login.gets(ExitCode::fetch_failed, "cannot boot from the iSCSI target iqn.b:c on 10.0.0.1",
               "sent nothing");
    CHECK(login.timeline.boot().fetches.back().url == "iscsi://10.0.0.1/iqn.b:c");
    Machine nameless;  // an address in brackets, and no name known of a script's target
    nameless.has_address(option(17, "iscsi:[fd00::1]::::iqn.x:y")).connects(3260).stops();
    nameless.gets(ExitCode::fetch_failed, "cannot boot from the iSCSI target iqn.x:y on", "");
    Machine unknown;
    unknown.has_address().connects(3260).stops();
    unknown.gets(ExitCode::fetch_failed, "cannot boot from the iSCSI target on 10.0.0.1", "");
}

TEST_CASE("a fault that the script handled is a note, iPXE's last word is the end") {
    Machine handled;
    handled.has_address().tftp("boot.ipxe", "#!ipxe\n").no_http("/mac.ipxe");
    handled.says("http://h/mac.ipxe... No such file or directory (http://ipxe.org/2d0c613b)").stops();
    handled.gets(ExitCode::not_bootable, "the iPXE script ended", "404 Not Found");
    handled.says("Could not boot image: No such file or directory (http://ipxe.org/2d0c613b)");
    handled.gets(ExitCode::fetch_failed, "cannot fetch http://h/mac.ipxe", "404");
}

TEST_CASE("pxelinux looks for its configuration under many names: no verdict, and no word of iPXE") {
    Machine machine{false};
    machine.has_address(option(67, "pxelinux.0"), option(60, "PXEClient:Arch:00000"));
    machine.tftp("pxelinux.0", "\1\2\3").no_tftp("pxelinux.cfg/01-52", 1, "not found");
    machine.tftp("pxelinux.cfg/default", "PROMPT 1\n").no_tftp("boot.msg", 1, "not found").is_out_of_time(60);
    machine.gets(ExitCode::boot_timeout, "went no further", "before that tftp://10.0.0.1/boot.msg");
    CHECK_FALSE(machine.timeline.silence_would_end_it());
}

TEST_CASE("a picture that a script fetches is not started") {
    Machine machine;
    machine.has_address().tftp("boot.ipxe", "#!ipxe\n").http("/logo.png", "\x89PNG\r\n\x1a\n");
    CHECK_FALSE(machine.timeline.silence_would_end_it());
    machine.is_out_of_time(60);
    CHECK_FALSE(contains(machine.verdict().what, "logo.png"));
}

TEST_CASE("the shell of iPXE, where nobody types; before that what failed is the cause") {
    Machine machine;
    machine.has_address().tftp("boot.ipxe", "#!ipxe\n");
    machine.timeline.partial(9, "iPXE> ");
    machine.gets(ExitCode::not_bootable, "the boot ended in iPXE's shell", "nobody is there to type");
    Machine failed;
    failed.has_address().tftp("boot.ipxe", "#!ipxe\n").no_http("/k");
    failed.timeline.partial(9, "iPXE> ");
    failed.gets(ExitCode::fetch_failed, "cannot fetch http://h/k", "404");
}

TEST_CASE("a loader that loads itself, and the boots that only look so") {
    const auto rounds = [](int times, const std::string& content, bool new_address) {
        Machine machine;
        for (int i = 0; i < times; ++i) {
            if (new_address || i == 0) {
                machine.has_address(option(67, "undionly.kpxe"));
            }
            machine.tftp("undionly.kpxe", content);
        }
        return machine.timeline.boot().chain_rounds;
    };
    CHECK(rounds(18, "\1\2\3", true) == 18);
    CHECK(rounds(1, "\1\2\3", true) == 1);
    CHECK(rounds(5, "\1\2\3", false) == 1);   // a program that reads its own file again
    CHECK(rounds(5, "#!ipxe\n", true) == 0);  // a script that waits for its server
    Machine machine;
    for (int i = 0; i < 3; ++i) {
        machine.has_address(option(67, "undionly.kpxe")).tftp("undionly.kpxe", "\1\2\3");
    }
    const Fault verdict = judge_chain(machine.timeline.boot());
    CHECK(verdict.code == ExitCode::reboot_loop);
    CHECK(verdict.what == "tftp://10.0.0.1/undionly.kpxe loads itself again and again");
    CHECK(contains(verdict.why, "3 times"));
}

TEST_CASE("the EFI stub that fails is no kernel; one that goes on is") {
    Machine machine;
    machine.has_address().http("/k", linux_kernel());
    machine.says("EFI stub: ERROR: Failed to open file: initrd.img").is_out_of_time(9);
    machine.gets(ExitCode::not_bootable, "the kernel's EFI stub failed", "Failed to open file: initrd.img",
                 "initrd=NAME");
    CHECK_FALSE(machine.timeline.boot().reached(Stage::kernel));
    machine.says("Linux version 6 (x)");
    machine.gets(ExitCode::boot_timeout, "went no further", "Linux version 6");
}

TEST_CASE("a script that one of its own lines ended: iPXE's words, of both Debians") {
    struct Row {
        const char* word;
        const char* error;
        const char* what;
        const char* hint;
    };
    for (const Row& row : {
             Row{"foo: command not found",
                 "Could not boot image: Exec format error (https://ipxe.org/2e022001)",
                 "the script boot.ipxe uses a command that this iPXE does not have", "spelt"},
             Row{"", "Could not boot image: No such file or directory (http://ipxe.org/2d02803b)",
                 "the script boot.ipxe goes to a label that it does not have", "colon"},
             Row{"", "Could not boot image: Result too large (https://ipxe.org/46022001)",
                 "the script boot.ipxe ended at a condition that is false", "||"},
             Row{"Unrecognised option \"--nosuch\"",
                 "Could not boot image: Invalid argument (http://ipxe.org/1c162202)",
                 "the script boot.ipxe uses a command in a way that iPXE does not know", "unset"},
         }) {
        CAPTURE(row.error);
        Machine machine;
        machine.has_address().tftp("boot.ipxe", "#!ipxe\n").says("boot.ipxe : 7 bytes [script]");
        if (*row.word != '\0') {
            machine.says(row.word);
        }
        machine.says(row.error).stops();
        machine.gets(ExitCode::not_bootable, row.what, row.word, row.hint);
        CHECK_FALSE(contains(machine.verdict().hint, "serve an iPXE script"));
    }
}

TEST_CASE("a script that boots nothing because it has loaded nothing") {
    Machine machine;
    machine.has_address().tftp("boot.ipxe", "#!ipxe\n").says("No image selected").stops();
    machine.gets(ExitCode::not_bootable, "boots before it has loaded anything", "No image selected",
                 "kernel");
}

TEST_CASE("a command that failed, and a script that went on: what failed later is the verdict") {
    Machine machine;
    machine.has_address().tftp("boot.ipxe", "#!ipxe\n").says("foo: command not found").no_http("/k");
    machine.says("http://h/k... No such file or directory (http://ipxe.org/2d0c613b)")
        .says("Could not boot image: No such file or directory (http://ipxe.org/2d0c613b)")
        .stops();
    machine.gets(ExitCode::fetch_failed, "cannot fetch", "404");
}

TEST_CASE("a guest's own shell is no iPXE") {
    Machine machine;
    machine.has_address().http("/k", linux_kernel()).says("[    0.000000] Linux version 6.1.0");
    machine.says("sh: foo: command not found").says("foo: command not found");
    machine.says("Kernel panic - not syncing: Attempted to kill init!");
    machine.gets(ExitCode::guest_panicked, "panicked", "Attempted to kill init");
}

}  // namespace
}  // namespace vml::boot
