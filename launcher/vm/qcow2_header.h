// What a qcow2 image's header names (QEMU docs/interop/qcow2.txt). Pure: any bytes may come.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace vml {

// All that is read lies in the image's first cluster, which has at most so many bytes.
inline constexpr std::size_t largest_qcow2_header = std::size_t{2} << 20;

struct Qcow2Header {
    std::optional<std::string> backing_file;    // as it is written there
    std::optional<std::string> backing_format;  // as QEMU names it
    std::optional<std::string> data_file;       // that the guest's data lies in

    bool operator==(const Qcow2Header&) const = default;
};

// Nothing where the bytes are no such header.
[[nodiscard]] std::optional<Qcow2Header> read_qcow2_header(const Bytes& head);

// The file that an image means by a name, as qemu-img has it (QEMU block.c, bdrv_make_absolute_filename):
// relative to the folder of the image, by the image's own path. Nothing for what is no file's name, as
// "nbd://host/disk".
struct MeantFile {
    std::filesystem::path file;
    std::optional<std::string> format{};  // where the name says it: "json:{"driver":"qcow2","file":{…}}"

    bool operator==(const MeantFile&) const = default;
};
[[nodiscard]] std::optional<MeantFile> file_meant(const std::filesystem::path& image,
                                                  const std::string& name);

}  // namespace vml
