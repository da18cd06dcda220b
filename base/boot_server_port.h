// Where a PXE client asks a boot server for its file (PXE specification 2.1, 2.2.4).
#pragma once

#include <cstdint>

namespace vml {

inline constexpr std::uint16_t boot_server_port = 4011;

}  // namespace vml
