#include "launcher/vm/description.h"

#include <utility>

#include "base/overloaded.h"
#include "launcher/settings/values.h"
#include "launcher/vm/link_kind.h"

namespace vml {

namespace {

using nlohmann::json;

void add_bootindex(json& object, const VmSpec& spec, std::string_view device) {
    if (const std::optional<int> index = spec.bootindex(device)) {
        object["bootindex"] = *index;
    }
}

json forwards_json(const std::vector<PortForward>& forwards) {
    json list = json::array();
    for (const PortForward& forward : forwards) {
        list.push_back({{"protocol", to_string(forward.protocol)},
                        {"address", forward.address},
                        {"host_port", forward.host_port},
                        {"guest_port", forward.guest_port}});
    }
    return list;
}

json nic_json(const VmSpec& spec, const NicSpec& nic) {
    json object{{"id", nic.id}, {"model", nic.model}, {"mac", nic.mac}, {"mode", kind_of(nic.net).name}};
    if (nic.netboot.folder) {
        object["netboot_dir"] = nic.netboot.folder->string();
    }
    std::visit(Overloaded{[&](const Nat& nat) {
                              if (!nat.forwards.empty()) {
                                  object["forwards"] = forwards_json(nat.forwards);
                              }
                          },
                          [&](const BridgePort& port) {
                              object["bridge"] = port.bridge;
                              object["vhost"] = port.made.vhost;
                          },
                          [&](const Macvtap& macvtap) {
                              object["device"] = macvtap.lower;
                              object["vhost"] = macvtap.made.vhost;
                          },
                          [&](const Isolated& net) {
                              if (!net.segment.empty()) {
                                  object["segment"] = net.segment;
                              }
                          }},
               nic.net);
    if (nic.rom) {
        object["rom"] = nic.rom->file.string();
    }
    add_bootindex(object, spec, nic.id);
    return object;
}

json disk_json(const VmSpec& spec, const DiskSpec& disk) {
    json object{{"id", disk.id}, {"format", disk.format}};
    if (disk.image) {
        object["file"] = disk.image->string();
    } else {
        object["size"] = disk.size;
    }
    if (disk.kept) {
        object["file"] = disk.kept->string();
    }
    add_bootindex(object, spec, disk.id);
    return object;
}

json disks_json(const VmSpec& spec) {
    json list = json::array();
    for (const DiskSpec& disk : spec.disks) {
        list.push_back(disk_json(spec, disk));
    }
    if (spec.cdrom) {
        json object{{"id", cdrom_device}, {"format", "raw"}, {"file", spec.cdrom->image.string()}};
        add_bootindex(object, spec, cdrom_device);
        list.push_back(std::move(object));
    }
    return list;
}

}  // namespace

json description_of(const VmSpec& spec) {
    json nics = json::array();
    for (const NicSpec& nic : spec.nics) {
        nics.push_back(nic_json(spec, nic));
    }
    json object{{"name", spec.name},
                {"uuid", spec.uuid},
                {"machine", spec.machine},
                {"firmware", to_string(spec.firmware.mode)},
                {"secure_boot", spec.nvram.secure_boot ? json(*spec.nvram.secure_boot) : json()},
                {"accelerator", spec.accelerator == Accelerator::kvm ? "kvm" : "tcg"},
                {"accelerator_reason", spec.accelerator_reason},
                {"cpus", spec.cpus},
                {"memory_mib", spec.memory_mib},
                {"nics", std::move(nics)},
                {"disks", disks_json(spec)}};
    if (spec.vnc) {
        object["vnc"] = {{"address", spec.vnc->address},
                         {"port", spec.vnc->port},
                         {"password", spec.vnc->password.empty() ? json() : json(spec.vnc->password)}};
    }
    return object;
}

}  // namespace vml
