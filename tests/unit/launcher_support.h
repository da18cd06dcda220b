// What the launcher's tests share: settings from flags, a made-up host, folders that vanish.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fcntl.h>

#include "base/fd.h"
#include "launcher/commands/subcommands.h"
#include "launcher/host/host.h"
#include "launcher/plan/make_plan.h"
#include "launcher/settings/settings_reader.h"
#include "launcher/vm/spec.h"
#include "tests/unit/rom_builder.h"

namespace vml::test {

using Words = std::vector<std::string>;

inline bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

inline bool contains(const Words& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

// Runs a shell command, of which the exit code counts.
inline void run(const std::string& command) {
    if (std::system((command + " >/dev/null").c_str()) != 0) {
        throw std::runtime_error{"this failed: " + command};
    }
}

// A file that must not be asked for.
inline std::string no_file(const std::string& path) {
    throw std::logic_error{"nobody should read " + path};
}

// With the subcommands that there are.
inline ReadResult read_settings(const Words& flags, const Environment& environment,
                                const ReadFile& read_file) {
    return vml::read_settings(flags, environment, read_file, subcommands());
}

inline ReadResult read_flags(const Words& flags) {
    return read_settings(flags, {}, no_file);
}

// The values of an option, in order.
inline Words values_of(const Plan& plan, std::string_view option) {
    Words values;
    for (const PlannedArg& arg : plan.args) {
        if (arg.option == option) {
            values.push_back(shown_value(arg));
        }
    }
    return values;
}

inline std::string text_of(const std::vector<Fault>& faults) {
    std::string text;
    for (const Fault& fault : faults) {
        text += to_text(fault) + "\n";
    }
    return text;
}

// A folder of the test's own.
class Folder {
  public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "vm-launch-test-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) {
            throw std::runtime_error{"cannot make a folder"};
        }
        path_ = name;
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    Folder(Folder&&) = delete;
    Folder& operator=(Folder&&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    // The path of the file that now has this text; folders on the way are made.
    std::filesystem::path write(const std::filesystem::path& name, std::string_view text) const {
        const std::filesystem::path file = path_ / name;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream{file, std::ios::binary} << text;
        return file;
    }

  private:
    std::filesystem::path path_;
};

// The folder that a file is in, opened; no descriptor where there is none.
inline OwnedFd folder_of(const std::filesystem::path& file) {
    return OwnedFd{::open(file.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
}

inline std::string text_in(const std::filesystem::path& file) {
    std::ifstream stream{file, std::ios::binary};
    REQUIRE(stream);
    return {std::istreambuf_iterator<char>{stream}, {}};
}

inline RomCandidate candidate(const std::filesystem::path& path, const rom::test::Data& data) {
    return {path, rom::read_option_rom(data, path.string()), std::nullopt};
}

inline RomCandidate bios_rom(const std::filesystem::path& path, rom::PciId id) {
    return candidate(path, rom::test::make(rom::test::X86{.id = id}));
}

inline RomCandidate efi_rom(const std::filesystem::path& path, unsigned machine = 0x8664) {
    return candidate(path, rom::test::make(rom::test::EfiImage{.machine = machine}));
}

// Debian 13's: the firmware runs it, and iPXE does not boot.
inline RomCandidate driver_rom(const std::filesystem::path& path) {
    return candidate(path, rom::test::make(rom::test::EfiImage{}, rom::test::driver_program(), false));
}

inline UefiFirmware uefi_firmware(std::string architecture, std::string machines) {
    return {"/usr/share/qemu/firmware/60-edk2.json",
            "UEFI firmware for " + architecture,
            "/usr/share/edk2/" + architecture + "_CODE.fd",
            "raw",
            "/usr/share/edk2/" + architecture + "_VARS.fd",
            "raw",
            {{std::move(architecture), {std::move(machines)}}},
            {}};
}

inline PathFacts a_file() {
    return {PathFacts::Kind::file, 0};
}
inline PathFacts a_folder() {
    return {PathFacts::Kind::folder, 0};
}
// An image of which qemu-img says that it is of this format.
inline DiskFacts an_image(std::string format = "raw") {
    return {a_file(), ImageFacts{.format = std::move(format)}};
}
inline DataFacts data_folder(bool first_boot_done = false) {
    return {"/srv/data", a_folder(), first_boot_done};
}

// An x86-64 host without KVM that has QEMU, one ROM with the modern virtio ID, and UEFI for both
// architectures.
inline HostFacts made_up_host() {
    HostFacts facts;
    facts.working_folder = "/home/user";
    facts.arch = Arch::x86_64;
    facts.qemu_program = "qemu-system-x86_64";
    facts.qemu = "/usr/bin/qemu-system-x86_64";
    facts.kvm = {false, "/dev/kvm is not there", "load the kvm module"};
    facts.fresh_password = "fresh123";
    facts.fresh_guest_password = "fresh123fresh1";
    facts.cpus = 8;
    facts.memory_mib = 16000;
    facts.roms = {std::vector<RomCandidate>{bios_rom("/usr/lib/ipxe/qemu/pxe-virtio.rom", {0x1AF4, 0x1041})}};
    facts.uefi = {uefi_firmware("x86_64", "pc-q35-*"), uefi_firmware("aarch64", "virt-*")};
    return facts;
}

// br0, with everything that a VM's NIC needs of it.
inline net::Link a_bridge() {
    net::Link bridge;
    bridge.index = 2;
    bridge.name = "br0";
    bridge.kind = "bridge";
    bridge.up = true;
    bridge.ethernet = true;
    bridge.mtu = 1500;
    bridge.bridge = net::BridgeFacts{};
    return bridge;
}

// br0, with a carrier and these addresses of the host's, and eth2, which is no port of it.
inline std::vector<net::Link> a_bridge_and_a_device(std::vector<net::Ipv4Address> addresses = {{10, 77, 0,
                                                                                                3}},
                                                    unsigned mtu = 1500) {
    net::Link bridge = a_bridge();
    bridge.carrier = true;
    bridge.mtu = mtu;
    net::Link device = bridge;
    device.index = 3;
    device.name = "eth2";
    device.kind.clear();
    device.bridge.reset();
    bridge.addresses = std::move(addresses);
    return {bridge, device};
}

// A host with these links, on which vm-launch may do everything.
inline HostFacts with_links(HostFacts facts, std::vector<net::Link> links) {
    facts.network = net::HostNetworkFacts{};
    facts.network->net_admin = true;
    facts.network->sys_admin = true;
    facts.network->links = std::move(links);
    return facts;
}

inline HostFacts with_netboot(HostFacts facts, bool has_boot_ipxe = true) {
    facts.netboot = NetbootFacts{a_folder(), has_boot_ipxe, std::nullopt, has_boot_ipxe};
    return facts;
}

inline HostFacts with_kvm(HostFacts facts) {
    facts.kvm = {true, "", ""};
    return facts;
}

// Settings as the flags say, decided on that host.
inline Decision decide_flags(const Words& flags, const HostFacts& facts) {
    const ReadResult read = read_flags(flags);
    if (!read.faults.empty()) {
        throw std::logic_error{"the test's flags are wrong: " + text_of(read.faults)};
    }
    return decide(read.settings, read.origins, facts);
}

// Throws what was wrong when there is no spec.
inline VmSpec spec_of(const Words& flags, const HostFacts& facts) {
    Decision decision = decide_flags(flags, facts);
    if (const auto* faults = std::get_if<std::vector<Fault>>(&decision)) {
        throw std::runtime_error{text_of(*faults)};
    }
    return std::get<VmSpec>(std::move(decision));
}

inline Plan plan_of(const Words& flags, const HostFacts& facts) {
    return make_plan(spec_of(flags, facts));
}

// Throws when all was well.
inline std::vector<Fault> faults_of(const Words& flags, const HostFacts& facts) {
    Decision decision = decide_flags(flags, facts);
    return std::get<std::vector<Fault>>(std::move(decision));
}

}  // namespace vml::test
