#include "launcher/spec.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "launcher/identity.h"
#include "launcher/rom_choice.h"
#include "launcher/values.h"

namespace vml {

namespace {

namespace fs = std::filesystem;
using Kind = PathFacts::Kind;

std::optional<MachineFamily> family_of(std::string_view machine) {
    if (machine == "q35" || machine.starts_with("pc-q35-")) {
        return MachineFamily::q35;
    }
    if (machine == "pc" || machine.starts_with("pc-i440fx-")) {
        return MachineFamily::pc;
    }
    if (machine == "virt" || machine.starts_with("virt-")) {
        return MachineFamily::virt;
    }
    return std::nullopt;
}

std::uint64_t resolve(const Amount& amount, std::uint64_t whole) {
    if (amount.number) {
        return *amount.number;
    }
    return std::max<std::uint64_t>(1, *amount.share == Share::half ? whole / 2 : whole);
}

// "qcow2" or "raw" from the first bytes; nothing for a format that would need another driver.
std::optional<std::string> disk_format(std::string_view head) {
    using namespace std::string_view_literals;
    if (head.starts_with("QFI\xfb"sv)) {  // QEMU docs/interop/qcow2.txt, "Header"
        return "qcow2";
    }
    constexpr std::array<std::string_view, 4> others{"KDMV"sv, "# Disk DescriptorFile"sv, "<<< "sv,
                                                     "vhdxfile"sv};
    const bool other = std::any_of(others.begin(), others.end(), [&](std::string_view magic) {
        return head.starts_with(magic.substr(0, std::min(magic.size(), head.size()))) && !head.empty();
    });
    return other ? std::nullopt : std::optional<std::string>{"raw"};
}

class Decider {
  public:
    Decider(const Settings& settings, const Origins& origins, const HostFacts& facts)
        : settings_{settings}, origins_{origins}, facts_{facts} {}

    Decision decide() {
        identity();
        qemu();
        machine();
        accelerator();
        firmware();
        network();
        disks();
        boot_order();
        spec_.extra_args = settings_.extra_args;
        if (faults_.empty()) {
            return std::move(spec_);
        }
        // The settings' faults first: they decide the exit code.
        std::stable_partition(faults_.begin(), faults_.end(),
                              [](const Fault& fault) { return fault.code == ExitCode::settings; });
        return std::move(faults_);
    }

  private:
    void settings_fault(std::string what, std::string why, std::string hint) {
        faults_.push_back({std::move(what), std::move(why), std::move(hint), ExitCode::settings});
    }
    void host_fault(std::string what, std::string why, std::string hint) {
        faults_.push_back({std::move(what), std::move(why), std::move(hint), ExitCode::host});
    }
    [[nodiscard]] std::string origin(std::string_view flag) const { return origin_of(origins_, flag); }

    void identity() {
        spec_.name = settings_.name.value_or(facts_.default_name);
        spec_.uuid = uuid_of(spec_.name);
    }

    void qemu() {
        if (facts_.qemu) {
            spec_.qemu = *facts_.qemu;
            return;
        }
        const std::string package =
            arch_of(settings_, facts_.arch) == Arch::x86_64 ? "qemu-system-x86" : "qemu-system-arm";
        host_fault(fmt::format("{} is not installed", facts_.qemu_program), "it is in no folder of $PATH",
                   fmt::format("apt-get install {}", package));
    }

    void machine() {
        spec_.arch = arch_of(settings_, facts_.arch);
        const bool x86 = spec_.arch == Arch::x86_64;
        spec_.machine = settings_.machine.value_or(x86 ? "q35" : "virt");
        const std::optional<MachineFamily> family = family_of(spec_.machine);
        const std::string_view possible = x86 ? "possible: q35, pc" : "possible: virt";
        if (!family) {
            settings_fault(
                fmt::format("{}: '{}' is no machine that vm-launch knows", origin("machine"), spec_.machine),
                spec_.machine.starts_with("microvm") ? "iPXE finds no NIC on a microvm" : "",
                std::string{possible});
        } else if ((*family == MachineFamily::virt) == x86) {
            settings_fault(fmt::format("{}: there is no '{}' on {}", origin("machine"), spec_.machine,
                                       to_string(spec_.arch)),
                           "", std::string{possible});
        } else {
            spec_.family = *family;
        }
        spec_.cpus = resolve(settings_.cpus, facts_.cpus);
        spec_.memory_mib = resolve(settings_.memory_mib, facts_.memory_mib);
    }

    // Why KVM cannot be used, if so.
    [[nodiscard]] std::optional<std::pair<std::string, std::string>> no_kvm() const {
        if (spec_.arch != facts_.arch) {
            return std::pair{fmt::format("KVM runs {} guests only on this host", to_string(facts_.arch)),
                             std::string{}};
        }
        if (!facts_.kvm.usable) {
            return std::pair{facts_.kvm.why_not, facts_.kvm.hint};
        }
        return std::nullopt;
    }

    void accelerator() {
        const auto obstacle = no_kvm();
        const bool tcg_asked = settings_.accel == AccelChoice::tcg;
        if (settings_.require_kvm && tcg_asked) {
            settings_fault(
                fmt::format("{} and {} contradict each other", origin("require-kvm"), origin("accel")), "",
                "leave one of them out");
        } else if (settings_.require_kvm && obstacle) {
            host_fault(fmt::format("{}: KVM cannot be used", origin("require-kvm")), obstacle->first,
                       obstacle->second);
        } else if (settings_.accel == AccelChoice::kvm && spec_.arch != facts_.arch) {
            settings_fault(fmt::format("{}: KVM cannot be used", origin("accel")), obstacle->first,
                           "use --accel tcg");
        }
        choose_accelerator(obstacle ? obstacle->first : std::string{}, tcg_asked);
        const bool kvm = spec_.accelerator == Accelerator::kvm;
        spec_.cpu = settings_.cpu.value_or(kvm ? "host" : "max");
    }

    void choose_accelerator(const std::string& obstacle, bool tcg_asked) {
        if (settings_.accel == AccelChoice::kvm) {
            spec_.accelerator = Accelerator::kvm;
            spec_.accelerator_reason = fmt::format("{} asks for KVM", origin("accel"));
            if (!obstacle.empty()) {
                spec_.notes.push_back(
                    fmt::format("KVM may not work here: {}; --accel tcg emulates", obstacle));
            }
        } else if (tcg_asked) {
            spec_.accelerator_reason = fmt::format("{} asks for emulation", origin("accel"));
        } else if (obstacle.empty()) {
            spec_.accelerator = Accelerator::kvm;
            spec_.accelerator_reason = "this host's KVM can run firmware";
        } else {
            spec_.accelerator_reason = fmt::format("emulation, because {}", obstacle);
        }
    }

    void firmware() {
        spec_.firmware.mode = firmware_of(settings_, spec_.arch);
        if (spec_.firmware.mode == FirmwareMode::legacy) {
            if (spec_.arch != Arch::x86_64) {
                settings_fault(
                    fmt::format("{}: {} has no legacy firmware", origin("firmware"), to_string(spec_.arch)),
                    "", "use --firmware uefi");
            }
            return;
        }
        spec_.firmware.uefi = choose_uefi(facts_.uefi, spec_.arch, spec_.machine);
        if (!spec_.firmware.uefi) {
            host_fault(
                fmt::format("no UEFI firmware for {} ({}) is installed", to_string(spec_.arch),
                            spec_.machine),
                "no descriptor in /etc/qemu/firmware or /usr/share/qemu/firmware fits",
                fmt::format("apt-get install {}", spec_.arch == Arch::x86_64 ? "ovmf" : "qemu-efi-aarch64"));
        }
    }

    [[nodiscard]] bool boots_from(BootDevice device) const {
        const auto order = wanted_order();
        return std::find(order.begin(), order.end(), device) != order.end();
    }

    // BOOT_ORDER as given or by default, with iPXE's promotion.
    [[nodiscard]] std::vector<BootDevice> wanted_order() const {
        std::vector<BootDevice> order = settings_.boot_order.value_or(std::vector{BootDevice::hd});
        if (!settings_.boot_order && settings_.iso) {
            order.push_back(BootDevice::cdrom);
        }
        if (settings_.ipxe) {
            std::erase(order, BootDevice::network);
            order.insert(order.begin(), BootDevice::network);
        }
        return order;
    }

    void network() {
        const rom::NicModel& model = *rom::find_nic_model(settings_.nic_model);
        spec_.nic.id = "net0";
        spec_.nic.model = model.name;
        spec_.nic.qemu_device = model.qemu_device;
        spec_.nic.mac = settings_.mac.value_or(mac_of(spec_.name, 1));
        nat();
        const bool legacy = spec_.firmware.mode == FirmwareMode::legacy;
        if (settings_.ipxe || (legacy && boots_from(BootDevice::network))) {
            nic_rom();
        } else if (settings_.ipxe_rom) {
            settings_fault(fmt::format("{} has no effect", origin("ipxe-rom")), "iPXE is not asked for",
                           "add --ipxe (IPXE_ENABLE=1)");
        }
    }

    void nic_rom() {
        auto chosen = choose_rom(settings_, origins_, facts_, spec_.firmware.mode, spec_.arch);
        if (auto* fault = std::get_if<Fault>(&chosen)) {
            faults_.push_back(std::move(*fault));
            return;
        }
        auto& choice = std::get<ChosenRom>(chosen);
        spec_.nic.rom = std::move(choice.rom);
        std::move(choice.warnings.begin(), choice.warnings.end(), std::back_inserter(spec_.notes));
    }

    void nat() {
        NatSpec& nat = spec_.nic.nat;
        nat.forwards = settings_.port_forwards;
        if (settings_.ssh_port) {
            constexpr std::uint16_t ssh = 22;
            nat.forwards.push_back({*settings_.ssh_port, ssh});
            check_ssh_port();
        }
        nat.bootfile = settings_.bootfile;
        if (settings_.netboot_dir) {
            netboot_folder();
        } else if (settings_.bootfile && settings_.bootfile->find("://") == std::string::npos) {
            settings_fault(fmt::format("{}: there is no folder to serve '{}' from", origin("bootfile"),
                                       *settings_.bootfile),
                           "", "add --netboot-dir DIR (NETBOOT_DIR), or give a URL");
        } else if (settings_.ipxe && !settings_.bootfile) {
            spec_.notes.emplace_back(
                "QEMU's own DHCP will name nothing to boot: give --netboot-dir DIR with a boot.ipxe in it, "
                "or --bootfile URL");
        }
    }

    void check_ssh_port() {
        const auto taken =
            std::find_if(settings_.port_forwards.begin(), settings_.port_forwards.end(),
                         [&](const PortForward& f) { return f.host_port == *settings_.ssh_port; });
        if (taken != settings_.port_forwards.end()) {
            settings_fault(fmt::format("{} and {} both take host port {}", origin("ssh-port"),
                                       origin("port-forward"), *settings_.ssh_port),
                           "", "forward each port of the host once");
        }
    }

    void netboot_folder() {
        const fs::path& folder = *settings_.netboot_dir;
        const NetbootFacts& netboot = *facts_.netboot;
        if (!check_path("netboot-dir", folder, netboot.folder, Kind::folder)) {
            return;
        }
        NatSpec& nat = spec_.nic.nat;
        nat.tftp_folder = fs::absolute(folder).lexically_normal();
        if (!settings_.bootfile && netboot.has_boot_ipxe) {
            nat.bootfile = "boot.ipxe";
        } else if (!settings_.bootfile) {
            spec_.notes.push_back(fmt::format(
                "{} holds no boot.ipxe and no --bootfile is given: DHCP will name nothing to boot",
                folder.string()));
        }
        if (netboot.bootfile) {
            check_path("bootfile", folder / fs::path{*settings_.bootfile}.relative_path(), *netboot.bootfile,
                       Kind::file);
        }
    }

    // A path of the settings: is it there, of the right kind, and can it be opened?
    bool check_path(std::string_view flag, const fs::path& path, const PathFacts& path_facts, Kind wanted) {
        const std::string what = fmt::format("{}: cannot use {}", origin(flag), path.string());
        const std::string_view kind = wanted == Kind::folder ? "folder" : "file";
        if (path_facts.kind == Kind::missing) {
            host_fault(what, errno_text(path_facts.open_error),
                       "check the path; in a container, the volume's mount");
        } else if (path_facts.kind != wanted) {
            host_fault(what, fmt::format("it is no {}", kind), fmt::format("name a {}", kind));
        } else if (path_facts.open_error != 0) {
            host_fault(what, errno_text(path_facts.open_error), hint_for_open(path_facts.open_error));
        } else {
            return true;
        }
        return false;
    }

    static std::string hint_for_open(int open_error) {
        return open_error == EROFS ? "mount it writable"
                                   : "check the owner and mode, also of the folders above it";
    }

    void disks() {
        if (settings_.disk && settings_.blank_disk) {
            settings_fault(
                fmt::format("{} and {} contradict each other", origin("disk"), origin("blank-disk")), "",
                "leave one of them out");
        } else if (settings_.disk) {
            image_disk();
        } else if (settings_.blank_disk) {
            spec_.disk = DiskSpec{"disk0", std::nullopt, "raw", settings_.disk_size, std::nullopt};
        }
        if (settings_.iso && check_path("iso", *settings_.iso, *facts_.iso, Kind::file)) {
            spec_.cdrom = CdromSpec{fs::absolute(*settings_.iso).lexically_normal(), std::nullopt};
        }
    }

    void image_disk() {
        if (!check_path("disk", *settings_.disk, *facts_.disk, Kind::file)) {
            return;
        }
        const std::optional<std::string> format = disk_format(facts_.disk->head);
        if (!format) {
            host_fault(fmt::format("{}: cannot use {}", origin("disk"), settings_.disk->string()),
                       "it is neither raw nor qcow2", "convert it: qemu-img convert -O qcow2 OLD NEW");
            return;
        }
        spec_.disk =
            DiskSpec{"disk0", fs::absolute(*settings_.disk).lexically_normal(), *format, 0, std::nullopt};
    }

    void boot_order() {
        for (const BootDevice device : wanted_order()) {
            add_to_order(device);
        }
        if (spec_.boot_order.empty() && faults_.empty()) {
            settings_fault("there is nothing to boot from",
                           fmt::format("{} says {}, and there is no such device", origin("boot-order"),
                                       to_string(wanted_order())),
                           "add --ipxe for the network, --disk PATH, or --iso PATH");
        }
    }

    void add_to_order(BootDevice device) {
        const int index = static_cast<int>(spec_.boot_order.size()) + 1;
        std::string id;
        switch (device) {
            case BootDevice::network:
                id = spec_.nic.id;
                spec_.nic.bootindex = index;
                break;
            case BootDevice::hd:
                id = spec_.disk ? spec_.disk->id : "";
                if (spec_.disk) {
                    spec_.disk->bootindex = index;
                }
                break;
            case BootDevice::cdrom:
                id = spec_.cdrom ? "cdrom0" : "";
                if (spec_.cdrom) {
                    spec_.cdrom->bootindex = index;
                }
                break;
        }
        if (!id.empty()) {
            spec_.boot_order.push_back({index, device, id, reason_for(device)});
        } else if (settings_.boot_order) {
            spec_.notes.push_back(fmt::format(
                "{} names {}, but there is none: {}", origin("boot-order"), to_string(device),
                device == BootDevice::hd ? "give --disk PATH or --blank-disk" : "give --iso PATH"));
        }
    }

    [[nodiscard]] std::string reason_for(BootDevice device) const {
        const auto given = settings_.boot_order.value_or(std::vector<BootDevice>{});
        if (device == BootDevice::network && settings_.ipxe) {
            return fmt::format(
                "{} puts network first{}", origin("ipxe"),
                given.empty() || given.front() == BootDevice::network ? "" : ", whatever the order says");
        }
        return given.empty() ? "the default order"
                             : fmt::format("{} says {}", origin("boot-order"), to_string(given));
    }

    const Settings& settings_;
    const Origins& origins_;
    const HostFacts& facts_;
    VmSpec spec_;
    std::vector<Fault> faults_;
};

}  // namespace

Decision decide(const Settings& settings, const Origins& origins, const HostFacts& facts) {
    return Decider{settings, origins, facts}.decide();
}

}  // namespace vml
