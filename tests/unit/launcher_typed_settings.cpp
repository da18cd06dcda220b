// What users of Docker-VM-Runner know by name: further blank disks, shares of the room, a CD-ROM that comes
// first, the guest's address and password, firmware of one's own, `guest-exec`.
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "launcher/settings/guest_exec_line.h"
#include "launcher/settings/nic_options.h"
#include "launcher/vm/boot_sources.h"
#include "launcher/vm/seed.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using test::a_file;
using test::contains;
using test::faults_of;
using test::made_up_host;
using test::spec_of;
using test::text_of;
using test::Words;

constexpr std::uint64_t a_mega = std::uint64_t{1} << 20;
constexpr std::uint64_t a_giga = std::uint64_t{1} << 30;

HostFacts with_kept(std::vector<KeptDiskFacts> extra, std::vector<KeptDiskFacts> first = {}) {
    HostFacts facts = made_up_host();
    facts.data = test::data_folder();
    facts.data->extra_disks = std::move(extra);
    facts.data->disks = std::move(first);
    return facts;
}

std::string all_notes(const VmSpec& spec) {
    std::string text;
    for (const std::string& note : spec.notes) {
        text += note + "\n";
    }
    return text;
}

// -- further blank disks

TEST_CASE("further blank disks come last, and are kept by their place among them") {
    const VmSpec spec = spec_of({"--blank-disk", "--extra-disk=1G", "--extra-disk=2G"},
                                with_kept({{"blank3.raw", 2 * a_giga, true}}));
    REQUIRE(spec.disks.size() == 3);
    CHECK(spec.disks[0].kept == "/srv/data/vm/blank.raw");
    CHECK(spec.disks[1].kept == "/srv/data/vm/blank2.raw");
    CHECK(spec.disks[1].size == a_giga);
    CHECK(spec.disks[2].kept == "/srv/data/vm/blank3.raw");
    CHECK(spec.notes.empty());
    const VmSpec gone = spec_of({"--extra-disk=1G"}, made_up_host());
    CHECK(gone.disks.at(0).cache == DiskCache::unsafe);
    CHECK_FALSE(gone.disks.at(0).kept);
}

TEST_CASE("a further disk that was kept grows, never shrinks, and is told of where it is not used") {
    const std::vector<KeptDiskFacts> kept{{"blank2.raw", 2 * a_giga, true}};
    const VmSpec grown = spec_of({"--extra-disk=3G"}, with_kept(kept));
    CHECK(grown.disks.at(0).size == 3 * a_giga);
    CHECK(contains(all_notes(grown), "grows from 2G to 3G"));
    CHECK(contains(text_of(faults_of({"--extra-disk=1G"}, with_kept(kept))),
                   "cannot make the disk that was kept smaller"));
    CHECK(contains(all_notes(spec_of({"--blank-disk"}, with_kept(kept))),
                   "(blank2.raw) is not used: --extra-disk would"));
}

TEST_CASE("names of the files of further disks") {
    CHECK(extra_kept_file(0) == "blank2.raw");
    for (const char* name : {"blank2.raw", "blank10.raw"}) {
        CHECK(is_extra_kept_disk(name));
        CHECK_FALSE(is_kept_disk(name));
    }
    for (const char* name :
         {"blank.raw", "blank1.raw", "blank0.raw", "disk2.raw", "blankX.raw", "blank2.raw.new"}) {
        CHECK_FALSE(is_extra_kept_disk(name));
    }
}

TEST_CASE("numbers of variables: DISK2_SIZE is the first further disk, DEVICE adds to DISK") {
    const auto read = [](const Environment& environment) {
        return test::read_settings({}, environment, test::no_file);
    };
    const ReadResult sizes = read({{"DISK_SIZE", "1G"}, {"DISK2_SIZE", "2G"}, {"DISK3_SIZE", "half"}});
    CHECK(sizes.faults.empty());
    CHECK(sizes.warnings.empty());
    CHECK(sizes.settings.extra_disks == std::vector<Amount>{{2 * a_giga, {}}, {{}, Share::half}});
    CHECK(sizes.origins.at(extra_disk_origin(1)) == "$DISK3_SIZE");
    CHECK(contains(text_of(read({{"DISK3_SIZE", "2G"}}).faults), "$DISK3_SIZE: there is no DISK2_SIZE"));
    CHECK(contains(text_of(read({{"DISK1_SIZE", "2G"}}).faults), "write DISK_SIZE=…"));
    const ReadResult devices =
        read({{"DEVICE", "/dev/a"}, {"DISK", "/d"}, {"DEVICE2", "/dev/b"}, {"DISK2", "/e"}});
    CHECK(devices.faults.empty());
    CHECK(devices.settings.disks == std::vector<std::filesystem::path>{"/d", "/e", "/dev/a", "/dev/b"});
    CHECK(devices.origins.at(disk_origin(3)) == "$DEVICE2");
    const ReadResult beside =
        test::read_settings({"--disk=/d"}, {{"DEVICE", "/dev/a"}, {"DISK", "/e"}}, test::no_file);
    CHECK(beside.settings.disks == std::vector<std::filesystem::path>{"/d", "/dev/a"});
}

// -- how large, by what, on what

TEST_CASE("a share is of the room that there is, in whole MiB, and not of a disk that is there already") {
    HostFacts facts = made_up_host();
    facts.disk_room = 10 * a_giga + 1;
    CHECK(spec_of({"--blank-disk", "--disk-size=half"}, facts).disks.at(0).size == 5 * a_giga);
    CHECK(spec_of({"--blank-disk", "--disk-size=max"}, facts).disks.at(0).size == 10 * a_giga);
    CHECK(spec_of({"--extra-disk=max"}, facts).disks.at(0).size == 10 * a_giga);
    HostFacts kept = with_kept({}, {{"blank.raw", a_giga, true}});
    kept.disk_room = facts.disk_room;
    const VmSpec spec = spec_of({"--blank-disk", "--disk-size=max"}, kept);
    CHECK(spec.disks.at(0).size == a_giga);
    CHECK(spec.notes.empty());
    CHECK(contains(text_of(faults_of({"--blank-disk", "--disk-size=half"}, made_up_host())),
                   "no room is free"));
}

TEST_CASE("the kernel's AIO goes past the cache, and says so where that is not wanted") {
    const auto cache = [](const Words& more) {
        Words words{"--blank-disk", "--disk-io=native"};
        words.insert(words.end(), more.begin(), more.end());
        return spec_of(words, made_up_host()).disks.at(0).cache;
    };
    CHECK(cache({}) == DiskCache::none);
    CHECK(cache({"--disk-cache=directsync"}) == DiskCache::directsync);
    CHECK(contains(
        text_of(faults_of({"--blank-disk", "--disk-io=native", "--disk-cache=writeback"}, made_up_host())),
        "--disk-io and --disk-cache contradict each other"));
    CHECK(spec_of({"--blank-disk", "--disk-io=io_uring"}, made_up_host()).disks.at(0).cache ==
          DiskCache::unsafe);
}

TEST_CASE("a disk that was kept starts again on a volume that it has filled") {
    HostFacts full = with_kept({}, {{"blank.raw", 2 * a_giga, true}});
    full.disk_room = 0;
    CHECK(spec_of({"--blank-disk", "--disk-size=max"}, full).disks.at(0).size == 2 * a_giga);
    HostFacts none = made_up_host();
    none.disk_room = 0;
    CHECK(contains(text_of(faults_of({"--blank-disk", "--disk-size=max"}, none)), "no room is free"));
}

TEST_CASE("a disk on USB, and no USB") {
    CHECK(contains(text_of(faults_of({"--blank-disk", "--disk-bus=usb", "--no-usb"}, made_up_host())),
                   "contradict"));
    CHECK(contains(text_of(faults_of({"--disk=/d"},
                                     [] {
                                         HostFacts facts = made_up_host();
                                         facts.disks.resize(1);
                                         facts.disks.front().path = {PathFacts::Kind::file, EBUSY};
                                         return facts;
                                     }())),
                   "mounted, as swap, by LVM or RAID"));
}

TEST_CASE("what is said of disks where there is none, or none of that kind, is told") {
    const std::string notes = all_notes(spec_of({"--ipxe", "--bootfile=http://h/x", "--disk-bus=usb",
                                                 "--disk-io=threads", "--disk-cache=none", "--io-thread"},
                                                made_up_host()));
    for (const char* flag : {"--disk-bus", "--disk-cache", "--io-thread"}) {
        CHECK(contains(notes, std::string{flag} + " has no effect: there is no disk"));
    }
    CHECK_FALSE(contains(notes, "--disk-io"));  // as it is anyway
    CHECK(contains(all_notes(spec_of({"--blank-disk", "--disk-bus=nvme", "--io-thread"}, made_up_host())),
                   "virtio and scsi alone"));
}

TEST_CASE("Hyper-V's interfaces need KVM and x86_64") {
    const VmSpec with = spec_of({"--blank-disk", "--hyperv", "--cpu=max"}, test::with_kvm(made_up_host()));
    CHECK(with.cpu.starts_with("max,hv_relaxed,"));
    const VmSpec without = spec_of({"--blank-disk", "--hyperv"}, made_up_host());
    CHECK(without.cpu == "max");
    CHECK(contains(all_notes(without), "--hyperv has no effect"));
    CHECK(contains(text_of(faults_of({"--blank-disk", "--hyperv", "--arch=aarch64"}, made_up_host())),
                   "no such interfaces on aarch64"));
}

// -- a CD-ROM and an installed disk

HostFacts with_cd(HostFacts facts) {
    facts.iso = a_file();
    return facts;
}

TEST_CASE("an installed disk comes before the CD-ROM, unless the CD-ROM is forced") {
    const Words words{"--iso=/c.iso", "--blank-disk"};
    const auto first = [&](const Words& more) {
        Words all = words;
        all.insert(all.end(), more.begin(), more.end());
        return spec_of(all, with_cd(made_up_host())).boot_order.at(0).device;
    };
    CHECK(first({}) == "disk0");
    CHECK(first({"--force-iso"}) == "cdrom0");
    CHECK(first({"--force-iso", "--boot-order=hd,cdrom"}) == "cdrom0");
    CHECK(first({"--force-iso", "--ipxe", "--bootfile=http://h/x"}) == "net0");
    CHECK(contains(all_notes(spec_of({"--blank-disk", "--force-iso"}, made_up_host())),
                   "--force-iso has no effect without --iso"));
}

TEST_CASE("an order that boots the CD-ROM again before a disk that holds data is told of") {
    const Words words{"--iso=/c.iso", "--blank-disk", "--boot-order=cdrom,hd"};
    const auto notes = [&](const std::string& more, bool data) {
        Words all = words;
        all.push_back(more);
        return all_notes(spec_of(all, with_cd(with_kept({}, {{"blank.raw", 20 * a_giga, data}}))));
    };
    CHECK(contains(notes("--cpus=1", true), "--boot-order boots the CD-ROM again"));
    CHECK(notes("--cpus=1", false).empty());
    CHECK(notes("--force-iso", true).empty());
    CHECK_FALSE(contains(notes("--boot-order=hd,cdrom", true), "again"));
}

// -- the guest's address and password

TEST_CASE("the guest's address: in its network, and neither QEMU's own nor the network's") {
    const GuestAddress guest = parse_guest_ip("192.168.7.9/25");
    CHECK(ipv4_text(guest.address) == "192.168.7.9");
    CHECK(ipv4_text(network_of(guest)) == "192.168.7.0");
    CHECK(ipv4_text(server_of(guest)) == "192.168.7.2");
    CHECK(parse_guest_ip(" 10.0.2.254 ").prefix == 24);
    CHECK(ipv4_text(network_of(parse_guest_ip("10.1.200.9/8"))) == "10.0.0.0");
    CHECK(ipv4_text(network_of(parse_guest_ip("255.255.255.254/29"))) == "255.255.255.248");
    for (const char* text : {"10.0.2.0", "10.0.2.1", "10.0.2.2", "10.0.2.3", "10.0.2.255", "10.0.2.127/25",
                             "10.0.2", "10.0.2.5.6", "10.0.2.256", "fd00::5", "", "10.0.2.9/30", "10.0.2.9/7",
                             "10.0.2.9/", "10.0.2.5,10.0.2.6", "10.0.2.5."}) {
        CAPTURE(text);
        CHECK_THROWS_AS(parse_guest_ip(text), ValueError);
    }
}

TEST_CASE("the guest's address is user mode's alone") {
    const auto decision = test::decide_flags(
        {"--ipxe", "--bootfile=http://h/x", "--nic=mode=nat,guest-ip=10.0.3.9"}, made_up_host());
    const auto& nics = std::get<VmSpec>(decision).nics;
    CHECK_FALSE(nics.at(0).nat().guest);
    CHECK(nics.at(1).nat().guest == GuestAddress{0x0a000309, 24});
    const VmSpec bridged =
        spec_of({"--blank-disk", "--bridge=br0", "--network=bridge", "--guest-ip=10.0.2.9"},
                test::with_links(made_up_host(), {test::a_bridge()}));
    CHECK(contains(all_notes(bridged), "--guest-ip has no effect without --network=nat"));
}

TEST_CASE("a password goes into cloud-init's vendor data, which gives way to user data") {
    const VmSpec spec = spec_of({"--blank-disk", "--guest-password=say \"x\""}, made_up_host());
    REQUIRE(spec.seed);
    const std::string& data = spec.seed->vendor_data;
    REQUIRE(data.starts_with("#cloud-config\n"));
    const auto words = nlohmann::json::parse(data.substr(data.find('\n')));
    CHECK(words == nlohmann::json::parse(
                       R"({"password": "say \"x\"", "chpasswd": {"expire": false}, "ssh_pwauth": true})"));
    CHECK(spec.notes.empty());
    const SeedSpec without = make_seed("vm", "vm", std::nullopt, {});
    CHECK(spec.seed->user_data == without.user_data);
    CHECK(spec.seed->meta_data != without.meta_data);  // another instance, so that the password is set
}

TEST_CASE("the password that everybody knows is never set: another one is made up and told") {
    const VmSpec spec = spec_of({"--blank-disk", "--guest-password=password"}, made_up_host());
    CHECK(contains(spec.seed->vendor_data, "\"fresh123fresh1\""));
    CHECK_FALSE(contains(spec.seed->vendor_data, "\"password\": \"password\""));
    CHECK(contains(all_notes(spec), "the guest's password is fresh123fresh1"));
    HostFacts shown = made_up_host();
    shown.fresh_guest_password.clear();
    CHECK(contains(all_notes(spec_of({"--blank-disk", "--guest-password=password"}, shown)),
                   "a start makes one up"));
    CHECK(contains(
        all_notes(spec_of({"--blank-disk", "--guest-password=x", "--no-cloud-init"}, made_up_host())),
        "--guest-password has no effect"));
}

TEST_CASE("a password that cloud-init takes for something else is refused, and none is shown") {
    for (const char* word : {"R", "RANDOM", "$y$j9T$abc$def", "a\xff"}) {
        CAPTURE(word);
        CHECK(contains(
            text_of(faults_of({"--blank-disk", std::string{"--guest-password="} + word}, made_up_host())),
            "not the password that the guest would have"));
    }
    const auto read = [](const char* password) {
        return test::read_settings({}, {{"GUEST_PASSWORD", password}}, test::no_file);
    };
    CHECK(read(" \"quoted\" ").settings.guest_password == " \"quoted\" ");
    CHECK(read(" \"quoted\" ").warnings.empty());
    CHECK(read("x\r\n").settings.guest_password == "x");
    CHECK(read("x\r\n").warnings == Words{"$GUEST_PASSWORD: line ends after the value were cut"});
    const std::string fault = text_of(read("a\nsecret").faults);
    CHECK(contains(fault, "$GUEST_PASSWORD"));
    CHECK_FALSE(contains(fault, "secret"));
}

// -- firmware of one's own

HostFacts with_build(std::uint64_t code, std::uint64_t vars) {
    HostFacts facts = made_up_host();
    facts.firmware_code = {a_file(), code};
    facts.firmware_vars = {a_file(), vars};
    return facts;
}

TEST_CASE("firmware of one's own: flash with variables, or a whole image as ROM") {
    HostFacts facts = with_build(4 * a_mega, a_mega / 2);
    Settings settings;
    settings.firmware_code = "/b/CODE.fd";
    settings.firmware_vars = "/b/VARS.fd";
    facts.uefi = own_uefi(settings, Arch::x86_64, "/");
    const VmSpec flash =
        spec_of({"--firmware-code=/b/CODE.fd", "--firmware-vars=/b/VARS.fd", "--blank-disk"}, facts);
    CHECK(flash.firmware.mode == FirmwareMode::uefi);
    CHECK(flash.firmware.uefi->code == "/b/CODE.fd");
    CHECK_FALSE(flash.firmware.image);
    const VmSpec image = spec_of({"--firmware-code=/b/OVMF.fd", "--blank-disk"}, facts);
    CHECK(image.firmware.image == "/b/OVMF.fd");
    CHECK_FALSE(image.firmware.uefi);
    CHECK(spec_of({"--firmware-code=/b/coreboot.rom", "--firmware=legacy", "--blank-disk"}, facts)
              .firmware.mode == FirmwareMode::legacy);
    settings.firmware = FirmwareMode::secure;
    CHECK(own_uefi(settings, Arch::x86_64, "/").at(0).has("requires-smm"));
    CHECK_FALSE(own_uefi(settings, Arch::aarch64, "/").at(0).has("requires-smm"));
    settings.firmware_vars.reset();
    CHECK(own_uefi(settings, Arch::x86_64, "/").empty());
}

TEST_CASE("firmware that cannot work is refused before QEMU starts") {
    const auto refused = [](const Words& more, const HostFacts& facts) {
        Words words{"--blank-disk"};
        words.insert(words.end(), more.begin(), more.end());
        return text_of(faults_of(words, facts));
    };
    const HostFacts good = with_build(4 * a_mega, a_mega / 2);
    CHECK(contains(refused({"--firmware-vars=/v"}, good), "--firmware-vars needs --firmware-code"));
    CHECK(contains(refused({"--firmware-code=/c", "--firmware-vars=/v", "--firmware=legacy"}, good),
                   "no UEFI variables"));
    CHECK(contains(refused({"--firmware-code=/c", "--firmware=secure"}, good), "needs --firmware-vars"));
    CHECK(contains(refused({"--firmware-code=/c"}, with_build(1000, 0)), "units of 64 KiB"));
    CHECK(contains(refused({"--firmware-code=/c", "--firmware-vars=/v", "--arch=aarch64"}, good),
                   "truncate -s 64M /c"));
    CHECK(contains(refused({"--firmware-code=/c", "--firmware-vars=/v"}, with_build(12345, 4096)),
                   "units of 4 KiB"));
    CHECK(contains(refused({"--firmware-code=/c", "--firmware-vars=/v"}, with_build(6 * a_mega, 4 * a_mega)),
                   "8 MiB for both"));
    CHECK(contains(refused({"--firmware-code=/c"}, with_build(30 * a_giga, 0)),
                   "no firmware more than 64 MiB"));
    HostFacts missing = good;
    missing.firmware_code->path = {PathFacts::Kind::missing, ENOENT};
    CHECK(contains(refused({"--firmware-code=/c"}, missing), "--firmware-code: cannot use /c"));
}

// -- guest-exec

TEST_CASE("guest-exec: all behind its own option is the command's") {
    const auto parsed = [](const Words& words) { return guest_exec_line(words); };
    CHECK_FALSE(parsed({"exec", "--", "ls"}));
    CHECK_FALSE(parsed({}));
    const auto line = parsed({"guest-exec", "--wait", "ls", "--wait", "-l"});
    REQUIRE(line);
    CHECK(line->command.subcommand == "guest-exec");
    CHECK(line->command.wait);
    CHECK(line->command.rest == Words{"ls", "--wait", "-l"});
    CHECK(line->layer.faults.empty());
    CHECK(parsed({"guest-exec", "uname -a"})->command.rest == Words{"/bin/sh", "-c", "uname -a"});
    CHECK(parsed({"guest-exec", "--", "-x"})->command.rest == Words{"-x"});
    CHECK_FALSE(parsed({"guest-exec", "id", "a b"})->command.wait);
    CHECK(parsed({"guest-exec", "id", "a b"})->command.rest == Words{"id", "a b"});
    CHECK(contains(text_of(parsed({"guest-exec", "--wiat", "ls"})->layer.faults), "unknown option --wiat"));
    CHECK(parsed({"guest-exec", "--name", "box", "--wait", "ls"})->command.words == Words{"box"});
    CHECK(contains(text_of(parsed({"guest-exec", "--name"})->layer.faults), "unknown option --name"));
    CHECK(parsed({"guest-exec", "--help"})->command.help);
    const auto json_faults = parsed({"guest-exec", "--log-format", "json", "ls", "--log-format"});
    CHECK(json_faults->layer.values.at("log-format").text == "json");
    CHECK(json_faults->command.rest == Words{"ls", "--log-format"});
}

}  // namespace
}  // namespace vml
