// Disks, CD-ROM, cloud-init's seed and what is kept. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "launcher/settings/option_row.h"

namespace vml {

// Bytes of a disk, a multiple of its sector: GiB, or with K, M, G or T; throws ValueError.
[[nodiscard]] std::uint64_t parse_disk_size(std::string_view text);

[[nodiscard]] std::vector<OptionRow> disk_options();

}  // namespace vml
