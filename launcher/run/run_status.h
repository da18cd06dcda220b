// How far the boot is, for the row below the console.
#pragma once

#include <optional>

#include "launcher/console/status_text.h"
#include "launcher/watch/boot_watch.h"

namespace vml {

// None: the operating system runs. Without the keys, which are the terminal's.
[[nodiscard]] std::optional<BootStatus> status_of(BootWatch& watch);

}  // namespace vml
