#include "launcher/vm/spec.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "launcher/settings/values.h"
#include "launcher/vm/boot_sources.h"
#include "launcher/vm/disk_image.h"
#include "launcher/vm/identity.h"
#include "launcher/vm/rom_choice.h"
#include "launcher/vm/script_check.h"
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
        state_folder();
        tpm();
        pxe();
        network();
        disks();
        smbios();
        cloud_init();
        screen();
        spec_.guest_agent = settings_.guest_agent;
        boot_order();
        watch();
        fast_boot();
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

    [[nodiscard]] fs::path absolute(const fs::path& path) const {
        return (facts_.working_folder / path).lexically_normal();
    }

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
        if (facts_.in_container && settings_.accel == AccelChoice::automatic && obstacle &&
            !obstacle->second.empty()) {
            spec_.notes.push_back(fmt::format("the guest is emulated, which is slow: {}", obstacle->second));
        }
        const bool kvm = spec_.accelerator == Accelerator::kvm;
        spec_.cpu = settings_.cpu.value_or(kvm ? "host" : "max");
        if (spec_.cpu == "host" && !kvm) {
            spec_.notes.push_back(
                fmt::format("{}: only KVM has the host's CPU; the emulator's best is used", origin("cpu")));
            spec_.cpu = "max";
        }
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
        const bool secure = spec_.firmware.mode == FirmwareMode::secure;
        spec_.firmware.uefi = secure ? choose_secure_uefi(facts_.uefi, spec_.arch, spec_.machine)
                                     : choose_uefi(facts_.uefi, spec_.arch, spec_.machine);
        if (!spec_.firmware.uefi && secure && spec_.family == MachineFamily::pc) {
            settings_fault(
                fmt::format("{}: there is no Secure Boot on {}", origin("firmware"), spec_.machine),
                "it needs System Management Mode, which q35 has", "use --machine q35");
        } else if (!spec_.firmware.uefi) {
            host_fault(
                fmt::format("no UEFI firmware{} for {} ({}) is installed",
                            secure ? " with Secure Boot and enrolled keys" : "", to_string(spec_.arch),
                            spec_.machine),
                "no descriptor in /etc/qemu/firmware or /usr/share/qemu/firmware fits",
                fmt::format("apt-get install {}", spec_.arch == Arch::x86_64 ? "ovmf" : "qemu-efi-aarch64"));
        }
        if (secure && settings_.ipxe) {
            ipxe_with_secure_boot();
        }
    }

    // OVMF runs an option ROM without a signature, AAVMF does not (edk2 PcdOptionRomImageVerificationPolicy
    // in OvmfPkgX64.dsc and ArmVirtQemu.dsc).
    void ipxe_with_secure_boot() {
        if (spec_.arch == Arch::aarch64) {
            settings_fault(
                fmt::format("{} and {} do not go together on aarch64", origin("ipxe"), origin("firmware")),
                "AAVMF with Secure Boot refuses what is not signed, and iPXE is not",
                "boot by the firmware's own PXE or HTTP: --no-ipxe --boot-order network --pxe v4, with a "
                "signed "
                "loader");
        } else {
            spec_.notes.emplace_back(
                "Secure Boot: OVMF runs iPXE's ROM and its scripts, but whatever iPXE starts must be signed "
                "by a "
                "key that the firmware knows: shim and what it vouches for boot, an unsigned kernel, iPXE or "
                "GRUB "
                "is refused");
        }
    }

    void tpm() {
        if (!wants_tpm(settings_, spec_.firmware.mode)) {
            return;
        }
        if (!facts_.swtpm) {
            host_fault("swtpm, which is the VM's TPM, is not installed", "it is in no folder of $PATH",
                       "apt-get install swtpm, or --no-tpm");
            return;
        }
        spec_.tpm = TpmSpec{*facts_.swtpm, std::nullopt};
        if (spec_.state_folder) {
            spec_.tpm->kept = *spec_.state_folder / "tpm.state";
        }
    }

    void pxe() {
        const bool firmware_boots =
            spec_.firmware.mode != FirmwareMode::legacy && !settings_.ipxe && boots_from(BootDevice::network);
        if (!settings_.pxe) {
            // All four, one after the other, would wait a minute each where nobody answers.
            spec_.pxe = firmware_boots ? std::optional{PxeClient::v4} : std::nullopt;
            return;
        }
        if (spec_.firmware.mode == FirmwareMode::legacy) {
            settings_fault(fmt::format("{} needs UEFI", origin("pxe")),
                           "SeaBIOS has no network client of its own",
                           "add --firmware uefi, or leave it out");
        } else if (settings_.ipxe) {
            settings_fault(fmt::format("{} and {} contradict each other", origin("ipxe"), origin("pxe")),
                           "either iPXE boots, or the firmware's own client", "leave one of them out");
        } else if (!boots_from(BootDevice::network)) {
            settings_fault(fmt::format("{} has no effect", origin("pxe")),
                           fmt::format("network is not in the order ({})", to_string(wanted_order())),
                           "add --boot-order network");
        }
        spec_.pxe = settings_.pxe;
    }

    void smbios() {
        spec_.smbios = settings_.smbios;
        if (!settings_.cloud_init_url) {
            return;
        }
        const bool serial_given = std::any_of(spec_.smbios.begin(), spec_.smbios.end(),
                                              [](const auto& field) { return field.first == "serial"; });
        if (serial_given) {
            settings_fault(fmt::format("{} and the serial of {} contradict each other",
                                       origin("cloud-init-url"), origin("smbios")),
                           "cloud-init reads the URL from the serial number", "leave one of them out");
            return;
        }
        const std::string& url = *settings_.cloud_init_url;
        spec_.smbios.emplace_back("serial",
                                  fmt::format("ds=nocloud-net;s={}{}", url, url.ends_with('/') ? "" : "/"));
    }

    void cloud_init() {
        const bool any = settings_.cloud_init || settings_.user_data || settings_.ssh_public_key;
        if (any && settings_.cloud_init_url) {
            settings_fault(fmt::format("{} contradicts the seed of {}", origin("cloud-init-url"),
                                       origin(settings_.user_data    ? "user-data"
                                              : settings_.cloud_init ? "cloud-init"
                                                                     : "ssh-pubkey")),
                           "the guest fetches its data, or it has them", "leave one of them out");
            return;
        }
        if (!any || (settings_.user_data &&
                     !check_path("user-data", *settings_.user_data, *facts_.user_data, Kind::file))) {
            return;
        }
        spec_.seed = make_seed(spec_.name, settings_.hostname.value_or(spec_.name),
                               settings_.user_data ? std::optional{facts_.user_data_text} : std::nullopt,
                               settings_.ssh_public_key);
    }

    [[nodiscard]] bool boots_from(BootDevice device) const {
        auto order = wanted_order();
        if (settings_.boot_once) {
            order.insert(order.end(), settings_.boot_once->begin(), settings_.boot_once->end());
        }
        return std::find(order.begin(), order.end(), device) != order.end();
    }

    // BOOT_ORDER as given or by default, with iPXE's promotion.
    [[nodiscard]] std::vector<BootDevice> wanted_order() const {
        std::vector<BootDevice> order = settings_.boot_order.value_or(std::vector{BootDevice::hd});
        if (!settings_.boot_order && settings_.iso) {
            order.push_back(BootDevice::cdrom);
        }
        // With an order for the first boot, that one is iPXE's: or else the network would always be first.
        return settings_.boot_once ? order : promoted(std::move(order));
    }

    [[nodiscard]] std::vector<BootDevice> promoted(std::vector<BootDevice> order) const {
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
        leave_to_program();
        check_nat_settings();
        check_mac_clash();
        const bool any_rom =
            std::any_of(spec_.nics.begin(), spec_.nics.end(), [](const NicSpec& n) { return n.rom; });
        if (settings_.ipxe_rom && !any_rom && !settings_.ipxe && faults_.empty()) {
            settings_fault(fmt::format("{} has no effect", origin("ipxe-rom")), "iPXE is not asked for",
                           "add --ipxe (IPXE_ENABLE=1)");
        }
    }

    // The firmware starts the program before any ROM, and the program drives every NIC: a ROM that fits
    // another NIC of the VM's would have no turn.
    void leave_to_program() {
        if (!spec_.ipxe_program) {
            return;
        }
        for (std::size_t i = 0; i < spec_.nics.size(); ++i) {
            spec_.nics[i].rom.reset();
            spec_.nics[i].by_program = takes_part_in_boot(settings_.nics[i], i);
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

    // True where a program does what the ROM would, which no ROM can do here. It tries every NIC, so one is
    // enough for all of them.
    bool program_in_place_of_rom(const Fault& fault) {
        const auto fits = [this](const EfiProgram& program) { return program.arch == spec_.arch; };
        const auto program = std::find_if(facts_.ipxe_programs.begin(), facts_.ipxe_programs.end(), fits);
        if (program == facts_.ipxe_programs.end()) {
            return settings_.ipxe_rom && !facts_.ipxe_programs.empty() &&
                   foreign_program(facts_.ipxe_programs.front());
        }
        if (spec_.ipxe_program) {
            return true;
        }
        if (spec_.firmware.mode == FirmwareMode::secure && !program->is_signed) {
            return unsigned_program(fault, *program);
        }
        // `autoboot` is what the ROM does, without its prompt; EFI's iPXE drops the first word.
        const bool on_cd = settings_.boot_once.has_value();
        spec_.ipxe_program = IpxeProgramSpec{
            program->path, program->arch,
            settings_.ipxe_prompt || on_cd ? "" : "ipxe autoboot" + nics_to_boot(),
            settings_.ipxe_rom
                ? fmt::format("{} asks for this program, which stands in for the ROM", origin("ipxe-rom"))
                : fmt::format("the iPXE program stands in for the ROM: {} ({})", fault.what, fault.why),
            on_cd};
        return true;
    }

    // The program numbers the NICs as the bus does, and tries all of them unless told which.
    [[nodiscard]] std::string nics_to_boot() const {
        std::string names;
        bool all = true;
        for (std::size_t i = 0; i < settings_.nics.size(); ++i) {
            if (takes_part_in_boot(settings_.nics[i], i)) {
                names += fmt::format(" net{}", i);
            } else {
                all = false;
            }
        }
        return all ? "" : names;
    }

    // OVMF runs a ROM that nobody signed, but no program: QEMU's -kernel is verified like any other.
    bool unsigned_program(const Fault& fault, const EfiProgram& program) {
        const std::string path = program.path.string();
        add_once({"iPXE cannot run with Secure Boot here",
                  settings_.ipxe_rom
                      ? fmt::format("{} names {}, which is not signed: the firmware would refuse it",
                                    origin("ipxe-rom"), path)
                      : fmt::format("{} ({}), and {}, which could stand in for a ROM, is not signed: the "
                                    "firmware would refuse it",
                                    fault.what, fault.why, path),
                  "boot a signed loader by the firmware's own PXE: --no-ipxe --boot-order network --pxe v4, "
                  "with a distribution's shim as the --bootfile; or give a ROM that is iPXE itself, or a "
                  "signed program, by --ipxe-rom; or use --firmware uefi",
                  ExitCode::host});
        return true;
    }

    bool foreign_program(const EfiProgram& program) {
        host_fault(fmt::format("{} cannot boot {}", to_string(spec_.arch), program.path.string()),
                   fmt::format("it is an EFI program for {}", to_string(program.arch)),
                   fmt::format("leave {} out, or give iPXE's program for {}", origin("ipxe-rom"),
                               to_string(spec_.arch)));
        return true;
    }

    void nic_rom(NicSpec& nic, std::size_t index, const rom::NicModel& model) {
        auto chosen = choose_rom({model, spec_.firmware.mode, spec_.arch, facts_.roms.at(index),
                                  settings_.ipxe_rom, origin("ipxe-rom")});
        if (auto* fault = std::get_if<Fault>(&chosen)) {
            if (!settings_.ipxe || !program_in_place_of_rom(*fault)) {
                faults_.push_back(std::move(*fault));
            }
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

    // The packets of the NICs that boot are evidence of the boot.
    void watch() {
        spec_.firmware_log = settings_.log_level == LogLevel::debug && spec_.arch == Arch::x86_64 &&
                             spec_.firmware.mode == FirmwareMode::legacy;
        bool blind = false;
        for (NicSpec& nic : spec_.nics) {
            const bool link = std::holds_alternative<HostLinkSpec>(nic.net);
            const bool wanted = settings_.boot_watch && (spec_.bootindex(nic.id) || nic.by_program);
            nic.watched = wanted && !(link && facts_.capture_error != 0);
            blind = blind || (wanted && !nic.watched);
        }
        if (blind) {
            note_once(fmt::format(
                "the guest's packets cannot be seen: {} (in a container: --cap-add NET_RAW); the console "
                "alone tells of the boot",
                errno_text(facts_.capture_error)));
        }
    }

    // The waits that can be spared. A key needs a keyboard, which the virt machine lacks; there the iPXE
    // program shows no prompt either. An advertisement needs a link whose other end is the guest alone: a
    // tap.
    void fast_boot() {
        if (!settings_.fast_boot || !settings_.ipxe) {
            return;
        }
        spec_.key_at_prompt = !settings_.ipxe_prompt && spec_.family != MachineFamily::virt;
        for (NicSpec& nic : spec_.nics) {
            const auto* link = std::get_if<HostLinkSpec>(&nic.net);
            nic.advertise_router =
                nic.watched && nic.rom && link != nullptr && link->mode == NetworkMode::bridge;
        }
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
        nat.forward_address = listen_address();
        if (settings_.ssh_port) {
            constexpr std::uint16_t ssh = 22;
            nat.forwards.push_back({*settings_.ssh_port, ssh});
            check_ssh_port();
        }
        nat.bootfile = settings_.bootfile;
        if (settings_.netboot_dir) {
            netboot_folder(nat, index);
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

    void netboot_folder(NatSpec& nat, std::size_t index) {
        const fs::path& folder = *settings_.netboot_dir;
        const NetbootFacts& netboot = *facts_.netboot;
        if (!check_path("netboot-dir", folder, netboot.folder, Kind::folder)) {
            return;
        }
        check_folder_for_user(folder, netboot.folder.user_error);
        nat.tftp_folder = absolute(folder);
        if (!settings_.bootfile && netboot.has_boot_ipxe) {
            nat.bootfile = "boot.ipxe";
        } else if (!settings_.bootfile) {
            spec_.notes.push_back(fmt::format(
                "{} holds no boot.ipxe and no --bootfile is given: DHCP will name nothing to boot",
                folder.string()));
        }
        // A loader that is no script may be an old one, which goes on by TFTP from where it came.
        const bool to_ipxe = settings_.ipxe && takes_part_in_boot(settings_.nics[index], index);
        nat.http = to_ipxe && netboot.script && netboot.http_error == 0;
        if (to_ipxe && netboot.script && netboot.http_error != 0) {
            spec_.notes.push_back(fmt::format("{} is not served by HTTP, only by TFTP, which is slower: {}",
                                              folder.string(), errno_text(netboot.http_error)));
        }
        if (to_ipxe && netboot.read) {
            const ScriptJudgement judged = judge_script(*netboot.read, settings_.ipxe_rom.has_value());
            spec_.notes.insert(spec_.notes.end(), judged.notes.begin(), judged.notes.end());
            faults_.insert(faults_.end(), judged.faults.begin(), judged.faults.end());
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
        for (std::size_t index = 0; index < settings_.disks.size(); ++index) {
            image_disk(settings_.disks[index], facts_.disks.at(index));
        }
        if (settings_.blank_disk) {
            DiskSpec disk = next_disk();
            disk.size = settings_.disk_size;
            if (spec_.state_folder) {
                disk.kept = *spec_.state_folder / (disk.id + ".raw");
            }
            disk.cache = settings_.disk_cache.value_or(disk.kept ? DiskCache::writeback : DiskCache::unsafe);
            spec_.disks.push_back(std::move(disk));
        }
        check_bus();
        if (settings_.iso && check_path("iso", *settings_.iso, *facts_.iso, Kind::file)) {
            spec_.cdrom = CdromSpec{absolute(*settings_.iso)};
        }
    }

    [[nodiscard]] DiskSpec next_disk() const {
        DiskSpec disk;
        disk.id = fmt::format("disk{}", spec_.disks.size());
        disk.bus = settings_.disk_bus;
        return disk;
    }

    void image_disk(const fs::path& path, const DiskFacts& disk_facts) {
        if (!check_path("disk", path, disk_facts.path, Kind::file)) {
            return;
        }
        const FormatChoice format =
            choose_format(disk_facts.image.value_or(ImageFacts{}), settings_.disk_format, path);
        if (!format.why.empty()) {
            host_fault(fmt::format("{}: cannot use {}", origin("disk"), path.string()), format.why,
                       format.hint);
            return;
        }
        DiskSpec disk = next_disk();
        disk.image = absolute(path);
        disk.format = format.format;
        disk.cache = settings_.disk_cache.value_or(DiskCache::writeback);
        spec_.disks.push_back(std::move(disk));
    }

    // q35's controller has six ports, and the CD-ROM takes one of them.
    void check_bus() {
        if (settings_.disk_bus != DiskBus::sata || spec_.disks.empty()) {
            return;
        }
        constexpr std::size_t ports = 6;
        if (spec_.family != MachineFamily::q35) {
            settings_fault(fmt::format("{}: {} has no SATA", origin("disk-bus"), spec_.machine), "",
                           "use virtio, scsi or nvme");
        } else if (spec_.disks.size() + (settings_.iso ? 1 : 0) > ports) {
            settings_fault(fmt::format("{}: q35 has {} SATA ports", origin("disk-bus"), ports), "",
                           "use virtio, scsi or nvme");
        }
    }

    void state_folder() {
        const bool wanted = settings_.persist.value_or(facts_.data.has_value());
        if (!wanted) {
            return;
        }
        if (!facts_.data) {
            settings_fault(fmt::format("{}: there is no folder to keep things in", origin("persist")),
                           "/data is not mounted, and no other is named", "add --data-dir DIR (DATA_DIR)");
        } else if (check_path("data-dir", facts_.data->folder, facts_.data->path, Kind::folder)) {
            spec_.state_folder = absolute(facts_.data->folder) / spec_.name;
        }
    }

    // In a container its own network keeps others out, and what a published port leads to is no loopback.
    [[nodiscard]] std::string listen_address() const { return facts_.in_container ? "0.0.0.0" : "127.0.0.1"; }

    void screen() {
        if (settings_.graphics == Graphics::none) {
            return;
        }
        spec_.vnc = VncSpec{listen_address(), settings_.vnc_port};
        if (settings_.graphics == Graphics::novnc) {
            spec_.notes.push_back(
                fmt::format("{}: there is no web page here; a VNC viewer finds the screen on port {}",
                            origin("graphics"), settings_.vnc_port));
        }
    }

    void boot_order() {
        choose_order(wanted_order(), spec_.boot_order, "boot-order");
        if (spec_.boot_order.empty() && !first_boot_differs() && faults_.empty()) {
            settings_fault("there is nothing to boot from",
                           fmt::format("{} says {}, and there is no such device", origin("boot-order"),
                                       to_string(wanted_order())),
                           "add --ipxe for the network, --disk PATH, or --iso PATH");
        }
        if (first_boot_differs()) {
            first_boot();
        } else if (settings_.boot_once) {
            spec_.notes.push_back(
                fmt::format("{} was done in an earlier run, so the VM boots by its order (to do it again, "
                            "delete {})",
                            origin("boot-once"), (*spec_.state_folder / first_boot_mark).string()));
            drop_idle_program();
        }
    }

    // Its turn was in an earlier run.
    void drop_idle_program() {
        if (spec_.ipxe_program && !spec_.bootindex(ipxe_device)) {
            spec_.ipxe_program.reset();
            for (NicSpec& nic : spec_.nics) {
                nic.by_program = false;
            }
        }
    }

    [[nodiscard]] bool first_boot_differs() const {
        return settings_.boot_once && !(spec_.state_folder && facts_.data->first_boot_done);
    }

    // A number is one device's alone, also for the moment in which the order changes: the later ones are
    // others.
    void first_boot() {
        constexpr int apart = 100;
        for (BootEntry& entry : spec_.boot_order) {
            entry.index += apart;
        }
        choose_order(promoted(*settings_.boot_once), spec_.first_boot, "boot-once");
        if (spec_.first_boot.empty() && faults_.empty()) {
            settings_fault(fmt::format("{}: there is no such device", origin("boot-once")), "",
                           "add --ipxe for the network, a disk, or --iso PATH");
        }
    }

    void choose_order(const std::vector<BootDevice>& order, std::vector<BootEntry>& entries,
                      std::string_view flag) {
        for (const BootDevice device : order) {
            add_to_order(device, entries, flag);
        }
    }

    void add_entry(std::vector<BootEntry>& entries, BootDevice kind, std::string_view id,
                   std::string_view flag) const {
        const int index = static_cast<int>(entries.size()) + 1;
        entries.push_back({index, kind, std::string{id}, reason_for(kind, flag)});
    }

    void add_nics_to_order(std::vector<BootEntry>& entries, std::string_view flag) {
        if (spec_.ipxe_program && spec_.ipxe_program->on_cd) {
            add_entry(entries, BootDevice::network, ipxe_device, flag);
            return;
        }
        if (spec_.ipxe_program) {
            entries.push_back({0, BootDevice::network, std::string{ipxe_device},
                               fmt::format("the firmware starts {} before anything else",
                                           spec_.ipxe_program->file.filename().string())});
            return;
        }
        for (std::size_t i = 0; i < spec_.nics.size(); ++i) {
            if (takes_part_in_boot(settings_.nics[i], i)) {
                add_entry(entries, BootDevice::network, spec_.nics[i].id, flag);
            }
        }
        const bool none = std::none_of(entries.begin(), entries.end(), [](const BootEntry& entry) {
            return entry.kind == BootDevice::network;
        });
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

    void add_to_order(BootDevice device, std::vector<BootEntry>& entries, std::string_view flag) {
        const std::size_t before = entries.size();
        switch (device) {
            case BootDevice::network:
                add_nics_to_order(entries, flag);
                return;
            case BootDevice::hd:
                for (const DiskSpec& disk : spec_.disks) {
                    add_entry(entries, device, disk.id, flag);
                }
                break;
            case BootDevice::cdrom:
                if (spec_.cdrom) {
                    add_entry(entries, device, cdrom_device, flag);
                }
                break;
        }
        if (entries.size() == before && origins_.contains(flag)) {
            spec_.notes.push_back(fmt::format(
                "{} names {}, but there is none: {}", origin(flag), to_string(device),
                device == BootDevice::hd ? "give --disk PATH or --blank-disk" : "give --iso PATH"));
        }
    }

    [[nodiscard]] std::string reason_for(BootDevice device, std::string_view flag) const {
        const bool once = flag == "boot-once";
        const auto given =
            once ? *settings_.boot_once : settings_.boot_order.value_or(std::vector<BootDevice>{});
        if (device == BootDevice::network && settings_.ipxe && (once || !first_boot_differs())) {
            return fmt::format(
                "{} puts network first{}", origin("ipxe"),
                given.empty() || given.front() == BootDevice::network ? "" : ", whatever the order says");
        }
        return given.empty() ? "the default order"
                             : fmt::format("{} says {}", origin(flag), to_string(given));
    }

    const Settings& settings_;
    const Origins& origins_;
    const HostFacts& facts_;
    VmSpec spec_;
    std::vector<Fault> faults_;
};

}  // namespace

std::optional<int> VmSpec::bootindex(std::string_view device) const {
    const std::vector<BootEntry>& order = first_boot.empty() ? boot_order : first_boot;
    const auto entry = std::find_if(order.begin(), order.end(),
                                    [&](const BootEntry& e) { return e.device == device && e.index != 0; });
    return entry == order.end() ? std::nullopt : std::optional{entry->index};
}

Decision decide(const Settings& settings, const Origins& origins, const HostFacts& facts) {
    return Decider{settings, origins, facts}.decide();
}

}  // namespace vml
