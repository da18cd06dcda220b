// The files that a qcow2 image names, and those that they name. Reads the system.
#pragma once

#include <filesystem>
#include <functional>

#include "launcher/vm/facts.h"

namespace vml {

// Follows the names from a qcow2 image that the user vouches for, and fills data_file, backing and
// chain_fault. `probe` tells the format of an image that is named without one.
void follow_names(const std::filesystem::path& image,
                  const std::function<ImageFacts(const std::filesystem::path&)>& probe, DiskFacts& disk);

}  // namespace vml
