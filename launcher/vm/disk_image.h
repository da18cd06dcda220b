// What a disk image is, as `qemu-img info` tells it. Pure.
//
// A guest can write whatever it likes to a raw disk, the header of another format included, with a backing
// file of the host's that it would then read. So the rule is: an image that claims to be of a format is
// believed only where the claim gives the guest nothing that is not its own. A probed qcow2 image may have
// neither a backing file nor an external data file; one that has is used only when the user states its format
// (--disk-format), and a block device is raw unless the user says otherwise.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace vml {

struct ImageFacts {
    std::string format = {};  // as QEMU names it: "raw", "qcow2", "vmdk"
    std::optional<std::string> backing_file = std::nullopt;
    std::optional<std::string> data_file = std::nullopt;
    std::optional<Fault> fault = std::nullopt;  // why the format is not known

    bool operator==(const ImageFacts&) const = default;
};

// From the output of `qemu-img info --output=json`; nothing when it is not that.
[[nodiscard]] std::optional<ImageFacts> parse_image_info(std::string_view output);

// The same; where it is not that, its last line is why the format is not known.
[[nodiscard]] ImageFacts image_facts_in(std::string_view output, const std::filesystem::path& image);

[[nodiscard]] Fault unknown_format(const std::filesystem::path& image, std::string why);

// The format that QEMU is told, or the reason why the image cannot be used. `stated` is the user's word.
struct FormatChoice {
    std::string format;
    std::string why;  // not empty: refused
    std::string hint;

    bool operator==(const FormatChoice&) const = default;
};
[[nodiscard]] FormatChoice choose_format(const ImageFacts& image, const std::optional<std::string>& stated,
                                         const std::filesystem::path& path);

}  // namespace vml
