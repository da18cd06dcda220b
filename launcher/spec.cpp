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
#include "netsetup/mac.h"
#include "netsetup/plan.h"

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
        run_user();
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
        for (std::size_t index = 0; index < settings_.nics.size(); ++index) {
            nic(settings_.nics[index], index);
        }
        check_nat_settings();
        check_mac_clash();
        const bool any_rom =
            std::any_of(spec_.nics.begin(), spec_.nics.end(), [](const NicSpec& n) { return n.rom; });
        if (settings_.ipxe_rom && !any_rom && !settings_.ipxe && faults_.empty()) {
            settings_fault(fmt::format("{} has no effect", origin("ipxe-rom")), "iPXE is not asked for",
                           "add --ipxe (IPXE_ENABLE=1)");
        }
    }

    // How an error speaks of one NIC: the first one's settings have flags of their own.
    [[nodiscard]] std::string nic_words(std::size_t index, std::string_view flag) const {
        return index == 0 ? origin(flag) : fmt::format("NIC {}", index + 1);
    }

    void nic(const NicSettings& nic_settings, std::size_t index) {
        const rom::NicModel& model = *rom::find_nic_model(nic_settings.model);
        NicSpec nic;
        nic.id = fmt::format("net{}", index);
        nic.model = model.name;
        nic.qemu_device = model.qemu_device;
        nic.mac = nic_settings.mac.value_or(mac_of(spec_.name, static_cast<int>(index) + 1));
        nic.queues = nic_settings.queues;
        check_queues(nic_settings, index);
        if (nic_settings.network == NetworkMode::nat) {
            nic.net = nat(index);
            nic.mtu = nic_settings.mtu;
        } else {
            nic.net = host_link(nic_settings, index, nic);
        }
        const bool legacy = spec_.firmware.mode == FirmwareMode::legacy;
        if (takes_part_in_boot(nic_settings, index) &&
            (settings_.ipxe || (legacy && boots_from(BootDevice::network)))) {
            nic_rom(nic, index, model);
        }
        spec_.nics.push_back(std::move(nic));
    }

    void check_queues(const NicSettings& nic, std::size_t index) {
        if (nic.queues > 1 && (nic.model != "virtio" || nic.network == NetworkMode::nat)) {
            settings_fault(fmt::format("{}: several queues need a virtio NIC on bridge or direct",
                                       nic_words(index, "nic-queues")),
                           "", "leave the queues out");
        }
    }

    void nic_rom(NicSpec& nic, std::size_t index, const rom::NicModel& model) {
        auto chosen = choose_rom({model, spec_.firmware.mode, spec_.arch, facts_.roms.at(index),
                                  settings_.ipxe_rom, origin("ipxe-rom")});
        if (auto* fault = std::get_if<Fault>(&chosen)) {
            faults_.push_back(std::move(*fault));
            return;
        }
        auto& choice = std::get<ChosenRom>(chosen);
        nic.rom = std::move(choice.rom);
        std::move(choice.warnings.begin(), choice.warnings.end(), std::back_inserter(spec_.notes));
    }

    [[nodiscard]] static std::string joined(const std::vector<std::string>& names) {
        return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
    }

    // Names of the host's links that could be meant.
    [[nodiscard]] std::string possible_links(NetworkMode mode) const {
        std::vector<std::string> names;
        for (const net::Link& link : facts_.network->links) {
            if (mode == NetworkMode::bridge ? link.kind == "bridge"
                                            : !link.loopback && link.kind != "bridge") {
                names.push_back(link.name);
            }
        }
        return joined(names);
    }

    HostLinkSpec host_link(const NicSettings& wanted, std::size_t index, NicSpec& nic) {
        const bool bridge = wanted.network == NetworkMode::bridge;
        HostLinkSpec link{
            wanted.network, (bridge ? wanted.bridge : wanted.direct_dev).value_or(""), {}, {}, false};
        if (link.upper.empty()) {
            settings_fault(
                fmt::format("{}: {} needs {}", nic_words(index, "network"), bridge ? "bridge" : "direct",
                            bridge ? "the bridge's name" : "the lower device's name"),
                fmt::format("there are here: {}", possible_links(wanted.network)),
                bridge ? "add --bridge NAME (NETWORK_BRIDGE)" : "add --direct-dev NAME (NETWORK_DIRECT_DEV)");
            return link;
        }
        take_link_plan(link_plan(wanted, static_cast<unsigned>(index) + 1, nic.mac), link, nic);
        link.vhost = use_vhost(nic);
        return link;
    }

    [[nodiscard]] net::NicPlan link_plan(const NicSettings& wanted, unsigned number,
                                         const std::string& mac) const {
        const auto filled = [&](auto request) {
            request.nic = number;
            request.guest_mac = net::parse_mac(mac).value_or(net::Mac{});
            request.mtu = wanted.mtu.value_or(0);
            request.queues = {wanted.queues, true};
            request.owner = spec_.name;
            return request;
        };
        if (wanted.network == NetworkMode::bridge) {
            net::BridgeRequest request = filled(net::BridgeRequest{});
            request.bridge = *wanted.bridge;
            return net::plan_bridge_nic(request, *facts_.network);
        }
        net::DirectRequest request = filled(net::DirectRequest{});
        request.device = *wanted.direct_dev;
        return net::plan_direct_nic(request, *facts_.network);
    }

    void take_link_plan(net::NicPlan plan, HostLinkSpec& link, NicSpec& nic) {
        for (Fault& fault : plan.faults) {
            add_once(std::move(fault));
        }
        for (const Fault& warning : plan.warnings) {
            note_once(one_line(warning));
        }
        constexpr unsigned ethernet_mtu = 1500;
        for (const net::Operation& operation : plan.operations) {
            const auto* tap = std::get_if<net::CreateTap>(&operation);
            const auto* macvtap = std::get_if<net::CreateMacvtap>(&operation);
            const unsigned mtu = tap != nullptr ? tap->mtu : macvtap != nullptr ? macvtap->mtu : ethernet_mtu;
            if (mtu != ethernet_mtu) {
                nic.mtu = mtu;
            }
        }
        link.operations = std::move(plan.operations);
        link.forwards_after = plan.forwards_after;
    }

    // Two NICs may suffer from the same lack; it is told once.
    void add_once(Fault fault) {
        if (std::find(faults_.begin(), faults_.end(), fault) == faults_.end()) {
            faults_.push_back(std::move(fault));
        }
    }
    void note_once(const std::string& note) {
        if (std::find(spec_.notes.begin(), spec_.notes.end(), note) == spec_.notes.end()) {
            spec_.notes.push_back(note);
        }
    }
    static std::string one_line(const Fault& fault) {
        return fault.what + (fault.why.empty() ? "" : ": " + fault.why) +
               (fault.hint.empty() ? "" : " (" + fault.hint + ")");
    }

    [[nodiscard]] bool use_vhost(const NicSpec& nic) {
        if (nic.model != "virtio") {
            return false;
        }
        if (facts_.vhost_error != 0) {
            note_once(fmt::format(
                "no vhost-net: /dev/vhost-net cannot be opened: {} (QEMU moves the frames itself, slower)",
                errno_text(facts_.vhost_error)));
        }
        return facts_.vhost_error == 0;
    }

    [[nodiscard]] bool has_nat() const {
        return std::any_of(settings_.nics.begin(), settings_.nics.end(),
                           [](const NicSettings& nic) { return nic.network == NetworkMode::nat; });
    }

    // What only user-mode networking can do, asked for where there is none.
    void check_nat_settings() {
        if (has_nat()) {
            return;
        }
        for (const std::string_view flag : {"netboot-dir", "bootfile", "port-forward", "ssh-port"}) {
            if (origins_.contains(flag)) {
                settings_fault(
                    fmt::format("{} needs user-mode networking", origin(flag)),
                    "on a bridge or a device the guest uses the network's own DHCP, TFTP and addresses",
                    "leave it out, or add a NIC: --nic mode=nat");
            }
        }
    }

    // The folder, the bootfile and the forwards belong to the first NIC of this mode.
    NatSpec nat(std::size_t index) {
        NatSpec nat;
        const bool first = std::none_of(spec_.nics.begin(), spec_.nics.end(), [](const NicSpec& nic) {
            return std::holds_alternative<NatSpec>(nic.net);
        });
        if (!first) {
            return nat;
        }
        nat.forwards = settings_.port_forwards;
        if (settings_.ssh_port) {
            constexpr std::uint16_t ssh = 22;
            nat.forwards.push_back({*settings_.ssh_port, ssh});
            check_ssh_port();
        }
        nat.bootfile = settings_.bootfile;
        if (settings_.netboot_dir) {
            netboot_folder(nat);
        } else if (settings_.bootfile && settings_.bootfile->find("://") == std::string::npos) {
            settings_fault(fmt::format("{}: there is no folder to serve '{}' from", origin("bootfile"),
                                       *settings_.bootfile),
                           "", "add --netboot-dir DIR (NETBOOT_DIR), or give a URL");
        } else if (settings_.ipxe && !settings_.bootfile &&
                   takes_part_in_boot(settings_.nics[index], index)) {
            spec_.notes.emplace_back(
                "QEMU's own DHCP will name nothing to boot: give --netboot-dir DIR with a boot.ipxe in it, "
                "or "
                "--bootfile URL");
        }
        return nat;
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

    void netboot_folder(NatSpec& nat) {
        const fs::path& folder = *settings_.netboot_dir;
        const NetbootFacts& netboot = *facts_.netboot;
        if (!check_path("netboot-dir", folder, netboot.folder, Kind::folder)) {
            return;
        }
        check_folder_for_user(folder, netboot.folder.user_error);
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

    void check_folder_for_user(const fs::path& folder, int user_error) {
        if (user_error != 0) {
            const std::string& user = facts_.run_user.user->name;
            host_fault(
                fmt::format("{}: QEMU's user {} cannot read {}", origin("netboot-dir"), user,
                            folder.string()),
                errno_text(user_error),
                fmt::format(
                    "chmod -R a+rX {} (and a+x the folders above it), or --run-as USER who may read it",
                    folder.string()));
        }
    }

    void run_user() {
        const RunUserFacts& facts = facts_.run_user;
        if (settings_.run_as && !facts.user) {
            host_fault(fmt::format("{}: there is no user '{}'", origin("run-as"), *settings_.run_as), "",
                       "name a user of this host, for example nobody");
        } else if (settings_.run_as && !facts.can_change && facts.user->name != facts.own_name) {
            host_fault(fmt::format("{}: only root can run QEMU as somebody else", origin("run-as")),
                       fmt::format("vm-launch runs as {}", facts.own_name),
                       "leave it out, or start vm-launch as root");
        }
        spec_.run_user = facts.can_change ? facts.user : std::nullopt;
        if (spec_.run_user && spec_.accelerator != Accelerator::kvm) {
            spec_.run_user->groups.clear();
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

    void add_nics_to_order() {
        for (std::size_t i = 0; i < spec_.nics.size(); ++i) {
            if (takes_part_in_boot(settings_.nics[i], i)) {
                const int index = static_cast<int>(spec_.boot_order.size()) + 1;
                spec_.nics[i].bootindex = index;
                spec_.boot_order.push_back(
                    {index, BootDevice::network, spec_.nics[i].id, reason_for(BootDevice::network)});
            }
        }
        const bool none =
            std::none_of(spec_.nics.begin(), spec_.nics.end(), [](const NicSpec& n) { return n.bootindex; });
        if (none && settings_.ipxe) {
            settings_fault(fmt::format("{}: no NIC takes part in the boot", origin("ipxe")),
                           fmt::format("{} takes the first one out", origin("nic-boot")),
                           "let one boot: boot=on");
        }
    }

    void check_mac_clash() {
        for (std::size_t i = 0; i < spec_.nics.size(); ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                if (spec_.nics[i].mac == spec_.nics[j].mac) {
                    settings_fault(fmt::format("NIC {} and NIC {} have the same MAC address {}", j + 1, i + 1,
                                               spec_.nics[i].mac),
                                   "", "give each its own, or leave them out");
                }
            }
        }
    }

    void add_to_order(BootDevice device) {
        if (device == BootDevice::network) {
            add_nics_to_order();
            return;
        }
        const int index = static_cast<int>(spec_.boot_order.size()) + 1;
        std::string id;
        switch (device) {
            case BootDevice::network:
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
