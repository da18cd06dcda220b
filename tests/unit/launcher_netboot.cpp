// What a guest boots from: a folder, a script by itself, a kernel.
#include <string>
#include <vector>

#include "launcher/host/netboot_look.h"
#include "launcher/plan/plan_text.h"
#include "launcher/vm/kernel_script.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

namespace fs = std::filesystem;
using test::contains;
using test::made_up_host;
using test::plan_of;
using test::spec_of;
using test::with_netboot;
using test::Words;

constexpr const char* exits = "#!ipxe\nexit\n";

OfferedFile a_good_file(const fs::path& path, std::uint64_t size = 4096) {
    return {test::a_file(), path, 0, size};
}

ScriptFacts a_script(const std::string& name, const std::string& text = exits) {
    ScriptFacts facts;
    facts.name = name;
    facts.bytes = text;
    return facts;
}

HostFacts with_script(const std::string& text = exits) {
    HostFacts facts = made_up_host();
    facts.offered.script = {a_good_file("/srv/my.ipxe"), a_script("my.ipxe", text)};
    return facts;
}

HostFacts with_kernel(std::size_t initrds = 1) {
    HostFacts facts = made_up_host();
    facts.offered.kernel = a_good_file("/boot/vmlinuz-6.1");
    facts.offered.initrds.assign(initrds, a_good_file("/boot/initrd.img"));
    return facts;
}

std::string value_of_netdev(const Plan& plan) {
    for (const PlannedArg& arg : plan.args) {
        if (arg.option == "-netdev") {
            return shown_value(arg);
        }
    }
    return {};
}

std::vector<Fault> netboot_faults(const Words& flags, const HostFacts& facts = made_up_host()) {
    return test::faults_of(flags, facts);
}

TEST_CASE("a script by itself is served by HTTP, and nothing else of its folder") {
    HostFacts facts = with_script();
    facts.offered.script->beside = {{"vmlinuz", "/srv/vmlinuz"}};
    const VmSpec spec = spec_of({"--script=my.ipxe"}, facts);
    const Netboot& netboot = spec.nics.front().netboot;
    CHECK(netboot.http);
    CHECK_FALSE(netboot.tftp);
    CHECK_FALSE(netboot.folder);
    CHECK(netboot.bootfile == "my.ipxe");
    CHECK(netboot.files == std::vector<ServedFile>{{"vmlinuz", "/srv/vmlinuz"}, {"my.ipxe", "/srv/my.ipxe"}});
    CHECK(netboot.names_of_files() == "my.ipxe and 1 more");
    CHECK(spec.script == NetbootScript{"my.ipxe", exits});
    const Plan plan = make_plan(spec);
    CHECK(plan.http == netboot);
    CHECK(value_of_netdev(plan) == "user,id=net0,bootfile=http://10.0.2.2:{port}/my.ipxe");
    CHECK(contains(plan_as_shell(plan), "ln -sfn /srv/vmlinuz vm-served/vmlinuz"));
    CHECK(contains(plan_as_shell(plan), "tftp=vm-served,bootfile=my.ipxe"));
}

TEST_CASE("a script beside a folder: its names lead there") {
    HostFacts facts = with_netboot(with_script(), false);
    const VmSpec spec = spec_of({"--script=my.ipxe", "--netboot-dir=/srv/n"}, facts);
    const Netboot& netboot = spec.nics.front().netboot;
    CHECK(netboot.http);
    CHECK(netboot.folder == "/srv/n");
    CHECK(netboot.bootfile == "my.ipxe");
    CHECK(spec.notes.empty());  // that the folder holds no boot.ipxe is no matter
    facts.netboot->outside_links = {{"vmlinuz", "/images/vmlinuz", true}};
    const VmSpec linked = spec_of({"--script=my.ipxe", "--netboot-dir=/srv/n"}, facts);
    CHECK(linked.nics.front().netboot.http);
    CHECK_FALSE(contains(linked.notes.at(0), "TFTP"));
}

TEST_CASE("a script from elsewhere") {
    const VmSpec url = spec_of({"--script=http://h/x.ipxe"}, made_up_host());
    CHECK(url.nics.front().netboot.bootfile == "http://h/x.ipxe");
    CHECK_FALSE(url.nics.front().netboot.http);
    HostFacts facts = made_up_host();
    facts.offered.script = {std::nullopt, a_script("stdin.ipxe")};
    const VmSpec input = spec_of({"--script=-"}, facts);
    CHECK(input.nics.front().netboot.files == std::vector<ServedFile>{{"stdin.ipxe", {}, exits}});
    facts.offered.script->why_not = "it is empty";
    CHECK(netboot_faults({"--script=-"}, facts).front().why == "it is empty");
}

TEST_CASE("a script at a URL is the bootfile, whatever folder there is") {
    const HostFacts facts = with_netboot(made_up_host());
    const VmSpec spec = spec_of({"--script=http://h/x.ipxe", "--netboot-dir=/srv/n"}, facts);
    CHECK(spec.nics.front().netboot.bootfile == "http://h/x.ipxe");
    CHECK_FALSE(spec.nics.front().netboot.http);
    CHECK(spec.nics.front().netboot.tftp);
    CHECK_FALSE(spec.script);
    CHECK(contains(value_of_netdev(make_plan(spec)), "bootfile=http://h/x.ipxe"));
}

TEST_CASE("what a script names and is not given is told of") {
    HostFacts facts = with_script();
    facts.offered.script->not_served = {"../x", ".ssh/id"};
    CHECK(contains(spec_of({"--script=my.ipxe"}, facts).notes.front(), "my.ipxe names it: ../x and .ssh/id"));
}

TEST_CASE("a folder that nobody may read is no place for a script's files") {
    HostFacts facts = with_netboot(with_script());
    facts.netboot->http_error = EACCES;
    CHECK(contains(netboot_faults({"--script=my.ipxe", "--netboot-dir=/srv/n"}, facts).front().what,
                   "/srv/n cannot be served"));
}

TEST_CASE("a URL stays one word of the script") {
    for (const char* const url : {"http://h/k || shell", "http://h/my file", "http://h/k\\"}) {
        CAPTURE(url);
        CHECK(contains(netboot_faults({std::string{"--kernel="} + url}).front().what, "is no URL"));
        HostFacts facts = made_up_host();
        facts.offered.initrds = {std::nullopt};
        CHECK(contains(
            netboot_faults({"--kernel=http://h/k", std::string{"--initrd="} + url}, facts).front().what,
            "is no URL"));
    }
    CHECK(
        contains(netboot_faults({"--kernel=file:///boot/k"}).front().hint, "write the path alone: /boot/k"));
    CHECK(
        contains(netboot_faults({"--script=file:///a.ipxe"}).front().hint, "write the path alone: /a.ipxe"));
    CHECK(contains(netboot_faults({"--script=http://h/a b"}).front().what, "is no URL"));
    const std::string longer = "http://h/" + std::string(120, 'x') + " y";
    CHECK(contains(netboot_faults({"--bootfile=" + longer, "--ipxe"}).front().what, "too long"));
}

TEST_CASE("a script is judged before the start, wherever it comes from") {
    const auto faults = netboot_faults({"--script=my.ipxe"}, with_script("#!ipxe\nkernle x\n"));
    CHECK(faults.front().what == "my.ipxe, line 2: iPXE has no command 'kernle'");
    HostFacts facts = made_up_host();
    facts.offered.script = {std::nullopt, a_script("stdin.ipxe", "#!ipxe\nkernel vmlinuz\nboot\n")};
    facts.offered.script->read.served = ScriptFacts::Served::nothing;
    facts.offered.script->read.files = {{{2, "kernel", "vmlinuz"}, false, "vmlinuz"}};
    CHECK(contains(spec_of({"--script=-"}, facts).notes.front(), "vmlinuz is not served (--netboot-dir DIR"));
}

TEST_CASE("a script or kernel that cannot be served is refused") {
    HostFacts facts = with_script();
    facts.offered.script->file->path = {PathFacts::Kind::missing, ENOENT};
    CHECK(contains(netboot_faults({"--script=my.ipxe"}, facts).front().what, "--script: cannot use my.ipxe"));
    facts = with_kernel();
    facts.offered.kernel->http_error = EACCES;
    const auto faults = netboot_faults({"--kernel=/boot/vmlinuz-6.1", "--initrd=/boot/initrd.img"}, facts);
    CHECK(faults.front().what == "--kernel: /boot/vmlinuz-6.1 cannot be served");
    CHECK(contains(faults.front().hint, "chmod a+r /boot/vmlinuz-6.1"));
    facts = with_kernel();
    facts.offered.initrds[0]->size = 0;
    CHECK(netboot_faults({"--kernel=/boot/vmlinuz-6.1", "--initrd=/boot/initrd.img"}, facts).front().what ==
          "--initrd: /boot/initrd.img is empty");
}

TEST_CASE("settings that do not go together are refused") {
    CHECK(contains(netboot_faults({"--script=http://h/x", "--kernel=http://h/k"}).front().what,
                   "--script and --kernel each name what is to boot"));
    CHECK(contains(netboot_faults({"--script=http://h/x", "--bootfile=http://h/k"}).front().what,
                   "--script and --bootfile"));
    CHECK(contains(netboot_faults({"--script=http://h/x", "--append=quiet"}).front().what,
                   "--append has no effect without --kernel"));
    CHECK(contains(netboot_faults({"--ipxe", "--initrd=i"}).front().what,
                   "--initrd has no effect without --kernel"));
    CHECK(contains(netboot_faults({"--no-ipxe", "--script=http://h/x", "--boot-order=network"}).front().what,
                   "--script needs iPXE"));
}

TEST_CASE("a kernel becomes a script, by its firmware") {
    const Words flags{"--kernel=/boot/vmlinuz-6.1", "--initrd=/boot/initrd.img",
                      "--append=console=ttyS0 quiet"};
    const VmSpec bios = spec_of(flags, with_kernel());
    CHECK(bios.script ==
          NetbootScript{
              "kernel.ipxe",
              "#!ipxe\nkernel vmlinuz-6.1 console=ttyS0 quiet\ninitrd --name initrd0 initrd.img\nboot\n"});
    CHECK(bios.nics.front().netboot.files.size() == 3);
    CHECK(bios.ipxe_program == std::nullopt);
    CHECK(bios.notes.empty());
    const Plan plan = make_plan(bios);
    CHECK(contains(plan_as_shell(plan), "printf %s '#!ipxe\nkernel"));
    CHECK(kernel_script({"k", {"http://h/d/i.gz?x", "j"}, "", true}) ==
          "#!ipxe\nkernel k initrd=initrd0 initrd=initrd1\ninitrd --name initrd0 http://h/d/i.gz?x\ninitrd "
          "--name initrd1 j\nboot\n");
}

TEST_CASE("a kernel's command line has a console that vm-launch shows") {
    CHECK(contains(spec_of({"--kernel=/boot/vmlinuz-6.1"}, with_kernel(0)).script->text, " console=ttyS0\n"));
    const VmSpec silent = spec_of({"--kernel=/boot/vmlinuz-6.1", "--append=quiet"}, with_kernel(0));
    CHECK(contains(silent.notes.front(), "add console=ttyS0"));
    const VmSpec empty = spec_of({"--kernel=/boot/vmlinuz-6.1", "--append", ""}, with_kernel(0));
    CHECK(contains(empty.script->text, "kernel vmlinuz-6.1\n"));
    CHECK(contains(empty.notes.front(), "--append names no console"));
    const VmSpec none = spec_of({"--kernel=http://h/k"}, made_up_host());
    CHECK(contains(none.script->text, "kernel http://h/k console=ttyS0\n"));
}

TEST_CASE("RAM disks that the EFI stub would put together wrongly are told of") {
    const Words flags{"--kernel=/boot/vmlinuz-6.1", "--initrd=/boot/a,/boot/b", "--firmware=uefi",
                      "--ipxe-rom=/x.rom"};
    HostFacts facts = with_kernel(2);
    facts.roms = {{test::efi_rom("/x.rom")}};
    CHECK(spec_of(flags, facts).notes.empty());
    facts.offered.initrds[0]->size = 4097;
    CHECK(contains(spec_of(flags, facts).notes.at(0), "the size of /boot/a is not a multiple of 4"));
    facts.offered.ipxe = ipxescript::Build::y2025;
    CHECK(spec_of(flags, facts).notes.empty());
    facts = with_kernel(2);
    facts.offered.initrds[0]->size = 4097;  // on BIOS iPXE puts them together
    CHECK(spec_of({flags[0], flags[1]}, facts).notes.empty());
}

TEST_CASE("what is too long for DHCP is named by a script, or refused") {
    const std::string url = "http://h/" + std::string(118, 'x');
    CHECK(spec_of({"--script=" + url}, made_up_host()).nics.front().netboot.bootfile == url);
    const Netboot longer =
        spec_of({"--bootfile=" + url + "y", "--ipxe"}, made_up_host()).nics.front().netboot;
    CHECK(longer.bootfile == "chain.ipxe");
    CHECK(longer.http);
    CHECK(longer.files == std::vector<ServedFile>{{"chain.ipxe", {}, "#!ipxe\nchain " + url + "y\n"}});
    const auto faults = netboot_faults({"--no-ipxe", "--boot-order=network", "--bootfile=" + url + "y"});
    CHECK(contains(faults.front().what, "too long for DHCP"));
    HostFacts facts = with_script();
    facts.offered.script->read.name = std::string(99, 'x');
    CHECK(contains(netboot_faults({"--script=x"}, facts).front().why, "98 bytes"));
}

TEST_CASE("what iPXE would take for its own words is refused on a kernel's command line") {
    for (const char* const append : {"a || b", "a && b", "x ; y", "x # y", "ends\\"}) {
        CAPTURE(append);
        CHECK(fault_of_append(append));
    }
    for (const char* const append : {"", "a=b;c", "a#b", "ip=dhcp rd.x=${net0/mac}"}) {
        CAPTURE(append);
        CHECK_FALSE(fault_of_append(append));
    }
}

TEST_CASE("names where files are served need no escape and are not taken twice") {
    CHECK(served_name("vmlinuz-6.1.0", {}) == "vmlinuz-6.1.0");
    CHECK(served_name("my kernel%", {}) == "my_kernel_");
    CHECK(served_name("-rf", {}) == "file-rf");
    CHECK(served_name("", {}) == "file");
    CHECK(served_name("i", {{"i", "/a"}, {"2-i", "/b"}}) == "3-i");
}

HostFacts looked_at(const Words& flags) {
    HostFacts facts;
    look_at_netboot(test::read_flags(flags).settings, facts);
    return facts;
}

TEST_CASE("of a script's folder is served what it names, and no link out") {
    const test::Folder folder;
    folder.write(
        "boot.ipxe",
        "#!ipxe\nimgfetch logo.png ||\nchain sub/next.ipxe\nkernel ../secret\nkernel out\nboot .ssh/id\n"
        ":menu kernel a/k\nkernel k?x=1\nimgexec logo.png\nsanboot http://h/x\nkernel ${v}\n");
    folder.write("k", "K");
    folder.write("a/k", "K");
    folder.write(".ssh/id", "I");
    folder.write("logo.png", "P");
    folder.write("other", "O");
    folder.write("sub/next.ipxe", "#!ipxe\nkernel vmlinuz\ninitrd /initrd\nchain next.ipxe\n");
    folder.write("sub/vmlinuz", "V");
    folder.write("initrd", "I");
    fs::create_symlink("/etc/passwd", folder.path() / "out");
    const HostFacts facts = looked_at({"--script=" + (folder.path() / "boot.ipxe").string()});
    const GivenScriptFacts& script = *facts.offered.script;
    Words names;
    for (const ServedFile& file : script.beside) {
        names.push_back(file.name);
        CHECK(file.file == fs::canonical(folder.path()) / file.name);
    }
    CHECK(names == Words{"logo.png", "sub/next.ipxe", "a/k", "k", "sub/vmlinuz", "initrd"});
    CHECK(script.not_served == Words{".ssh/id"});
    REQUIRE(script.outside_links.size() == 1);
    CHECK(script.outside_links.front().name == "out");
    CHECK(script.file->http_error == 0);
}

TEST_CASE("a script that is not there, or nobody may read") {
    const test::Folder folder;
    const HostFacts none = looked_at({"--script=" + (folder.path() / "no.ipxe").string()});
    CHECK(none.offered.script->file->path.is_missing());
    folder.write("shut", "#!ipxe\n");
    fs::permissions(folder.path() / "shut", fs::perms::none);
    const HostFacts shut = looked_at({"--script=" + (folder.path() / "shut").string()});
    CHECK(shut.offered.script->file->http_error == EACCES);
}

}  // namespace
}  // namespace vml
