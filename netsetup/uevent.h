// The kernel's device events (lib/kobject_uevent.c): the only way to a macvtap's device number that needs no
// sysfs of the right network namespace. A container's /sys may be missing or another namespace's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/fd.h"

namespace vml::net {

// The device number in one event, if it announces the device node `node` ("tap7"); nothing otherwise. Pure.
[[nodiscard]] std::optional<dev_t> parse_uevent(std::string_view event, std::string_view node);

// Listens in the network namespace in which it was made, and holds it.
class UeventSocket {
  public:
    UeventSocket();  // throws Error

    // The number of the device `node`. The event is queued before the request that makes the device is
    // acknowledged, so nothing is waited for: call it after the acknowledgement. Nothing if no such event
    // came.
    [[nodiscard]] std::optional<dev_t> device_of(std::string_view node);

  private:
    OwnedFd fd_;
};

}  // namespace vml::net
