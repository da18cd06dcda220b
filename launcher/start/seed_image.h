// The CD image that cloud-init reads its seed from. Makes system calls.
#pragma once

#include <string>

#include "launcher/vm/seed.h"

namespace vml {

// The image, ISO 9660 with the Joliet and Rock Ridge names that cloud-init needs. libarchive keeps it in a
// temporary file without a name while it is made. Throws Error.
[[nodiscard]] std::string seed_image(const SeedSpec& seed);

}  // namespace vml
