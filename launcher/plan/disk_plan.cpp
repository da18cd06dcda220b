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
        case DiskCache::writethrough:
            return "";
        case DiskCache::none:
        case DiskCache::directsync:
            return ",cache.direct=on";
        case DiskCache::unsafe:
            return ",cache.no-flush=on";
    }
    return "";
}

// How QEMU reads and writes the file (QEMU qapi/block-core.json, BlockdevAioOptions).
std::string aio_property(const DiskSpec& disk) {
    return disk.io ? fmt::format(",aio={}", to_string(*disk.io)) : "";
}

bool is_direct(DiskCache cache) {
    return cache == DiskCache::none || cache == DiskCache::directsync;
}

// To the guest the disk has no cache of its own, so QEMU flushes each write (hw/block/block.c,
// blkconf_apply_backend_options).
bool flushes_each_write(DiskCache cache) {
    return cache == DiskCache::writethrough || cache == DiskCache::directsync;
}

constexpr std::string_view disk_thread = "disks";

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
        case DiskBus::usb:
            return Properties{"usb-storage"}.add("id", disk.device_id()).add("bus", "usb.0");
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

    [[nodiscard]] bool has_thread() const {
        return spec_.io_thread && (any_on(DiskBus::virtio) || any_on(DiskBus::scsi));
    }

    void controllers() {
        const bool virt = spec_.family == MachineFamily::virt;
        if (has_thread()) {
            writer_.add("-object", fmt::format("iothread,id={}", disk_thread),
                        "the disks' own, beside QEMU's main loop");
        }
        if (any_on(DiskBus::scsi) || (spec_.cdrom && virt)) {
            Properties controller{"virtio-scsi-pci"};
            controller.add("id", "scsi0");
            if (has_thread() && any_on(DiskBus::scsi)) {
                controller.add("iothread", disk_thread);
            }
            writer_.add(
                "-device", controller.text(),
                any_on(DiskBus::scsi) ? "the SCSI bus" : "the machine has no IDE or SATA for a CD-ROM");
        }
    }

    void disk(const DiskSpec& disk) {
        const std::string file = disk.id + "-file";
        const std::string access = "discard=unmap" + cache_properties(disk.cache);
        std::string under;
        if (disk.image) {
            under = layers(disk);
            file_node(file, disk.cache, FdPurpose::write_file, *disk.image, access + aio_property(disk),
                      "the disk");
        } else {
            blank(disk, file, access + aio_property(disk));
        }
        writer_.add("-blockdev", fmt::format("driver={},node-name={},file={}{},{}", disk.format, disk.id,
                                             file, under, access));
        Properties device = disk_device(disk);
        if (flushes_each_write(disk.cache)) {
            device.add("write-cache", "off");
        }
        if (has_thread() && disk.bus == DiskBus::virtio) {
            device.add("iothread", disk_thread);
        }
        writer_.add(
            "-device",
            device.add("drive", disk.id).add("serial", disk.id).bootindex(spec_.bootindex(disk.id)).text());
    }

    void file_node(const std::string& node, DiskCache cache, FdPurpose purpose,
                   const std::filesystem::path& file, const std::string& access, const std::string& reason) {
        writer_.file_node(node, {.purpose = purpose, .source = file, .direct = is_direct(cache)},
                          file.string(), access, reason);
    }

    // The images that a disk's image lies on, the lowest first: QEMU could neither find them by a name that
    // is relative to a descriptor, nor perhaps open them. Gives what the uppermost image says of them.
    std::string layers(const DiskSpec& disk) {
        const std::string access = "read-only=on" + cache_properties(disk.cache);
        std::string under;
        for (std::size_t number = disk.backing.size(); number > 0; --number) {
            const LayerSpec& layer = disk.backing[number - 1];
            const std::string node = fmt::format("{}-backing{}", disk.id, number);
            under += data_file(node, disk.cache, layer.data_file, FdPurpose::read_file, access);
            file_node(node + "-file", disk.cache, FdPurpose::read_file, layer.image, access,
                      fmt::format("{} lies on it", number == 1 ? disk.image->string()
                                                               : disk.backing[number - 2].image.string()));
            writer_.add("-blockdev", fmt::format("driver={},node-name={},file={}-file{},{}", layer.format,
                                                 node, node, under, access));
            under = ",backing=" + node;
        }
        return under + data_file(disk.id, disk.cache, disk.data_file, FdPurpose::write_file,
                                 "discard=unmap" + cache_properties(disk.cache));
    }

    // What the image of that node says of it.
    std::string data_file(const std::string& node, DiskCache cache,
                          const std::optional<std::filesystem::path>& file, FdPurpose purpose,
                          const std::string& access) {
        if (!file) {
            return "";
        }
        file_node(node + "-data", cache, purpose, *file, access, "the image's data lies in it");
        return fmt::format(",data-file={}-data", node);
    }

    void blank(const DiskSpec& disk, const std::string& file, const std::string& access) {
        const std::string stand_in =
            disk.kept ? disk.kept->string() : fmt::format("{}-{}.raw", spec_.name, disk.id);
        writer_.file_node(
            file,
            {.purpose = FdPurpose::blank_disk,
             .size = disk.size,
             // What is kept grows, and never shrinks.
             .by_hand = fmt::format("truncate -s {} {}",
                                    disk.kept ? fmt::format("'>{}'", disk.size) : std::to_string(disk.size),
                                    shell_quoted(stand_in)),
             .kept = disk.kept.value_or(""),
             .direct = is_direct(disk.cache)},
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
