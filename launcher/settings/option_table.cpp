#include "launcher/settings/option_table.h"

#include <algorithm>
#include <iterator>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bootwatch/stage.h"
#include "launcher/settings/values.h"
#include "rom/catalogue.h"

namespace vml {

namespace {

using Text = std::string_view;
using Group = OptionGroup;

// "a, b or c". Rows keep views of their words, so the text must last.
std::string listed(const std::vector<std::string_view>& names) {
    return fmt::format("{} or {}", fmt::join(names.begin(), std::prev(names.end()), ", "), names.back());
}

Text nic_model_names() {
    static const std::string text = [] {
        std::vector<Text> names;
        for (const rom::NicModel& model : rom::nic_models()) {
            names.push_back(model.name);
        }
        return listed(names);
    }();
    return text;
}

Text until_help() {
    static const std::string text = fmt::format(
        "end with 0 once the boot reaches this stage: {}, or console:REGEX; a boot that fails before ends at "
        "once, with its exit code",
        fmt::join(boot::stage_names(), ", "));
    return text;
}

std::vector<OptionRow> boot_rows() {
    return {
        {Group::boot, "ipxe", "IPXE_ENABLE", "", "off",
         "put an iPXE ROM on the first NIC and make network the first boot device, whatever the boot order "
         "says",
         [](Settings& s, Text t) { s.ipxe = parse_boolean(t); }},
        {Group::boot, "ipxe-rom", "IPXE_ROM_PATH", "PATH", "by architecture, firmware and NIC model",
         "use this option ROM, or under UEFI iPXE's EFI program (.efi), which stands in for a ROM",
         [](Settings& s, Text t) { s.ipxe_rom = parse_text(t); }},
        {Group::boot, "boot-order", "BOOT_ORDER", "LIST",
         "hd (network,hd with --ipxe), then cdrom where there is one", "comma list of network, hd and cdrom",
         [](Settings& s, Text t) { s.boot_order = parse_boot_order(t); }},
        {Group::boot, "boot-once", "BOOT_ONCE", "LIST", "none",
         "the order of the first boot alone, for an installation: once an operating system has run, the next "
         "reset boots by the boot order (which is hd then, unless it is given)",
         [](Settings& s, Text t) { s.boot_once = parse_boot_order(t); }},
        {Group::boot, "firmware", "BOOT_MODE", "MODE", "legacy on x86_64, uefi on aarch64",
         "legacy (SeaBIOS), uefi (OVMF, AAVMF), or secure: UEFI with Secure Boot, enrolled keys and a TPM",
         [](Settings& s, Text t) { s.firmware = parse_firmware(t); }},
        {Group::boot, "pxe", "PXE", "CLIENT", "v4",
         "UEFI without --ipxe: the one of the firmware's own clients that boots: v4, v6 (PXE), http4 or "
         "http6",
         [](Settings& s, Text t) { s.pxe = parse_pxe_client(t); }},
        {Group::boot, "fast-boot", "FAST_BOOT", "", "on",
         "spare iPXE the waits that can be spared: press a key at its prompt, and on a bridge without an "
         "IPv6 "
         "router answer its search for one, on the guest's own link alone",
         [](Settings& s, Text t) { s.fast_boot = parse_boolean(t); }},
        {Group::boot, "ipxe-prompt", "IPXE_PROMPT", "", "off",
         "let iPXE wait the 2 s in which Ctrl-B opens its command line",
         [](Settings& s, Text t) { s.ipxe_prompt = parse_boolean(t); }},
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
        {Group::network, "nic-model", "NETWORK_MODEL", "MODEL", "virtio", nic_model_names(),
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
         "nat: serve this folder to the guest by the built-in TFTP, and to iPXE by HTTP; a boot.ipxe in it "
         "is the "
         "bootfile",
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
         [](Settings& s, Text t) {
             s.cpu = t == "host-passthrough" ? "host" : parse_text(t);  // libvirt's word for the same
         }},
        {Group::machine, "cpus", "CPUS", "N", "2", "virtual CPUs: a count, half or max",
         [](Settings& s, Text t) { s.cpus = parse_cpus(t); }},
        {Group::machine, "memory", "MEMORY", "SIZE", "4096", "MiB, or a size with M, G or T, or half or max",
         [](Settings& s, Text t) { s.memory_mib = parse_memory(t); }},
        {Group::machine, "tpm", "TPM", "", "on with --firmware secure, else off",
         "a TPM 2.0: swtpm, which vm-launch starts and ends; kept with --persist",
         [](Settings& s, Text t) { s.tpm = parse_boolean(t); }},
        {Group::machine, "smbios", "SMBIOS", "FIELD=VALUE,…", "none",
         "serial, asset, manufacturer, product, version, sku and family, as the guest and iPXE see them",
         [](Settings& s, Text t) { s.smbios = parse_smbios(t); }},
        {Group::machine, "name", "GUEST_NAME", "NAME", "the container's host name, else vm", "the VM's name",
         [](Settings& s, Text t) { s.name = parse_name(t); }},
    };
}

std::vector<OptionRow> disk_rows() {
    return {
        {Group::disks, "disk", "DISK", "PATH", "none",
         "a disk image, raw or qcow2; may be repeated (in the environment: DISK, DISK2, DISK3, …)",
         [](Settings& s, Text t) { s.disks.emplace_back(parse_text(t)); }},  // the reader keeps each
        {Group::disks, "disk-format", "DISK_FORMAT", "FORMAT", "what qemu-img says",
         "raw or qcow2, for every --disk; needed for a qcow2 image with a backing file",
         [](Settings& s, Text t) { s.disk_format = parse_disk_format(t); }},
        {Group::disks, "disk-bus", "DISK_BUS", "BUS", "virtio",
         "what the disks sit on: virtio, scsi, nvme or sata",
         [](Settings& s, Text t) { s.disk_bus = parse_disk_bus(t); }},
        {Group::disks, "disk-cache", "DISK_CACHE", "MODE",
         "writeback (unsafe for a blank disk that is not kept)",
         "writeback (the host caches, the guest's flushes are obeyed), none (past the host's cache) or "
         "unsafe "
         "(flushes are ignored)",
         [](Settings& s, Text t) { s.disk_cache = parse_disk_cache(t); }},
        {Group::disks, "blank-disk", "BLANK_DISK", "", "off",
         "an empty disk of --disk-size, after those of --disk; gone when the VM ends, unless --persist keeps "
         "it",
         [](Settings& s, Text t) { s.blank_disk = parse_boolean(t); }},
        {Group::disks, "disk-size", "DISK_SIZE", "SIZE", "20G", "the size of --blank-disk",
         [](Settings& s, Text t) { s.disk_size = parse_disk_size(t); }},
        {Group::disks, "on-io-error", "ON_IO_ERROR", "ACTION", "resume",
         "a guest that is paused because the host's file system is full: resume (it goes on by itself once "
         "there "
         "is room) or stop (it stays paused until `vm-launch resume`)",
         [](Settings& s, Text t) { s.on_io_error = parse_on_io_error(t); }},
        {Group::disks, "iso", "BOOT_ISO", "PATH", "none", "a CD-ROM image",
         [](Settings& s, Text t) { s.iso = parse_text(t); }, "BOOT_FROM"},
        {Group::disks, "cloud-init", "CLOUD_INIT", "", "on with --user-data or --ssh-pubkey, else off",
         "a seed for cloud-init (NoCloud) on a disk of its own",
         [](Settings& s, Text t) { s.cloud_init = parse_boolean(t); }},
        {Group::disks, "user-data", "CLOUD_INIT_USER_DATA", "FILE", "none", "cloud-init's user data",
         [](Settings& s, Text t) { s.user_data = parse_text(t); }},
        {Group::disks, "cloud-init-url", "CLOUD_INIT_URL", "URL", "none",
         "no seed, but a word in SMBIOS by which the guest fetches its own from URL/user-data and "
         "URL/meta-data",
         [](Settings& s, Text t) { s.cloud_init_url = parse_text(t); }},
        {Group::disks, "hostname", "GUEST_HOSTNAME", "NAME", "the VM's name",
         "cloud-init: the guest's host name", [](Settings& s, Text t) { s.hostname = parse_name(t); }},
        {Group::disks, "ssh-pubkey", "SSH_PUBKEY", "KEY", "none",
         "cloud-init: a public key that may log in as the image's own user",
         [](Settings& s, Text t) { s.ssh_public_key = parse_text(t); }},
        {Group::disks, "data-dir", "DATA_DIR", "DIR", "/data where it is mounted, else none",
         "where --persist keeps things, in a folder of the VM's name",
         [](Settings& s, Text t) { s.data_dir = parse_text(t); }},
        {Group::disks, "persist", "PERSIST", "", "on where there is a data folder",
         "keep the blank disk, the UEFI variables and what --boot-once has done for the next start",
         [](Settings& s, Text t) { s.persist = parse_boolean(t); }},
    };
}

std::vector<OptionRow> running_rows() {
    return {
        {Group::running, "no-console", "NO_CONSOLE", "", "off",
         "neither attach the serial console nor print its output",
         [](Settings& s, Text t) { s.no_console = parse_boolean(t); }},
        {Group::running, "console-raw", "CONSOLE_RAW", "", "off",
         "show every byte of the serial console as it comes; else a terminal is spared what would wipe or "
         "upset it, and a pipe or file gets text alone, in whole lines",
         [](Settings& s, Text t) { s.console_raw = parse_boolean(t); }},
        {Group::running, "graphics", "GRAPHICS", "KIND", "none",
         "none, or vnc: a screen that a VNC viewer and `vm-launch screenshot` see",
         [](Settings& s, Text t) { s.graphics = parse_graphics(t); }},
        {Group::running, "vnc-port", "VNC_PORT", "PORT", "5900",
         "the TCP port of --graphics vnc: on the loopback, in a container on all addresses",
         [](Settings& s, Text t) { s.vnc_port = parse_vnc_port(t); }},
        {Group::running, "guest-agent", "GUEST_AGENT", "", "on",
         "a port for qemu-ga in the guest: what `vm-launch exec` needs",
         [](Settings& s, Text t) { s.guest_agent = parse_boolean(t); }},
        {Group::running, "health-stage", "HEALTH_STAGE", "STAGE", "none",
         "`vm-launch health` also asks whether the boot reached this stage; words as for --until",
         [](Settings& s, Text t) { s.health_stage = parse_health_stage(t); }},
        {Group::running, "run-as", "RUN_AS", "USER",
         "for root: libvirt-qemu or qemu where there is one, else nobody",
         "the user that QEMU runs as; nothing but root can give its rights up so",
         [](Settings& s, Text t) { s.run_as = parse_text(t); }},
        {Group::running, "until", "UNTIL", "STAGE", "none", until_help(),
         [](Settings& s, Text t) { s.until = parse_until(t); }},
        {Group::running, "boot-timeout", "BOOT_TIMEOUT", "SECONDS", "none",
         "end with 15 when the guest has not come so far (--until, else os) in that time",
         [](Settings& s, Text t) { s.boot_timeout = parse_seconds(t); }},
        {Group::running, "reboot-limit", "REBOOT_LIMIT", "N", "3",
         "end with 16 after so many network boots in a row in which no operating system stayed up for 60 s; "
         "0: "
         "never",
         [](Settings& s, Text t) { s.reboot_limit = parse_reboot_limit(t); }},
        {Group::running, "report", "BOOT_REPORT", "FILE,…", "none",
         "write the boot as JSON (a name that ends with .json) or as a picture in one HTML file (.html)",
         [](Settings& s, Text t) { s.reports = parse_reports(t); }},
        {Group::running, "boot-watch", "BOOT_WATCH", "", "on",
         "look at the guest's packets until its operating system runs; without, the console alone tells of "
         "the boot",
         [](Settings& s, Text t) { s.boot_watch = parse_boolean(t); }},
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
        {"10", "the ROM never ran"},
        {"11", "no DHCP offer, or none that the guest could use"},
        {"12", "an address, but nothing to boot (no filename, no script)"},
        {"13", "fetching failed (TFTP or HTTP error, name not found, no answer)"},
        {"14", "what was fetched could not be booted"},
        {"15", "the boot deadline passed (--boot-timeout), or the guest ended before --until was reached"},
        {"16", "a reboot loop was broken (--reboot-limit)"},
        {"20", "the guest panicked"},
        {"125", "exec: the command could not be run; any other status is the command's own"},
        {"128+n", "ended by signal n before the guest was down: it had to be forced"},
    };
    return table;
}

}  // namespace vml
