#include "launcher/plan.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "launcher/quoting.h"

namespace vml {

namespace {

// Builds "driver,key=value,…".
class Properties {
  public:
    explicit Properties(std::string_view head) : text_{comma_doubled(head)} {}

    Properties& add(std::string_view key, std::string_view value) {
        text_ += fmt::format("{}{}={}", text_.empty() ? "" : ",", key, comma_doubled(value));
        return *this;
    }
    Properties& bootindex(const std::optional<int>& index) {
        return index ? add("bootindex", std::to_string(*index)) : *this;
    }
    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    std::string text_;
};

constexpr std::string_view virtio_model = "virtio";

// What a virtio NIC shows unless it is made modern-only (VIRTIO 1.1, 4.1.2.1).
constexpr rom::PciId transitional_virtio_net{0x1af4, 0x1000};

class Planner {
  public:
    explicit Planner(const VmSpec& spec) : spec_{spec} {}

    Plan make() {
        plan_.name = spec_.name;
        plan_.program = spec_.qemu;
        plan_.boot_order = spec_.boot_order;
        plan_.notes = spec_.notes;
        plan_.run_user = spec_.run_user;
        machine();
        firmware();
        control();
        console();
        for (unsigned index = 0; index < spec_.nics.size(); ++index) {
            nic(spec_.nics[index], index);
        }
        disk();
        cdrom();
        for (const std::string& word : spec_.extra_args) {
            add(word, "", "given by the user");
        }
        return std::move(plan_);
    }

  private:
    void add(std::string option, std::string value, std::string reason = {},
             std::optional<std::string> by_hand = std::nullopt) {
        plan_.args.push_back({std::move(option), std::move(value), std::move(reason), std::move(by_hand)});
    }

    int fd(PlannedFd planned) {
        planned.number = first_planned_fd + static_cast<int>(plan_.fds.size());
        plan_.fds.push_back(std::move(planned));
        return plan_.fds.back().number;
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
        const std::string copy = fmt::format("{}-nvram.fd", spec_.name);
        file_node("nvram-file",
                  {.purpose = FdPurpose::nvram,
                   .source = uefi.vars_template,
                   .by_hand = fmt::format("cp {} {}", shell_quoted(uefi.vars_template.string()), copy)},
                  copy, "read-only=off", "the variable store: a private copy in memory");
        add("-blockdev",
            fmt::format("driver={},node-name=nvram,file=nvram-file,read-only=off", uefi.vars_format));
        add("-device", "virtio-rng-pci", "newer UEFI has no network boot without a source of entropy");
    }

    // A file that QEMU need not be able to open: it comes as a descriptor (QEMU's -add-fd).
    void file_node(const std::string& node, PlannedFd planned, const std::string& path_by_hand,
                   const std::string& access, const std::string& reason) {
        const int number = fd(std::move(planned));
        const std::string tail = fmt::format(",node-name={},{}", node, access);
        add("-add-fd", fmt::format("fd={},set={}", number, number), reason, "");
        add("-blockdev", fmt::format("driver=file,filename=/dev/fdset/{}{}", number, tail), "",
            Properties{""}.add("driver", "file").add("filename", path_by_hand).text() + tail);
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
    }

    void nic(const NicSpec& nic, unsigned index) {
        if (const auto* nat = std::get_if<NatSpec>(&nic.net)) {
            add("-netdev", nat_netdev(nic, *nat), "user-mode network: DHCP and TFTP are QEMU's own");
        } else {
            link_netdev(nic, std::get<HostLinkSpec>(nic.net), index + 1);
        }
        Properties device{nic.qemu_device};
        device.add("id", nic.id).add("netdev", nic.id).add("mac", nic.mac).bootindex(nic.bootindex);
        const std::string why_virtio = nic.model == virtio_model ? virtio_properties(nic, device) : "";
        add_device(nic, device, why_virtio);
    }

    // QEMU reads the ROM that was looked into, from a copy, whoever it runs as.
    void add_device(const NicSpec& nic, Properties& device, const std::string& why_virtio) {
        if (!nic.rom) {
            add("-device", device.add("romfile", "").text(),
                nic.bootindex ? "no ROM: the firmware's own PXE boots"
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

    static std::string nat_netdev(const NicSpec& nic, const NatSpec& nat) {
        Properties netdev{"user"};
        netdev.add("id", nic.id);
        if (nat.tftp_folder) {
            netdev.add("tftp", nat.tftp_folder->string());
        }
        if (nat.bootfile) {
            netdev.add("bootfile", *nat.bootfile);
        }
        for (const PortForward& forward : nat.forwards) {
            netdev.add("hostfwd", fmt::format("tcp:127.0.0.1:{}-:{}", forward.host_port, forward.guest_port));
        }
        return netdev.text();
    }

    void link_netdev(const NicSpec& nic, const HostLinkSpec& link, unsigned number) {
        plan_.links.insert(plan_.links.end(), link.operations.begin(), link.operations.end());
        if (link.forwards_after.count() > 0) {
            plan_.port_waits.push_back({number, link.upper, link.forwards_after});
        }
        const bool bridge = link.mode == NetworkMode::bridge;
        const StandIn stand_in = bridge ? tap_by_hand(nic, link, number) : macvtap_by_hand(nic, link, number);
        Properties netdev{"tap"};
        netdev.add("id", nic.id);
        add_queues(netdev, "fd", {.purpose = FdPurpose::tap, .nic = number, .by_hand = stand_in.command},
                   nic.queues);
        if (link.vhost) {
            netdev.add("vhost", "on");
            add_queues(netdev, "vhostfd", {.purpose = FdPurpose::vhost, .nic = number}, nic.queues);
        }
        add("-netdev", netdev.text(),
            bridge ? fmt::format("a tap that is a port of the bridge {}", link.upper)
                   : fmt::format("a macvtap on {}", link.upper),
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

    // What a user types in place of the operations over netlink.
    struct StandIn {
        std::string command;
        std::string netdev;
    };

    [[nodiscard]] static StandIn tap_by_hand(const NicSpec& nic, const HostLinkSpec& link, unsigned number) {
        const std::string name = fmt::format("vmtap-{}", number);
        const bool several = nic.queues > 1;
        return {fmt::format("ip tuntap add dev {} mode tap vnet_hdr{} && ip link set {} master {} up", name,
                            several ? " multi_queue" : "", name, shell_quoted(link.upper)),
                fmt::format("ifname={},script=no,downscript=no{}", name,
                            several ? fmt::format(",queues={}", nic.queues) : "")};
    }

    [[nodiscard]] static StandIn macvtap_by_hand(const NicSpec& nic, const HostLinkSpec& link,
                                                 unsigned number) {
        const std::string name = fmt::format("vmmac-{}", number);
        const unsigned descriptor = 9 - number % 6;  // a POSIX shell redirects the descriptors up to 9
        return {fmt::format(
                    "ip link add link {} name {} address {} type macvtap mode bridge && ip link set {} up && "
                    "exec {}<>/dev/tap$(cat /sys/class/net/{}/ifindex)",
                    shell_quoted(link.upper), name, nic.mac, name, descriptor, name),
                fmt::format("fd={}", descriptor)};
    }

    void disk() {
        if (!spec_.disk) {
            return;
        }
        const DiskSpec& disk = *spec_.disk;
        const std::string file = disk.id + "-file";
        if (disk.image) {
            file_node(file, {.purpose = FdPurpose::write_file, .source = *disk.image}, disk.image->string(),
                      "discard=unmap", "the disk");
        } else {
            const std::string stand_in = spec_.name + "-disk.raw";
            file_node(file,
                      {.purpose = FdPurpose::blank_disk,
                       .size = disk.size,
                       .by_hand = fmt::format("truncate -s {} {}", disk.size, stand_in)},
                      stand_in, "discard=unmap", "a blank disk: a file without a name, gone with QEMU");
        }
        add("-blockdev",
            fmt::format("driver={},node-name={},file={},discard=unmap", disk.format, disk.id, file));
        Properties device{"virtio-blk-pci"};
        device.add("id", disk.id + "-dev").add("drive", disk.id).bootindex(disk.bootindex);
        add("-device", device.text());
    }

    void cdrom() {
        if (!spec_.cdrom) {
            return;
        }
        file_node("cdrom0-file", {.purpose = FdPurpose::read_file, .source = spec_.cdrom->image},
                  spec_.cdrom->image.string(), "read-only=on", "the CD-ROM");
        add("-blockdev", "driver=raw,node-name=cdrom0,file=cdrom0-file,read-only=on");
        if (spec_.family == MachineFamily::virt) {
            add("-device", "virtio-scsi-pci,id=scsi0", "the machine has no IDE or SATA for a CD-ROM");
        }
        Properties device{spec_.family == MachineFamily::virt ? "scsi-cd" : "ide-cd"};
        device.add("id", "cdrom0-dev").add("drive", "cdrom0").bootindex(spec_.cdrom->bootindex);
        add("-device", device.text());
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
        case FdPurpose::blank_disk:
            return "blank_disk";
        case FdPurpose::read_file:
            return "read_file";
        case FdPurpose::write_file:
            return "write_file";
        case FdPurpose::tap:
            return "tap";
        case FdPurpose::vhost:
            return "vhost";
    }
    return "";
}

}  // namespace vml
