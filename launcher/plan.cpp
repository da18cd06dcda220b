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

// The one id that a legacy-capable virtio NIC shows beside its modern one (VIRTIO 1.1, 4.1.2.1).
constexpr rom::PciId transitional_virtio_net{0x1af4, 0x1000};

class Planner {
  public:
    explicit Planner(const VmSpec& spec) : spec_{spec} {}

    Plan make() {
        plan_.name = spec_.name;
        plan_.program = spec_.qemu;
        plan_.boot_order = spec_.boot_order;
        plan_.notes = spec_.notes;
        machine();
        firmware();
        control();
        console();
        nic();
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
        flash("firmware", Properties{""}.add("driver", "file").add("filename", uefi.code.string()).text(),
              uefi.code_format, "read-only=on", fmt::format("UEFI: {}", uefi.description), std::nullopt);
        const std::string copy = fmt::format("{}-nvram.fd", spec_.name);
        const int number = fd({0, FdPurpose::nvram, uefi.vars_template, 0,
                               fmt::format("cp {} {}", shell_quoted(uefi.vars_template.string()), copy)});
        add("-add-fd", fmt::format("fd={},set=1", number), "the variable store: a private copy in memory",
            "");
        flash("nvram", "driver=file,filename=/dev/fdset/1", uefi.vars_format, "read-only=off", "",
              Properties{""}.add("driver", "file").add("filename", copy).text());
        add("-device", "virtio-rng-pci", "newer UEFI has no network boot without a source of entropy");
    }

    void flash(const std::string& name, const std::string& file, const std::string& format,
               const std::string& access, const std::string& reason,
               const std::optional<std::string>& file_by_hand) {
        const std::string tail = fmt::format(",node-name={}-file,{}", name, access);
        add("-blockdev", file + tail, reason,
            file_by_hand ? std::optional{*file_by_hand + tail} : std::nullopt);
        add("-blockdev", fmt::format("driver={},node-name={},file={}-file,{}", format, name, name, access));
    }

    void control() {
        add("-chardev", fmt::format("socket,id=qmp,fd={}", fd({0, FdPurpose::qmp})),
            "vm-launch's own line to QEMU", "");
        add("-mon", "chardev=qmp,mode=control", "", "");
        add("-S", "", "paused until every watcher is in place", "");
    }

    void console() {
        add("-chardev", fmt::format("socket,id=console,fd={}", fd({0, FdPurpose::console})),
            "the serial console, through vm-launch", "stdio,id=console");
        add("-serial", "chardev:console");
    }

    void nic() {
        const NicSpec& nic = spec_.nic;
        add("-netdev", netdev(nic), "user-mode network: DHCP and TFTP are QEMU's own");
        Properties device{nic.qemu_device};
        device.add("id", nic.id).add("netdev", nic.id).add("mac", nic.mac).bootindex(nic.bootindex);
        std::string reason = nic.bootindex ? "" : "takes no part in the boot, so it gets no ROM";
        if (nic.model == virtio_model) {
            reason = virtio_id(nic, device);
        }
        device.add("romfile", nic.rom ? nic.rom->file.string() : "");
        if (nic.rom) {
            reason = nic.rom->reason + (reason.empty() ? "" : "; " + reason);
        } else if (nic.bootindex) {
            reason = "no ROM: the firmware's own PXE boots";
        }
        add("-device", device.text(), reason);
    }

    // SeaBIOS runs a ROM only when its PCI ID is the device's, and QEMU patches the ID of its own default ROM
    // only (QEMU hw/pci/pci.c, pci_patch_ids): so the device is made to show the ROM's.
    std::string virtio_id(const NicSpec& nic, Properties& device) {
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

    static std::string netdev(const NicSpec& nic) {
        Properties netdev{"user"};
        netdev.add("id", nic.id);
        if (nic.nat.tftp_folder) {
            netdev.add("tftp", nic.nat.tftp_folder->string());
        }
        if (nic.nat.bootfile) {
            netdev.add("bootfile", *nic.nat.bootfile);
        }
        for (const PortForward& forward : nic.nat.forwards) {
            netdev.add("hostfwd", fmt::format("tcp:127.0.0.1:{}-:{}", forward.host_port, forward.guest_port));
        }
        return netdev.text();
    }

    void disk() {
        if (!spec_.disk) {
            return;
        }
        const DiskSpec& disk = *spec_.disk;
        const std::string file_node = disk.id + "-file";
        const std::string tail = fmt::format(",node-name={},discard=unmap", file_node);
        if (disk.image) {
            add("-blockdev",
                Properties{""}.add("driver", "file").add("filename", disk.image->string()).text() + tail);
        } else {
            const std::string stand_in = spec_.name + "-disk.raw";
            const int number = fd({0,
                                   FdPurpose::blank_disk,
                                   {},
                                   disk.size,
                                   fmt::format("truncate -s {} {}", disk.size, stand_in)});
            add("-add-fd", fmt::format("fd={},set=2", number),
                "a blank disk: a file without a name, gone with QEMU", "");
            add("-blockdev", "driver=file,filename=/dev/fdset/2" + tail, "",
                Properties{""}.add("driver", "file").add("filename", stand_in).text() + tail);
        }
        add("-blockdev",
            fmt::format("driver={},node-name={},file={},discard=unmap", disk.format, disk.id, file_node));
        add("-device", Properties{"virtio-blk-pci"}
                           .add("id", disk.id + "-dev")
                           .add("drive", disk.id)
                           .bootindex(disk.bootindex)
                           .text());
    }

    void cdrom() {
        if (!spec_.cdrom) {
            return;
        }
        add("-blockdev", Properties{""}
                             .add("driver", "file")
                             .add("filename", spec_.cdrom->image.string())
                             .add("node-name", "cdrom0-file")
                             .add("read-only", "on")
                             .text());
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
        case FdPurpose::blank_disk:
            return "blank_disk";
    }
    return "";
}

}  // namespace vml
