#include <array>
#include <utility>

#include <fmt/format.h>

#include "launcher/settings/values.h"
#include "launcher/vm/decide_parts.h"

namespace vml {

namespace {

bool is_direct(DiskCache cache) {
    return cache == DiskCache::none || cache == DiskCache::directsync;
}

// In whole MiB, where it is a share.
AskedSize asked_size(const DecideInput& in, std::string flag, const Amount& amount) {
    constexpr std::uint64_t mebi = std::uint64_t{1} << 20;
    if (amount.number) {
        return {std::move(flag), amount, *amount.number};
    }
    return {std::move(flag), amount, decide_amount(amount, in.facts.disk_room) / mebi * mebi};
}

// One that is there already has the size that it has.
void check_room(const DecideInput& in, const AskedSize& asked, const DiskSpec& disk, Findings& findings) {
    if (asked.amount.share && disk.size == 0 && findings.no_fault()) {
        findings.host_fault(fmt::format("{}: cannot make a blank disk of {}", in.origin(asked.flag),
                                        to_string(*asked.amount.share)),
                            "no room is free, or none can be told, where it would be", "give a size: 20G");
    }
}

DiskSpec blank(const DecideInput& in, const std::vector<DiskSpec>& disks, std::uint64_t size,
               std::optional<std::filesystem::path> kept) {
    DiskSpec disk = next_disk(in, disks, kept ? DiskCache::writeback : DiskCache::unsafe);
    disk.size = size;
    disk.kept = std::move(kept);
    return disk;
}

}  // namespace

// Linux AIO goes past the host's cache alone (QEMU block/file-posix.c, raw_open_common).
DiskSpec next_disk(const DecideInput& in, const std::vector<DiskSpec>& disks, DiskCache otherwise) {
    DiskSpec disk;
    disk.id = fmt::format("disk{}", disks.size());
    disk.bus = in.settings.disk_bus;
    disk.io = in.settings.disk_io;
    disk.cache = in.settings.disk_cache.value_or(disk.io == DiskIo::native ? DiskCache::none : otherwise);
    return disk;
}

void add_blank_disks(const DecideInput& in, const DiskFrame& frame, std::vector<DiskSpec>& disks,
                     Findings& findings) {
    const auto kept_as = [&](const KeptDisk& kept) {
        disks.push_back(blank(in, disks, kept.size, kept.file));
    };
    if (in.settings.blank_disk) {
        const AskedSize asked = asked_size(in, "disk-size", in.settings.disk_size);
        frame.state_folder ? kept_as(decide_kept_disk(in, asked, *frame.state_folder, findings))
                           : disks.push_back(blank(in, disks, asked.bytes, std::nullopt));
        check_room(in, asked, disks.back(), findings);
    }
    for (std::size_t index = 0; index < in.settings.extra_disks.size(); ++index) {
        const AskedSize asked = asked_size(in, extra_disk_origin(index), in.settings.extra_disks[index]);
        frame.state_folder ? kept_as(decide_extra_kept_disk(in, asked, index, *frame.state_folder, findings))
                           : disks.push_back(blank(in, disks, asked.bytes, std::nullopt));
        check_room(in, asked, disks.back(), findings);
    }
}

namespace {

// Those that are given and not what is the case anyway.
std::vector<std::string> told_of_disks(const DecideInput& in) {
    const Settings& settings = in.settings;
    const auto given = std::to_array<std::pair<std::string_view, bool>>(
        {{"disk-bus", settings.disk_bus != DiskBus::virtio},
         {"disk-cache", settings.disk_cache.value_or(DiskCache::writeback) != DiskCache::writeback},
         {"disk-io", settings.disk_io.value_or(DiskIo::threads) != DiskIo::threads},
         {"io-thread", settings.io_thread}});
    std::vector<std::string> flags;
    for (const auto& [flag, asks] : given) {
        if (asks) {
            flags.emplace_back(flag);
        }
    }
    return flags;
}

}  // namespace

void check_disk_settings(const DecideInput& in, const std::vector<DiskSpec>& disks, Findings& findings) {
    const Settings& settings = in.settings;
    if (settings.disk_io == DiskIo::native && settings.disk_cache && !is_direct(*settings.disk_cache)) {
        findings.settings_fault(
            fmt::format("{} and {} contradict each other", in.origin("disk-io"), in.origin("disk-cache")),
            "the kernel's AIO goes past the host's cache alone",
            "use --disk-cache none or directsync, or another --disk-io");
    }
    if (settings.disk_bus == DiskBus::usb && in.origins.contains("usb") && !settings.usb && !disks.empty()) {
        findings.settings_fault(
            fmt::format("{} and {} contradict each other", in.origin("usb"), in.origin("disk-bus")),
            "a disk on USB needs a USB controller", "leave one of them out");
    }
    if (disks.empty() && settings.disks.empty()) {
        for (const std::string& flag : told_of_disks(in)) {
            findings.note(fmt::format("{} has no effect: there is no disk (--disk PATH, --blank-disk)",
                                      in.origin(flag)));
        }
    } else if (settings.io_thread && settings.disk_bus != DiskBus::virtio &&
               settings.disk_bus != DiskBus::scsi) {
        findings.note(fmt::format("{} has no effect: of the buses, virtio and scsi alone can have a thread",
                                  in.origin("io-thread")));
    }
}

}  // namespace vml
