#include "launcher/plan/plan.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/overloaded.h"
#include "base/shell.h"
#include "launcher/plan/disk_plan.h"
#include "launcher/plan/extras_plan.h"
#include "launcher/plan/plan_writer.h"
#include "launcher/vm/link_kind.h"
#include "netserve/request.h"
#include "netsetup/capture.h"

namespace vml {

namespace {

constexpr std::string_view virtio_model = "virtio";

// What a virtio NIC shows unless it is made modern-only (VIRTIO 1.1, 4.1.2.1).
constexpr rom::PciId transitional_virtio_net{0x1af4, 0x1000};

class Planner : private PlanWriter {
  public:
    explicit Planner(const VmSpec& spec) : PlanWriter{plan_}, spec_{spec} {}

    Plan make() {
        plan_.name = spec_.name;
        plan_.program = spec_.qemu;
        boot_order();
        plan_.state_folder = spec_.state_folder;
        plan_.seed = spec_.seed;
        plan_.notes = spec_.notes;
        plan_.run_user = spec_.run_user;
        machine();
        firmware();
        plan_firmware_clients(spec_, *this);
        plan_tpm(spec_, *this);
        plan_smbios(spec_, *this);
        plan_ipxe_program(spec_, *this);
        control();
        console();
        for (unsigned index = 0; index < spec_.nics.size(); ++index) {
            nic(spec_.nics[index], index);
        }
        key_at_prompt();
        plan_disks(spec_, *this);
        plan_seed(spec_, *this);
        plan_ipxe_cd(spec_, *this);
        guest_agent();
        screen();
        for (const std::string& word : spec_.extra_args) {
            add(word, "", "given by the user");
        }
        return std::move(plan_);
    }

  private:
    // Where the first boot has an order of its own, the devices begin with that.
    void boot_order() {
        plan_.first_boot = spec_.first_boot;
        plan_.boot_order = spec_.boot_order;
        if (spec_.first_boot.empty()) {
            return;
        }
        const auto later = [this](const std::string& device, const std::string& qom_id) {
            const auto entry = std::find_if(spec_.boot_order.begin(), spec_.boot_order.end(),
                                            [&](const BootEntry& e) { return e.device == device; });
            plan_.after_first_boot.push_back(
                {"/machine/peripheral/" + qom_id, entry == spec_.boot_order.end() ? -1 : entry->index});
        };
        for (const NicSpec& nic : spec_.nics) {
            later(nic.id, nic.id);
        }
        for (const DiskSpec& disk : spec_.disks) {
            later(disk.id, disk.device_id());
        }
        if (spec_.cdrom) {
            later(std::string{cdrom_device}, "cdrom0-dev");
        }
        if (spec_.ipxe_program && spec_.ipxe_program->on_cd) {
            later(std::string{ipxe_device}, std::string{ipxe_cd_device});
        }
    }

    void machine() {
        add("-name", Properties{""}.add("guest", spec_.name).text());
        add("-uuid", spec_.uuid, "stable, made from the name; iPXE shows it as ${uuid}");
        add("-no-user-config", "", "nothing but what is here");
        add("-nodefaults", "", "no device but those named here");
        Properties machine{spec_.machine};
        machine.add("graphics", "off");
        if (spec_.firmware.uefi) {
            machine.add("pflash0", "firmware").add("pflash1", "nvram");
        }
        if (needs_smm()) {
            machine.add("smm", "on");
        }
        add("-machine", machine.text(), "graphics=off: firmware and iPXE write to the serial console");
        const bool kvm = spec_.accelerator == Accelerator::kvm;
        add("-accel", kvm ? "kvm" : "tcg", spec_.accelerator_reason);
        add("-cpu", spec_.cpu);
        add("-smp", std::to_string(spec_.cpus));
        add("-m", fmt::format("{}M", spec_.memory_mib));
        add("-display", "none");
        add("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
            "QEMU needs none of these system calls");
        add("-boot", "menu=off,strict=on", "boot only what has a bootindex; a menu would cost 2.5 s");
    }

    void firmware() {
        if (!spec_.firmware.uefi) {
            return;
        }
        const UefiFirmware& uefi = *spec_.firmware.uefi;
        file_node("firmware-file", {.purpose = FdPurpose::read_file, .source = uefi.code}, uefi.code.string(),
                  "read-only=on", fmt::format("UEFI: {}", uefi.description));
        add("-blockdev",
            fmt::format("driver={},node-name=firmware,file=firmware-file,read-only=on", uefi.code_format));
        nvram(uefi);
        if (needs_smm()) {
            add("-global", "driver=cfi.pflash01,property=secure,value=on",
                "only the firmware in System Management Mode may change the variables");
        }
        add("-blockdev",
            fmt::format("driver={},node-name=nvram,file=nvram-file,read-only=off", uefi.vars_format));
        add("-device", "virtio-rng-pci", "newer UEFI has no network boot without a source of entropy");
    }

    [[nodiscard]] bool needs_smm() const {
        return spec_.firmware.uefi && spec_.firmware.uefi->has("requires-smm");
    }

    void nvram(const UefiFirmware& uefi) {
        const std::filesystem::path kept = spec_.state_folder ? *spec_.state_folder / "nvram.fd" : "";
        const std::string copy = kept.empty() ? fmt::format("{}-nvram.fd", spec_.name) : kept.string();
        const std::string make =
            fmt::format("cp {} {}", shell_quoted(uefi.vars_template.string()), shell_quoted(copy));
        file_node("nvram-file",
                  {.purpose = FdPurpose::nvram,
                   .source = uefi.vars_template,
                   .by_hand =
                       kept.empty() ? make : fmt::format("{{ test -e {} || {}; }}", shell_quoted(copy), make),
                   .kept = kept},
                  copy, "read-only=off",
                  kept.empty() ? "the variable store: a private copy in memory"
                               : fmt::format("the variable store: a private copy, kept as {}", copy));
    }

    void control() {
        add("-chardev", fmt::format("socket,id=qmp,fd={}", fd({.purpose = FdPurpose::qmp})),
            "vm-launch's own line to QEMU", "");
        add("-mon", "chardev=qmp,mode=control", "", "");
        add("-S", "", "paused until every watcher is in place", "");
    }

    void console() {
        add("-chardev", fmt::format("socket,id=console,fd={}", fd({.purpose = FdPurpose::console})),
            "the serial console, through vm-launch", "stdio,id=console");
        add("-serial", "chardev:console");
        firmware_log();
    }

    // Every byte of it is an exit of the virtual CPU: for those who look for a fault.
    void firmware_log() {
        if (!spec_.firmware_log) {
            return;
        }
        add("-chardev", fmt::format("socket,id=firmware-log,fd={}", fd({.purpose = FdPurpose::firmware})),
            "the debug level asks for SeaBIOS's own log", "");
        add("-device", "isa-debugcon,iobase=0x402,chardev=firmware-log", "", "");
    }

    void nic(const NicSpec& nic, unsigned index) {
        std::visit(
            Overloaded{[&](const Nat& nat) { nat_network(nic, nat); },
                       [&](const BridgePort& port) {
                           if (port.forwards_after.count() > 0) {
                               plan_.port_waits.push_back({index + 1, port.bridge, port.forwards_after});
                           }
                           link_netdev(nic, port.made, index + 1, tap_by_hand(nic, port, index + 1),
                                       fmt::format("a tap that is a port of the bridge {}", port.bridge));
                       },
                       [&](const Macvtap& macvtap) {
                           link_netdev(nic, macvtap.made, index + 1, macvtap_by_hand(nic, macvtap, index + 1),
                                       fmt::format("a macvtap on {}", macvtap.lower));
                       }},
            nic.net);
        Properties device{nic.qemu_device};
        device.add("id", nic.id).add("netdev", nic.id).add("mac", nic.mac).bootindex(spec_.bootindex(nic.id));
        const std::string why_virtio = nic.model == virtio_model ? virtio_properties(nic, device) : "";
        add_device(nic, device, why_virtio);
        if (nic.watched) {
            watch(nic, index + 1);
        }
        if (nic.advertise_router) {
            plan_.shortcuts.push_back({Shortcut::Kind::router_advertisement, nic.id,
                                       "where no IPv6 router answers iPXE, vm-launch does, on this guest's "
                                       "link alone: iPXE of Debian 12 would wait 13 s"});
        }
    }

    void key_at_prompt() {
        if (spec_.key_at_prompt) {
            plan_.shortcuts.push_back(
                {Shortcut::Kind::key_at_prompt, "", "a key ends the 2 s in which iPXE waits for Ctrl-B"});
        }
    }

    // QEMU opens the pipe by its name in /proc: filter-dump knows no descriptors (net/dump.c).
    void watch(const NicSpec& nic, unsigned number) {
        WirePoint point{number, nic.id, nic.mac, ""};
        if (!kind_of(nic.net).on_host) {
            point.filter = nic.id + "-dump";
            const int pipe = fd({.purpose = FdPurpose::capture, .nic = number});
            add("-object",
                fmt::format("filter-dump,id={},netdev={},file=/proc/self/fd/{},maxlen={}", point.filter,
                            nic.id, pipe, net::capture_length),
                "vm-launch sees the guest's packets until its operating system runs", "");
        }
        plan_.wire.push_back(std::move(point));
    }

    // QEMU reads the ROM that was looked into, from a copy, whoever it runs as.
    void add_device(const NicSpec& nic, Properties& device, const std::string& why_virtio) {
        if (!nic.rom) {
            add("-device", device.add("romfile", "").text(),
                nic.by_program            ? "no ROM: the iPXE program stands in for it"
                : spec_.bootindex(nic.id) ? "no ROM: the firmware's own PXE boots"
                                          : "takes no part in the boot, so it gets no ROM");
            return;
        }
        const std::string reason = nic.rom->reason + (why_virtio.empty() ? "" : "; " + why_virtio);
        if (nic.rom->qemu_default) {
            add("-device", device.text(), reason);
            return;
        }
        const int number = fd({.purpose = FdPurpose::rom, .source = nic.rom->file});
        Properties by_hand = device;
        add("-device", device.add("romfile", fmt::format("/proc/self/fd/{}", number)).text(),
            fmt::format("{}: {}", nic.rom->file.string(), reason),
            by_hand.add("romfile", nic.rom->file.string()).text());
    }

    // SeaBIOS runs a ROM only when its PCI ID is the device's, and QEMU patches the ID of its own default ROM
    // only (QEMU hw/pci/pci.c, pci_patch_ids): so the device is made to show the ROM's. Gives the reason.
    std::string virtio_properties(const NicSpec& nic, Properties& device) {
        if (nic.queues > 1) {  // a vector for each queue, one for configuration, one for control
            device.add("mq", "on").add("vectors", std::to_string(2 * nic.queues + 2));
        }
        if (nic.mtu) {
            device.add("host_mtu", std::to_string(*nic.mtu));
        }
        const bool transitional = nic.rom && nic.rom->id == transitional_virtio_net;
        device.add("disable-legacy", transitional ? "off" : "on");
        if (!nic.rom || spec_.firmware.mode != FirmwareMode::legacy) {
            return {};
        }
        plan_.checks.push_back(
            {"/machine/peripheral/" + nic.id, "disable-legacy", transitional ? "off" : "on",
             fmt::format("the NIC does not show the PCI ID {} of its ROM, so the firmware would never run it",
                         to_string(nic.rom->id))});
        return fmt::format("disable-legacy={}: the NIC shows {}, the ROM's PCI ID",
                           transitional ? "off" : "on", to_string(nic.rom->id));
    }

    void nat_network(const NicSpec& nic, const Nat& nat) {
        const std::string reason = "user-mode network: DHCP and TFTP are QEMU's own";
        if (!nat.http) {
            add("-netdev", nat_netdev(nic, nat, nat.bootfile), reason);
            return;
        }
        plan_.http_folder = nat.tftp_folder;
        plan_.shortcuts.push_back(
            {Shortcut::Kind::http, nic.id,
             fmt::format("{} by HTTP too, three times as fast as TFTP", nat.tftp_folder->string())});
        // QEMU's own address for the host's loopback (net/slirp.c).
        const std::string url =
            fmt::format("http://10.0.2.2:{}/{}", http_port_place, serve::url_path(*nat.bootfile));
        add("-netdev", nat_netdev(nic, nat, url),
            reason + "; the bootfile comes from vm-launch's HTTP server", nat_netdev(nic, nat, nat.bootfile));
    }

    static std::string nat_netdev(const NicSpec& nic, const Nat& nat,
                                  const std::optional<std::string>& bootfile) {
        Properties netdev{"user"};
        netdev.add("id", nic.id);
        if (nat.tftp_folder) {
            netdev.add("tftp", nat.tftp_folder->string());
        }
        if (bootfile) {
            netdev.add("bootfile", *bootfile);
        }
        for (const PortForward& forward : nat.forwards) {
            netdev.add("hostfwd", fmt::format("tcp:{}:{}-:{}", nat.forward_address, forward.host_port,
                                              forward.guest_port));
        }
        return netdev.text();
    }

    // What a user types in place of the operations over netlink.
    struct StandIn {
        std::string command;
        std::string netdev;
    };

    void link_netdev(const NicSpec& nic, const MadeLink& link, unsigned number, const StandIn& stand_in,
                     const std::string& reason) {
        plan_.links.insert(plan_.links.end(), link.operations.begin(), link.operations.end());
        Properties netdev{"tap"};
        netdev.add("id", nic.id);
        add_queues(netdev, "fd", {.purpose = FdPurpose::tap, .nic = number, .by_hand = stand_in.command},
                   nic.queues);
        if (link.vhost) {
            netdev.add("vhost", "on");
            add_queues(netdev, "vhostfd", {.purpose = FdPurpose::vhost, .nic = number}, nic.queues);
        }
        add("-netdev", netdev.text(), reason,
            Properties{"tap"}.add("id", nic.id).text() + "," + stand_in.netdev);
    }

    // One descriptor under the key, or "a:b:…" under its plural.
    void add_queues(Properties& netdev, const std::string& key, PlannedFd planned, unsigned queues) {
        std::string numbers = std::to_string(fd(planned));
        planned.by_hand.clear();
        for (unsigned queue = 1; queue < queues; ++queue) {
            numbers += fmt::format(":{}", fd(planned));
        }
        netdev.add(queues > 1 ? key + "s" : key, numbers);
    }

    [[nodiscard]] static StandIn tap_by_hand(const NicSpec& nic, const BridgePort& port, unsigned number) {
        const std::string name = fmt::format("vmtap-{}", number);
        const bool several = nic.queues > 1;
        return {fmt::format("ip tuntap add dev {} mode tap vnet_hdr{} && ip link set {} master {} up", name,
                            several ? " multi_queue" : "", name, shell_quoted(port.bridge)),
                fmt::format("ifname={},script=no,downscript=no{}", name,
                            several ? fmt::format(",queues={}", nic.queues) : "")};
    }

    [[nodiscard]] static StandIn macvtap_by_hand(const NicSpec& nic, const Macvtap& macvtap,
                                                 unsigned number) {
        const std::string name = fmt::format("vmmac-{}", number);
        const unsigned descriptor = 9 - number % 6;  // a POSIX shell redirects the descriptors up to 9
        return {fmt::format(
                    "ip link add link {} name {} address {} type macvtap mode bridge && ip link set {} up && "
                    "exec {}<>/dev/tap$(cat /sys/class/net/{}/ifindex)",
                    shell_quoted(macvtap.lower), name, nic.mac, name, descriptor, name),
                fmt::format("fd={}", descriptor)};
    }

    void guest_agent() {
        if (!spec_.guest_agent) {
            return;
        }
        add("-chardev", fmt::format("socket,id=qga,fd={}", fd({.purpose = FdPurpose::agent})),
            "the guest agent, through vm-launch (`vm-launch exec`)", "null,id=qga");
        add("-device", "virtio-serial-pci,id=ports");
        add("-device", "virtserialport,bus=ports.0,chardev=qga,name=org.qemu.guest_agent.0,id=agent");
    }

    void screen() {
        if (!spec_.vnc) {
            return;
        }
        const bool virt = spec_.family == MachineFamily::virt;
        add("-device", virt ? "virtio-gpu-pci,id=screen" : "VGA,id=screen");
        if (virt) {
            add("-device", "qemu-xhci,id=usb", "the machine has no keyboard of its own");
            add("-device", "usb-kbd,bus=usb.0");
        }
        constexpr int first_port = 5900;  // display 0
        add("-vnc", fmt::format("{}:{}", spec_.vnc->address, spec_.vnc->port - first_port),
            fmt::format("port {}", spec_.vnc->port));
        const int file = fd({.purpose = FdPurpose::screenshot});
        add("-add-fd", fmt::format("fd={},set={}", file, file), "pictures of the screen go here", "");
    }

    const VmSpec& spec_;
    Plan plan_;
};

}  // namespace

Plan make_plan(const VmSpec& spec) {
    return Planner{spec}.make();
}

std::vector<std::string> argv_of(const Plan& plan) {
    std::vector<std::string> words;
    for (const PlannedArg& arg : plan.args) {
        words.push_back(arg.option);
        if (!arg.value.empty()) {
            words.push_back(arg.value);
        }
    }
    return words;
}

std::string_view to_string(Shortcut::Kind kind) {
    switch (kind) {
        case Shortcut::Kind::key_at_prompt:
            return "key-at-prompt";
        case Shortcut::Kind::router_advertisement:
            return "router-advertisement";
        case Shortcut::Kind::http:
            return "http";
    }
    return "";
}

std::string_view to_string(FdPurpose purpose) {
    switch (purpose) {
        case FdPurpose::qmp:
            return "qmp";
        case FdPurpose::console:
            return "console";
        case FdPurpose::nvram:
            return "nvram";
        case FdPurpose::rom:
            return "rom";
        case FdPurpose::efi_cd:
            return "efi-cd";
        case FdPurpose::blank_disk:
            return "blank_disk";
        case FdPurpose::read_file:
            return "read_file";
        case FdPurpose::write_file:
            return "write_file";
        case FdPurpose::firmware:
            return "firmware";
        case FdPurpose::agent:
            return "agent";
        case FdPurpose::screenshot:
            return "screenshot";
        case FdPurpose::seed:
            return "seed";
        case FdPurpose::tpm:
            return "tpm";
        case FdPurpose::tap:
            return "tap";
        case FdPurpose::vhost:
            return "vhost";
        case FdPurpose::capture:
            return "capture";
    }
    return "";
}

}  // namespace vml
