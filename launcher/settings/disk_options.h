// Disks, CD-ROM, cloud-init's seed and what is kept. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/settings/option_row.h"

namespace vml {

// Bytes of a disk, a multiple of its sector: GiB, or with K, M, G or T; or a share of the room that there is.
// Throws ValueError.
[[nodiscard]] Amount parse_disk_size(std::string_view text);

// "raw", or for each disk "raw,auto".
[[nodiscard]] std::vector<DiskFormat> parse_disk_formats(std::string_view text);
// The format that the user states of a disk, as QEMU names it; none: qemu-img tells it.
[[nodiscard]] std::optional<std::string> stated_format(const Settings& settings, std::size_t disk);

[[nodiscard]] std::vector<OptionRow> disk_options();

}  // namespace vml
