#include "launcher/plan/network_args.h"

#include <utility>

#include <fmt/format.h>

#include "base/boot_server_port.h"
#include "base/overloaded.h"
#include "base/url.h"
#include "launcher/plan/by_hand.h"
#include "launcher/plan/offer_plan.h"
#include "launcher/settings/nic_options.h"
#include "launcher/vm/link_kind.h"
#include "netserve/proxy_offer.h"
#include "netserve/tftp_server.h"
#include "netsetup/capture.h"

namespace vml {

namespace {

constexpr std::string_view virtio_model = "virtio";

// What a virtio NIC shows unless it is made modern-only (VIRTIO 1.1, 4.1.2.1).
constexpr rom::PciId transitional_virtio_net{0x1af4, 0x1000};

Properties user_netdev(const NicSpec& nic, const Nat& nat) {
    Properties netdev{"user"};
    netdev.add("id", nic.id);
    if (nat.guest) {
        netdev.add("net", fmt::format("{}/{}", ipv4_text(network_of(*nat.guest)), nat.guest->prefix))
            .add("dhcpstart", ipv4_text(nat.guest->address));
    }
    return netdev;
}

// From the bootfile on.
std::string with_forwards(Properties netdev, const Nat& nat) {
    for (const PortForward& forward : nat.forwards) {
        netdev.add("hostfwd", fmt::format("{}:{}:{}-:{}", to_string(forward.protocol), forward.address,
                                          forward.host_port, forward.guest_port));
    }
    return netdev.text();
}

// By hand TFTP alone serves: the iPXE program and what that is to chain lie in one folder then.
Netboot served_by_hand(const Netboot& netboot) {
    Netboot all = netboot;
    if (netboot.http && netboot.firmware_file && netboot.tftp && netboot.tftp != netboot.folder &&
        !netboot.is_elsewhere()) {
        all.files.push_back({*netboot.firmware_file, *netboot.tftp / *netboot.firmware_file, {}});
    }
    return all;
}

// UEFI's HTTP boot asks for vm-launch's own server, which nobody is by hand.
bool needs_own_server(const VmSpec& spec, const NicSpec& nic) {
    const Netboot& netboot = nic.netboot;
    return spec.pxe == PxeClient::http4 && netboot.http && (netboot.firmware_file || !netboot.is_elsewhere());
}

// The user-mode network as QEMU gets it where the firmware's client loads iPXE by TFTP.
std::string nat_by_tftp(const NicSpec& nic, const Nat& nat) {
    Properties netdev = user_netdev(nic, nat);
    netdev.add("tftp", nic.netboot.tftp->string()).add("bootfile", *nic.netboot.firmware_file);
    return with_forwards(std::move(netdev), nat);
}

// The user-mode network as somebody makes it by hand, without vm-launch's HTTP server.
std::string nat_by_hand(const NicSpec& nic, const Nat& nat, const std::string& vm_name) {
    const Netboot netboot = served_by_hand(nic.netboot);
    Properties netdev = user_netdev(nic, nat);
    if (!netboot.files.empty()) {
        netdev.add("tftp", folder_by_hand(vm_name));
    } else if (netboot.firmware_file && netboot.tftp) {
        netdev.add("tftp", netboot.tftp->string());
    } else if (netboot.folder) {
        netdev.add("tftp", netboot.folder->string());
    }
    if (netboot.bootfile) {
        netdev.add("bootfile", netboot.firmware_file.value_or(*netboot.bootfile));
    }
    return with_forwards(std::move(netdev), nat);
}

void plan_nat(const VmSpec& spec, const NicSpec& nic, const Nat& nat, PlanWriter& writer) {
    const Netboot& netboot = nic.netboot;
    const std::string reason = fmt::format(
        "user-mode network: DHCP and TFTP are QEMU's own{}",
        netboot.firmware_file ? "; the firmware's client gets iPXE, and iPXE what vm-launch offers it" : "");
    const std::string by_hand = nat_by_hand(nic, nat, spec.name);
    if (netboot.http) {
        writer.plan().http = netboot;
        const Netboot all = served_by_hand(netboot);
        writer.plan().http_by_hand = all.files.empty() ? "" : serving_by_hand(all, spec.name);
        writer.plan().needs_own_server = needs_own_server(spec, nic);
    }
    if (netboot.firmware_file && netboot.tftp) {
        const std::string by_tftp = nat_by_tftp(nic, nat);
        writer.add("-netdev", by_tftp, reason, by_hand == by_tftp ? std::nullopt : std::optional{by_hand});
        return;
    }
    if (!netboot.http) {
        writer.add("-netdev", by_hand, reason);
        return;
    }
    if (netboot.folder) {
        writer.plan().shortcuts.push_back(
            {Shortcut::Kind::http, nic.id,
             fmt::format("{} by HTTP{}, three times as fast as TFTP", netboot.folder->string(),
                         netboot.tftp ? " too" : " alone")});
    }
    Properties by_http = user_netdev(nic, nat);
    if (netboot.tftp) {
        by_http.add("tftp", netboot.tftp->string());
    }
    by_http.add("bootfile", fmt::format("http://{}:", ipv4_text(host_of(nat.guest))));
    const HttpPort port{by_http.text().size()};
    by_http.more("/" + url_path(netboot.firmware_file.value_or(*netboot.bootfile)));
    writer.add(
        {.option = "-netdev",
         .value = with_forwards(std::move(by_http), nat),
         .reason = reason + (netboot.firmware_file ? "; both by HTTP"
                                                   : "; the bootfile comes from vm-launch's HTTP server"),
         .by_hand = by_hand,
         .http_port = port});
}

// One descriptor under the key, or "a:b:…" under its plural.
void add_queues(Properties& netdev, const std::string& key, PlannedFd planned, unsigned queues,
                PlanWriter& writer) {
    std::string numbers = std::to_string(writer.fd(planned));
    planned.by_hand.clear();
    for (unsigned queue = 1; queue < queues; ++queue) {
        numbers += fmt::format(":{}", writer.fd(planned));
    }
    netdev.add(queues > 1 ? key + "s" : key, numbers);
}

// What vm-launch answers in the place of everybody. UEFI's PXE client asks boot servers from their own port
// (edk2 PxeBcDhcp4.c, PxeBcDhcp4Discover), iPXE from a DHCP client's (src/net/udp/dhcp.c): where nothing is
// offered to iPXE, its questions are the network's to answer.
net::DatagramTarget kept_datagrams_of(const Netboot& netboot) {
    net::DatagramTarget kept{netboot.offered_from, {serve::tftp_port}, {boot_server_port}, {}};
    if (!netboot.firmware_file) {
        kept.everywhere_from = boot_server_port;
    }
    return kept;
}

void plan_link(const NicSpec& nic, const MadeLink& link, unsigned number, const StandIn& stand_in,
               const std::string& reason, PlanWriter& writer) {
    Plan& plan = writer.plan();
    plan.links.insert(plan.links.end(), link.operations.begin(), link.operations.end());
    if (nic.netboot.firmware_fetch == FirmwareFetch::tftp) {
        plan.links.emplace_back(net::KeepDatagrams{number, kept_datagrams_of(nic.netboot)});
    }
    Properties netdev{"tap"};
    netdev.add("id", nic.id);
    add_queues(netdev, "fd", {.purpose = FdPurpose::tap, .nic = number, .by_hand = stand_in.command},
               nic.queues, writer);
    if (link.vhost) {
        netdev.add("vhost", "on");
        add_queues(netdev, "vhostfd", {.purpose = FdPurpose::vhost, .nic = number}, nic.queues, writer);
    }
    writer.add("-netdev", netdev.text(), reason,
               Properties{"tap"}.add("id", nic.id).text() + "," + stand_in.netdev);
}

void plan_segment(const VmSpec& spec, const NicSpec& nic, const Isolated& net, unsigned number,
                  PlanWriter& writer) {
    const Netboot& netboot = nic.netboot;
    PlannedSegment segment{number, nic.id, nic.mac, net.segment, nic.mtu.value_or(0), nic.watched};
    segment.options = netboot.options;
    segment.by_proxy = netboot.by_proxy;
    segment.script = netboot.bootfile.value_or("");
    segment.program = netboot.firmware_file.value_or(spec.pxe ? segment.script : "");
    segment.serves = netboot.http;
    if (netboot.http) {
        writer.plan().http = netboot;
        writer.plan().http_by_hand = netboot.files.empty() ? "" : serving_by_hand(netboot, spec.name);
    }
    writer.plan().segments.push_back(std::move(segment));
    plan_link(nic, {}, number, by_hand(net, nic, number),
              net.segment.empty() ? "a tap on a segment of its own"
                                  : fmt::format("a tap on the segment {}", net.segment),
              writer);
}

void plan_netdev(const VmSpec& spec, const NicSpec& nic, unsigned number, PlanWriter& writer) {
    std::visit(
        Overloaded{[&](const Nat& nat) {
                       plan_nat(spec, nic, nat, writer);
                       plan_offer(nic, number, writer);
                   },
                   [&](const BridgePort& port) {
                       if (port.forwards_after.count() > 0) {
                           writer.plan().port_waits.push_back({number, port.bridge, port.forwards_after});
                       }
                       plan_link(nic, port.made, number, by_hand(port, nic, number),
                                 fmt::format("a tap that is a port of the bridge {}", port.bridge), writer);
                       plan_offer(nic, number, writer);
                   },
                   [&](const Macvtap& macvtap) {
                       plan_link(nic, macvtap.made, number, by_hand(macvtap, nic, number),
                                 fmt::format("a macvtap on {}", macvtap.lower), writer);
                   },
                   [&](const Isolated& net) { plan_segment(spec, nic, net, number, writer); }},
        nic.net);
}

// SeaBIOS runs a ROM only when its PCI ID is the device's, and QEMU patches the ID of its own default ROM
// only (QEMU hw/pci/pci.c, pci_patch_ids): so the device is made to show the ROM's. Gives the reason.
std::string virtio_properties(const VmSpec& spec, const NicSpec& nic, Properties& device,
                              PlanWriter& writer) {
    if (nic.queues > 1) {  // a vector for each queue, one for configuration, one for control
        device.add("mq", "on").add("vectors", std::to_string(2 * nic.queues + 2));
    }
    if (nic.mtu) {
        device.add("host_mtu", std::to_string(*nic.mtu));
    }
    const bool transitional = nic.rom && nic.rom->id == transitional_virtio_net;
    device.add("disable-legacy", transitional ? "off" : "on");
    if (!nic.rom || spec.firmware.mode != FirmwareMode::legacy) {
        return {};
    }
    writer.plan().checks.push_back(
        {"/machine/peripheral/" + nic.id, "disable-legacy", transitional ? "off" : "on",
         fmt::format("the NIC does not show the PCI ID {} of its ROM, so the firmware would never run it",
                     to_string(nic.rom->id))});
    return fmt::format("disable-legacy={}: the NIC shows {}, the ROM's PCI ID", transitional ? "off" : "on",
                       to_string(nic.rom->id));
}

// QEMU reads the ROM that was looked into, from a copy, whoever it runs as.
void plan_device(const VmSpec& spec, const NicSpec& nic, PlanWriter& writer) {
    Properties device{nic.qemu_device};
    device.add("id", nic.id).add("netdev", nic.id).add("mac", nic.mac).bootindex(spec.bootindex(nic.id));
    const std::string why_virtio =
        nic.model == virtio_model ? virtio_properties(spec, nic, device, writer) : "";
    if (!nic.rom) {
        writer.add("-device", device.add("romfile", "").text(),
                   nic.by_program           ? "no ROM: the iPXE program stands in for it"
                   : spec.bootindex(nic.id) ? "no ROM: the firmware's own PXE boots"
                                            : "takes no part in the boot, so it gets no ROM");
        return;
    }
    const std::string reason = nic.rom->reason + (why_virtio.empty() ? "" : "; " + why_virtio);
    if (nic.rom->qemu_default) {
        writer.add("-device", device.text(), reason);
        return;
    }
    const int number =
        writer.fd({.purpose = FdPurpose::rom, .source = nic.rom->file, .content = nic.rom->bytes});
    Properties stand_in = device;
    writer.add("-device", device.add("romfile", fmt::format("/proc/self/fd/{}", number)).text(),
               fmt::format("{}: {}", nic.rom->file.string(), reason),
               stand_in.add("romfile", nic.rom->file.string()).text());
}

// Each frame comes with its length before it, in four bytes (QEMU net/filter-mirror.c, net/net.c:
// net_fill_rstate).
void plan_inlet(const NicSpec& nic, unsigned number, WirePoint& point, PlanWriter& writer) {
    const std::string reason = nic.repeat_offer ? "iPXE's wait for a ProxyDHCP server can be ended"
                                                : "vm-launch tells iPXE what to boot";
    const std::string source = nic.id + "-frames";
    point.inlet = nic.id + "-inlet";
    writer.add(
        "-chardev",
        fmt::format("socket,id={},fd={}", source, writer.fd({.purpose = FdPurpose::frames, .nic = number})),
        reason, "");
    writer.add(
        "-object",
        fmt::format("filter-redirector,id={},netdev={},queue=tx,indev={}", point.inlet, nic.id, source),
        reason, "");
    if (!nic.repeat_offer) {
        return;
    }
    writer.plan().shortcuts.push_back(
        {Shortcut::Kind::proxy_offer, nic.id,
         "QEMU's DHCP offer is repeated as a ProxyDHCP server's, for which iPXE would wait 3 s"});
}

// QEMU opens the pipe by its name in /proc: filter-dump knows no descriptors (net/dump.c).
void plan_watch(const NicSpec& nic, unsigned number, PlanWriter& writer) {
    WirePoint point{number, nic.id, nic.mac, ""};
    if (!kind_of(nic.net).on_host && !kind_of(nic.net).on_segment) {
        point.filter = nic.id + "-dump";
        const int pipe = writer.fd({.purpose = FdPurpose::capture, .nic = number});
        writer.add("-object",
                   fmt::format("filter-dump,id={},netdev={},file=/proc/self/fd/{},maxlen={}", point.filter,
                               nic.id, pipe, net::capture_length),
                   "vm-launch sees the guest's packets until its operating system runs", "");
    }
    if (nic.repeat_offer || (nic.netboot.is_offered() && std::holds_alternative<Nat>(nic.net))) {
        plan_inlet(nic, number, point, writer);
    }
    writer.plan().wire.push_back(std::move(point));
}

}  // namespace

void plan_nics(const VmSpec& spec, PlanWriter& writer) {
    unsigned number = 0;
    for (const NicSpec& nic : spec.nics) {
        ++number;
        plan_netdev(spec, nic, number, writer);
        plan_device(spec, nic, writer);
        if (nic.watched) {
            plan_watch(nic, number, writer);
        }
        if (nic.probe) {
            writer.plan().probe = PlannedProbe{number, nic.id, nic.mac, *nic.probe};
        }
        if (nic.advertise_router) {
            writer.plan().shortcuts.push_back(
                {Shortcut::Kind::router_advertisement, nic.id,
                 "where no IPv6 router answers iPXE, vm-launch does, on this guest's "
                 "link alone: iPXE of Debian 12 would wait 13 s"});
        }
    }
    if (spec.key_at_prompt) {
        writer.plan().shortcuts.push_back(
            {Shortcut::Kind::key_at_prompt, "", "a key ends the 2 s in which iPXE waits for Ctrl-B"});
    }
}

}  // namespace vml
