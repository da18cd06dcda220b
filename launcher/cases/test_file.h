// The file of `vm-launch test FILE`: TOML (a name that ends with .toml) or JSON → cases. docs/test.md has its
// keys. Pure.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "launcher/cases/case.h"

namespace vml::cases {

struct TestFile {
    std::vector<Case> cases;
    std::vector<Fault> faults;  // all of them, each with its place
};

// Relative paths in it become those of the folder that it is in.
[[nodiscard]] TestFile read_test_file(std::string_view text, const std::filesystem::path& file);

}  // namespace vml::cases
