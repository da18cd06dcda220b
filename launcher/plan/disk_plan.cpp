#include "launcher/plan/disk_plan.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/shell.h"

namespace vml {

namespace {

// What a cache mode is to a block node (QEMU qapi/block-core.json, BlockdevCacheOptions).
std::string cache_properties(DiskCache cache) {
    switch (cache) {
        case DiskCache::writeback:
            return "";
        case DiskCache::none:
            return ",cache.direct=on";
        case DiskCache::unsafe:
            return ",cache.no-flush=on";
    }
    return "";
}

// The device on its bus. A disk that says that it does not rotate is discarded and scheduled as such.
Properties disk_device(const DiskSpec& disk) {
    switch (disk.bus) {
        case DiskBus::virtio:
            return Properties{"virtio-blk-pci"}.add("id", disk.device_id());
        case DiskBus::scsi:
            return Properties{"scsi-hd"}
                .add("id", disk.device_id())
                .add("bus", "scsi0.0")
                .add("rotation_rate", "1");
        case DiskBus::nvme:
            return Properties{"nvme"}.add("id", disk.device_id());
        case DiskBus::sata:
            return Properties{"ide-hd"}.add("id", disk.device_id()).add("rotation_rate", "1");
    }
    return Properties{""};
}

class DiskPlanner {
  public:
    DiskPlanner(const VmSpec& spec, PlanWriter& writer) : spec_{spec}, writer_{writer} {}

    void plan() {
        controllers();
        for (const DiskSpec& disk : spec_.disks) {
            this->disk(disk);
        }
        if (spec_.cdrom) {
            cdrom(*spec_.cdrom);
        }
    }

  private:
    [[nodiscard]] bool any_on(DiskBus bus) const {
        return std::any_of(spec_.disks.begin(), spec_.disks.end(),
                           [bus](const DiskSpec& disk) { return disk.bus == bus; });
    }

    void controllers() {
        const bool virt = spec_.family == MachineFamily::virt;
        if (any_on(DiskBus::scsi) || (spec_.cdrom && virt)) {
            writer_.add(
                "-device", "virtio-scsi-pci,id=scsi0",
                any_on(DiskBus::scsi) ? "the SCSI bus" : "the machine has no IDE or SATA for a CD-ROM");
        }
    }

    void disk(const DiskSpec& disk) {
        const std::string file = disk.id + "-file";
        const std::string access = "discard=unmap" + cache_properties(disk.cache);
        if (disk.image) {
            writer_.file_node(file, {.purpose = FdPurpose::write_file, .source = *disk.image},
                              disk.image->string(), access, "the disk");
        } else {
            blank(disk, file, access);
        }
        writer_.add("-blockdev",
                    fmt::format("driver={},node-name={},file={},{}", disk.format, disk.id, file, access));
        Properties device = disk_device(disk);
        writer_.add(
            "-device",
            device.add("drive", disk.id).add("serial", disk.id).bootindex(spec_.bootindex(disk.id)).text());
    }

    void blank(const DiskSpec& disk, const std::string& file, const std::string& access) {
        const std::string stand_in =
            disk.kept ? disk.kept->string() : fmt::format("{}-{}.raw", spec_.name, disk.id);
        const std::string make = fmt::format("truncate -s {} {}", disk.size, shell_quoted(stand_in));
        writer_.file_node(
            file,
            {.purpose = FdPurpose::blank_disk,
             .size = disk.size,
             .by_hand =
                 disk.kept ? fmt::format("{{ test -e {} || {}; }}", shell_quoted(stand_in), make) : make,
             .kept = disk.kept.value_or("")},
            stand_in, access,
            disk.kept ? fmt::format("a blank disk, kept as {}", stand_in)
                      : "a blank disk: a file without a name, gone with QEMU");
    }

    void cdrom(const CdromSpec& cdrom) {
        writer_.file_node("cdrom0-file", {.purpose = FdPurpose::read_file, .source = cdrom.image},
                          cdrom.image.string(), "read-only=on", "the CD-ROM");
        writer_.add("-blockdev", "driver=raw,node-name=cdrom0,file=cdrom0-file,read-only=on");
        const bool virt = spec_.family == MachineFamily::virt;
        Properties device{virt ? "scsi-cd" : "ide-cd"};
        writer_.add("-device", device.add("id", "cdrom0-dev")
                                   .add("drive", "cdrom0")
                                   .bootindex(spec_.bootindex(cdrom_device))
                                   .text());
    }

    const VmSpec& spec_;
    PlanWriter& writer_;
};

}  // namespace

void plan_disks(const VmSpec& spec, PlanWriter& writer) {
    DiskPlanner{spec, writer}.plan();
}

}  // namespace vml
