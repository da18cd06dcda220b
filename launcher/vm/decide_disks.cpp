#include <fmt/format.h>

#include "launcher/vm/decide_parts.h"
#include "launcher/vm/disk_image.h"

namespace vml {

namespace {

DiskSpec next_disk(const DecideInput& in, const std::vector<DiskSpec>& disks) {
    DiskSpec disk;
    disk.id = fmt::format("disk{}", disks.size());
    disk.bus = in.settings.disk_bus;
    return disk;
}

void add_image(const DecideInput& in, std::size_t index, std::vector<DiskSpec>& disks, Findings& findings) {
    const std::filesystem::path& path = in.settings.disks[index];
    const DiskFacts& facts = in.facts.disks.at(index);
    const std::string origin = disk_origin(index);
    if (!check_path(in, {origin, path, facts.path}, findings)) {
        return;
    }
    const FormatChoice format =
        choose_format(facts.image.value_or(ImageFacts{}), in.settings.disk_format, path);
    if (!format.why.empty()) {
        findings.host_fault(fmt::format("{}: cannot use {}", in.origin(origin), path.string()), format.why,
                            format.hint);
        return;
    }
    DiskSpec disk = next_disk(in, disks);
    disk.image = in.absolute(path);
    disk.format = format.format;
    disk.cache = in.settings.disk_cache.value_or(DiskCache::writeback);
    disks.push_back(std::move(disk));
}

DiskSpec blank_disk(const DecideInput& in, const DiskFrame& frame, const std::vector<DiskSpec>& disks) {
    DiskSpec disk = next_disk(in, disks);
    disk.size = in.settings.disk_size;
    if (frame.state_folder) {
        disk.kept = *frame.state_folder / (disk.id + ".raw");
    }
    disk.cache = in.settings.disk_cache.value_or(disk.kept ? DiskCache::writeback : DiskCache::unsafe);
    return disk;
}

// q35's controller has six ports, and the CD-ROM takes one of them.
void check_bus(const DecideInput& in, const MachineChoice& machine, std::size_t disks, Findings& findings) {
    if (in.settings.disk_bus != DiskBus::sata || disks == 0) {
        return;
    }
    constexpr std::size_t ports = 6;
    if (machine.family != MachineFamily::q35) {
        findings.settings_fault(fmt::format("{}: {} has no SATA", in.origin("disk-bus"), machine.name), "",
                                "use virtio, scsi or nvme");
    } else if (disks + (in.settings.iso ? 1 : 0) > ports) {
        findings.settings_fault(fmt::format("{}: q35 has {} SATA ports", in.origin("disk-bus"), ports), "",
                                "use virtio, scsi or nvme");
    }
}

}  // namespace

std::vector<DiskSpec> decide_disks(const DecideInput& in, const DiskFrame& frame, Findings& findings) {
    std::vector<DiskSpec> disks;
    for (std::size_t index = 0; index < in.settings.disks.size(); ++index) {
        add_image(in, index, disks, findings);
    }
    if (in.settings.blank_disk) {
        disks.push_back(blank_disk(in, frame, disks));
    }
    check_bus(in, frame.machine, disks.size(), findings);
    return disks;
}

std::optional<CdromSpec> decide_cdrom(const DecideInput& in, Findings& findings) {
    if (!in.settings.iso || !check_path(in, {"iso", *in.settings.iso, *in.facts.iso}, findings)) {
        return std::nullopt;
    }
    return CdromSpec{in.absolute(*in.settings.iso)};
}

}  // namespace vml
