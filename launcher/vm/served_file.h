// A file that vm-launch serves to a guest by itself, not as one of a folder. Pure.
#pragma once

#include <filesystem>
#include <string>

namespace vml {

struct ServedFile {
    std::string name;            // in the URL's path: "boot.ipxe"
    std::filesystem::path file;  // absolute, without links; empty: it is `text`
    std::string text{};
    bool operator==(const ServedFile&) const = default;
};

}  // namespace vml
