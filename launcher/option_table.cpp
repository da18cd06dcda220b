#include "launcher/option_table.h"

#include <algorithm>

#include "launcher/values.h"

namespace vml {

namespace {

using Text = std::string_view;
using Group = OptionGroup;

std::vector<OptionRow> boot_rows() {
    return {
        {Group::boot, "ipxe", "IPXE_ENABLE", "", "off",
         "put an iPXE ROM on the first NIC and make network the first boot device, whatever the boot order "
         "says",
         [](Settings& s, Text t) { s.ipxe = parse_boolean(t); }},
        {Group::boot, "ipxe-rom", "IPXE_ROM_PATH", "PATH", "by architecture, firmware and NIC model",
         "use this option ROM; required where no bundled ROM fits",
         [](Settings& s, Text t) { s.ipxe_rom = parse_text(t); }},
        {Group::boot, "boot-order", "BOOT_ORDER", "LIST",
         "hd (network,hd with --ipxe), then cdrom where there is one", "comma list of network, hd and cdrom",
         [](Settings& s, Text t) { s.boot_order = parse_boot_order(t); }},
        {Group::boot, "firmware", "BOOT_MODE", "MODE", "legacy on x86_64, uefi on aarch64",
         "legacy (SeaBIOS) or uefi (OVMF, AAVMF)",
         [](Settings& s, Text t) { s.firmware = parse_firmware(t); }},
    };
}

std::vector<OptionRow> network_rows() {
    return {
        {Group::network, "network", "NETWORK_MODE", "MODE", "nat",
         "nat (QEMU's user-mode network), bridge (a tap on a bridge of the host) or direct (a macvtap on a "
         "device)",
         [](Settings& s, Text t) { s.nics.front().network = parse_network(t); }},
        {Group::network, "bridge", "NETWORK_BRIDGE", "NAME", "none; required for bridge",
         "the host's bridge to join",
         [](Settings& s, Text t) { s.nics.front().bridge = parse_link_name(t); }},
        {Group::network, "direct-dev", "NETWORK_DIRECT_DEV", "NAME", "none; required for direct",
         "the host's device that the macvtap sits on",
         [](Settings& s, Text t) { s.nics.front().direct_dev = parse_link_name(t); }},
        {Group::network, "mac", "NETWORK_MAC", "MAC", "stable, derived from the VM's name",
         "the guest's MAC address", [](Settings& s, Text t) { s.nics.front().mac = parse_mac(t); }},
        {Group::network, "nic-model", "NETWORK_MODEL", "MODEL", "virtio",
         "virtio, e1000, e1000e, rtl8139, vmxnet3, ne2k_pci or pcnet",
         [](Settings& s, Text t) { s.nics.front().model = parse_nic_model(t); }},
        {Group::network, "mtu", "NETWORK_MTU", "BYTES", "the bridge's or lower device's",
         "the guest's MTU; told to a virtio guest",
         [](Settings& s, Text t) { s.nics.front().mtu = parse_mtu(t); }},
        {Group::network, "nic-boot", "NETWORK_BOOT", "", "on for the first NIC",
         "this NIC takes part in network boot",
         [](Settings& s, Text t) { s.nics.front().boot = parse_boolean(t); }},
        {Group::network, "nic-queues", "NETWORK_QUEUES", "N", "1",
         "bridge, direct: queue pairs of a virtio NIC",
         [](Settings& s, Text t) { s.nics.front().queues = parse_queues(t); }},
        {Group::network, "nic", "", "KEY=VALUE,…", "none",
         "a further NIC, may be repeated; keys: mode, bridge, direct-dev, mac, model, mtu, boot, queues "
         "(in the environment: NETWORK2_MODE, NETWORK2_BRIDGE, …, NETWORK3_MODE, …)",
         [](Settings& s, Text t) { s.nics.push_back(parse_nic(t)); }},  // repeated: the reader keeps each
        {Group::network, "netboot-dir", "NETBOOT_DIR", "DIR", "none",
         "nat: serve this folder to the guest by the built-in TFTP; a boot.ipxe in it is the bootfile",
         [](Settings& s, Text t) { s.netboot_dir = parse_text(t); }},
        {Group::network, "bootfile", "NETBOOT_FILE", "NAME", "boot.ipxe, where --netboot-dir holds one",
         "nat: the file that DHCP names: an iPXE script or boot program in --netboot-dir, or a URL",
         [](Settings& s, Text t) { s.bootfile = parse_text(t); }},
        {Group::network, "port-forward", "PORT_FWD", "LIST", "none",
         "nat: TCP ports to the guest, HOST:GUEST,…",
         [](Settings& s, Text t) { s.port_forwards = parse_port_forwards(t); }},
        {Group::network, "ssh-port", "SSH_PORT", "PORT", "none",
         "nat: this port of the host leads to the guest's port 22",
         [](Settings& s, Text t) { s.ssh_port = parse_port(t); }},
    };
}

std::vector<OptionRow> machine_rows() {
    return {
        {Group::machine, "arch", "ARCH", "ARCH", "the host's", "x86_64 (amd64) or aarch64 (arm64)",
         [](Settings& s, Text t) { s.arch = parse_arch(t); }},
        {Group::machine, "machine", "MACHINE", "TYPE", "q35 on x86_64, virt on aarch64",
         "QEMU's machine type: q35, pc or virt, or a versioned name of one of them",
         [](Settings& s, Text t) { s.machine = parse_text(t); }},
        {Group::machine, "accel", "ACCEL", "NAME", "auto",
         "auto, kvm or tcg; auto takes KVM where it can run firmware",
         [](Settings& s, Text t) { s.accel = parse_accel(t); }},
        {Group::machine, "require-kvm", "REQUIRE_KVM", "", "off", "fail rather than emulate",
         [](Settings& s, Text t) { s.require_kvm = parse_boolean(t); }},
        {Group::machine, "cpu", "CPU_MODEL", "MODEL", "host with KVM, else max", "QEMU's CPU model",
         [](Settings& s, Text t) { s.cpu = parse_text(t); }},
        {Group::machine, "cpus", "CPUS", "N", "2", "virtual CPUs: a count, half or max",
         [](Settings& s, Text t) { s.cpus = parse_cpus(t); }},
        {Group::machine, "memory", "MEMORY", "SIZE", "4096", "MiB, or a size with M, G or T, or half or max",
         [](Settings& s, Text t) { s.memory_mib = parse_memory(t); }},
        {Group::machine, "name", "GUEST_NAME", "NAME", "the container's host name, else vm", "the VM's name",
         [](Settings& s, Text t) { s.name = parse_name(t); }},
    };
}

std::vector<OptionRow> disk_rows() {
    return {
        {Group::disks, "disk", "DISK", "PATH", "none", "a disk image, raw or qcow2",
         [](Settings& s, Text t) { s.disk = parse_text(t); }},
        {Group::disks, "blank-disk", "BLANK_DISK", "", "off",
         "an empty disk of --disk-size that is gone when the VM ends",
         [](Settings& s, Text t) { s.blank_disk = parse_boolean(t); }},
        {Group::disks, "disk-size", "DISK_SIZE", "SIZE", "20G", "the size of --blank-disk",
         [](Settings& s, Text t) { s.disk_size = parse_disk_size(t); }},
        {Group::disks, "iso", "BOOT_ISO", "PATH", "none", "a CD-ROM image",
         [](Settings& s, Text t) { s.iso = parse_text(t); }, "BOOT_FROM"},
    };
}

std::vector<OptionRow> running_rows() {
    return {
        {Group::running, "no-console", "NO_CONSOLE", "", "off",
         "neither attach the serial console nor print its output",
         [](Settings& s, Text t) { s.no_console = parse_boolean(t); }},
        {Group::running, "run-as", "RUN_AS", "USER",
         "for root: libvirt-qemu or qemu where there is one, else nobody",
         "the user that QEMU runs as; nothing but root can give its rights up so",
         [](Settings& s, Text t) { s.run_as = parse_text(t); }},
        {Group::running, "stop-timeout", "STOP_TIMEOUT", "SECONDS", "8",
         "grace for the guest's own shutdown before it is forced",
         [](Settings& s, Text t) { s.stop_timeout = parse_seconds(t); }},
        {Group::running, "log-level", "LOG_LEVEL", "LEVEL", "info",
         "debug, info, warning or error (LOG_VERBOSE=1 means debug)",
         [](Settings& s, Text t) { s.log_level = parse_log_level(t); }},
        {Group::running, "log-format", "LOG_FORMAT", "FORMAT", "text", "text, or json: one object a line",
         [](Settings& s, Text t) { s.log_format = parse_log_format(t); }},
        {Group::running, "extra-args", "EXTRA_ARGS", "ARGS", "none",
         "given to QEMU as they are, split like a shell would; on the command line also: -- ARGS…",
         [](Settings& s, Text t) { s.extra_args = parse_shell_words(t); }},
    };
}

}  // namespace

const std::vector<OptionRow>& option_table() {
    static const std::vector<OptionRow> table = [] {
        std::vector<OptionRow> rows;
        for (const auto& part : {boot_rows(), network_rows(), machine_rows(), disk_rows(), running_rows()}) {
            rows.insert(rows.end(), part.begin(), part.end());
        }
        return rows;
    }();
    return table;
}

const OptionRow* find_option(std::string_view flag) {
    const auto& table = option_table();
    const auto found =
        std::find_if(table.begin(), table.end(), [&](const OptionRow& row) { return row.flag == flag; });
    return found == table.end() ? nullptr : &*found;
}

std::string_view title_of(OptionGroup group) {
    switch (group) {
        case Group::boot:
            return "What boots";
        case Group::network:
            return "Network";
        case Group::machine:
            return "Machine";
        case Group::disks:
            return "Disks";
        case Group::running:
            return "Running";
    }
    return "";
}

const std::vector<ExitCodeRow>& exit_code_table() {
    static const std::vector<ExitCodeRow> table{
        {"0", "the guest powered off, or a stop was asked for and was clean"},
        {"1", "vm-launch failed"},
        {"2", "the settings are wrong (all faults were listed)"},
        {"3", "the host lacks something (device, privilege, file, program)"},
        {"4", "QEMU could not start, or died"},
        {"10", "the ROM never ran: the NIC does not show its PCI ID"},
        {"20", "the guest panicked"},
        {"128+n", "ended by signal n before the guest was down: it had to be forced"},
    };
    return table;
}

}  // namespace vml
