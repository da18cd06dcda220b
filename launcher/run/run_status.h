// How far the boot is, for the row at the bottom of the terminal.
#pragma once

#include <optional>

#include "launcher/console/status_text.h"
#include "launcher/watch/boot_watch.h"

namespace vml {

// None: the operating system runs. `keyboard`: the terminal's keys go to the guest.
[[nodiscard]] std::optional<BootStatus> status_of(BootWatch& watch, bool keyboard);

}  // namespace vml
