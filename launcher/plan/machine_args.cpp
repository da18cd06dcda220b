#include "launcher/plan/machine_args.h"

#include <algorithm>

#include <fmt/format.h>

#include "launcher/plan/firmware_args.h"

namespace vml {

namespace {

// edk2's HTTP boot over IPv6 gives up at once where the link's own address is still being looked for at
// others (NetworkPkg/HttpBootDxe/HttpBootDhcp6.c, HttpBootDhcp6Sarr; its PXE waits: PxeBcDhcp6.c,
// PxeBcDhcp6Sarr). That takes a second, after a pause of up to another one (Ip6Dxe/Ip6Nd.c). The firmware's
// wait for a key outlasts it.
void plan_boot_menu(const VmSpec& spec, PlanWriter& writer) {
    if (spec.pxe == PxeClient::http6) {
        writer.add("-boot", "menu=on,splash-time=3000,strict=on",
                   "boot only what has a bootindex; 3 s for a key, as HTTP boot over IPv6 gives up where the "
                   "link has no address yet");
        return;
    }
    writer.add("-boot", "menu=off,strict=on", "boot only what has a bootindex; a menu would cost 2.5 s");
}

// Every byte of it is an exit of the virtual CPU: for those who look for a fault.
void plan_firmware_log(PlanWriter& writer) {
    writer.add("-chardev",
               fmt::format("socket,id=firmware-log,fd={}", writer.fd({.purpose = FdPurpose::firmware})),
               "the debug level asks for SeaBIOS's own log", "");
    writer.add("-device", "isa-debugcon,iobase=0x402,chardev=firmware-log", "", "");
}

}  // namespace

void plan_machine(const VmSpec& spec, PlanWriter& writer) {
    writer.add("-name", Properties{""}.add("guest", spec.name).text());
    writer.add("-uuid", spec.uuid, "stable, made from the name; iPXE shows it as ${uuid}");
    writer.add("-no-user-config", "", "nothing but what is here");
    writer.add("-nodefaults", "", "no device but those named here");
    Properties machine{spec.machine};
    machine.add("graphics", "off");
    if (spec.firmware.uefi) {
        machine.add("pflash0", "firmware").add("pflash1", "nvram");
    }
    if (needs_smm(spec)) {
        machine.add("smm", "on");
    }
    writer.add("-machine", machine.text(), "graphics=off: firmware and iPXE write to the serial console");
    Properties accelerator{spec.accelerator == Accelerator::kvm ? "kvm" : "tcg"};
    if (spec.translation_mib) {
        accelerator.add("tb-size", std::to_string(*spec.translation_mib));
    }
    writer.add("-accel", accelerator.text(),
               spec.accelerator_reason +
                   (spec.translation_mib ? "; tb-size: the container's memory is limited" : ""));
    writer.add("-cpu", spec.cpu);
    writer.add("-smp", std::to_string(spec.cpus));
    writer.add("-m", fmt::format("{}M", spec.memory_mib));
    writer.add("-display", "none");
    writer.add("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
               "QEMU needs none of these system calls");
    plan_boot_menu(spec, writer);
}

void plan_entropy(const VmSpec& spec, PlanWriter& writer) {
    if (spec.entropy) {
        writer.add("-device", "virtio-rng-pci",
                   spec.firmware.uefi ? "newer UEFI has no network boot without a source of entropy"
                                      : "a source of entropy for the guest");
    }
}

void plan_balloon(const VmSpec& spec, PlanWriter& writer) {
    if (spec.balloon) {
        writer.add("-device", "virtio-balloon-pci,id=balloon,deflate-on-oom=on,free-page-reporting=on",
                   "what the guest frees goes back to the host");
    }
}

namespace {

bool shows_on_virt(const VmSpec& spec) {
    return spec.vnc && spec.family == MachineFamily::virt;
}

}  // namespace

// With as many ports as libvirt gives it, and QEMU allows.
void plan_usb(const VmSpec& spec, PlanWriter& writer) {
    const bool disks = std::any_of(spec.disks.begin(), spec.disks.end(),
                                   [](const DiskSpec& disk) { return disk.bus == DiskBus::usb; });
    if (spec.usb || disks || shows_on_virt(spec)) {
        writer.add("-device", "qemu-xhci,id=usb,p2=15,p3=15",
                   disks       ? "the USB that the disks are on"
                   : !spec.usb ? "the machine has no keyboard of its own"
                               : "");
    }
}

void plan_control(PlanWriter& writer) {
    writer.add("-chardev", fmt::format("socket,id=qmp,fd={}", writer.fd({.purpose = FdPurpose::qmp})),
               "vm-launch's own line to QEMU", "");
    writer.add("-mon", "chardev=qmp,mode=control", "", "");
    writer.add("-S", "", "paused until every watcher is in place", "");
}

void plan_console(const VmSpec& spec, PlanWriter& writer) {
    writer.add("-chardev", fmt::format("socket,id=console,fd={}", writer.fd({.purpose = FdPurpose::console})),
               "the serial console, through vm-launch", "stdio,id=console");
    writer.add("-serial", "chardev:console");
    if (spec.firmware_log) {
        plan_firmware_log(writer);
    }
}

void plan_guest_agent(const VmSpec& spec, PlanWriter& writer) {
    if (!spec.guest_agent) {
        return;
    }
    writer.add("-chardev", fmt::format("socket,id=qga,fd={}", writer.fd({.purpose = FdPurpose::agent})),
               "the guest agent, through vm-launch (`vm-launch exec`)", "null,id=qga");
    writer.add("-device", "virtio-serial-pci,id=ports");
    writer.add("-device", "virtserialport,bus=ports.0,chardev=qga,name=org.qemu.guest_agent.0,id=agent");
}

void plan_screen(const VmSpec& spec, PlanWriter& writer) {
    if (!spec.vnc) {
        return;
    }
    const bool virt = spec.family == MachineFamily::virt;
    writer.add("-device", virt ? "virtio-gpu-pci,id=screen" : "VGA,id=screen");
    if (virt) {
        writer.add("-device", "usb-kbd,bus=usb.0");
    }
    if (spec.usb) {
        writer.add("-device", "usb-tablet,bus=usb.0", "it points where the viewer does");
    }
    constexpr int first_port = 5900;  // display 0
    const std::string place = fmt::format("{}:{}", spec.vnc->address, spec.vnc->port - first_port);
    if (spec.vnc->password.empty()) {
        writer.add("-vnc", place, fmt::format("port {}, without a password", spec.vnc->port));
    } else {
        writer.plan().vnc_password = spec.vnc->password;
        writer.add("-object",
                   fmt::format("secret,id=vnc,file=/proc/self/fd/{}",
                               writer.fd({.purpose = FdPurpose::vnc_password})),
                   "the screen's password: `vm-launch status` tells it", "");
        writer.add("-vnc", place + ",password-secret=vnc", fmt::format("port {}", spec.vnc->port), place);
    }
    const int file = writer.fd({.purpose = FdPurpose::screenshot});
    writer.add("-add-fd", fmt::format("fd={},set={}", file, file), "pictures of the screen go here", "");
}

}  // namespace vml
