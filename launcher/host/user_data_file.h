// The file of cloud-init's user data, unpacked where it is packed. Reads only.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "launcher/vm/facts.h"

namespace vml {

struct UserDataFile {
    std::string text;  // unpacked
    std::optional<UserDataFault> fault;
};

// cloud-init unpacks gzip itself (cloudinit/util.py, decomp_gzip), and passes over what Python's gzip module
// refuses: a wrong checksum, an end that is missing, anything but zeros behind it.
[[nodiscard]] UserDataFile unpacked_user_data(std::string_view bytes);
// A file that cannot be read is as an empty one.
[[nodiscard]] UserDataFile read_user_data(const std::filesystem::path& path);

}  // namespace vml
