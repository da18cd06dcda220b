// A file that vm-launch itself was asked for, and does not serve. Pure.
#pragma once

#include <string>

#include "bootwatch/verdict_scene.h"

namespace vml::boot {

// What to do about it; empty: another server was asked.
[[nodiscard]] std::string hint_for_own_server(const Scene& scene, const Fetch& fetch);

}  // namespace vml::boot
