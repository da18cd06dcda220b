// What a qcow2 image's header names (QEMU docs/interop/qcow2.txt). Pure: any bytes may come.
#pragma once

#include <cstdint>
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

// What keeps QEMU from opening the image, whatever else is right with it.
struct Qcow2State {
    bool encrypted = false;
    bool corrupt = false;  // QEMU once found that its tables contradict each other, and writes to it no more

    bool operator==(const Qcow2State&) const = default;
};
[[nodiscard]] Qcow2State read_qcow2_state(const Bytes& head);

// Where an image's own tables lie in its file, in bytes.
struct Qcow2Tables {
    std::uint64_t end = 0;  // of those that the header names
    std::uint64_t l1 = 0;   // it names the L2 tables
    std::uint64_t l1_size = 0;
    std::uint64_t cluster = 0;    // the size of one, and of an L2 table
    unsigned l2_entry = 8;        // the size of one
    std::uint64_t offset_mask{};  // of a packed cluster's entry
    bool data_elsewhere = false;  // what L2 tables name lies in another file

    bool operator==(const Qcow2Tables&) const = default;
};
// Nothing where the bytes are no header, or one that makes no sense.
[[nodiscard]] std::optional<Qcow2Tables> read_qcow2_tables(const Bytes& head);
// The offset of the L2 table that lies farthest in the file; 0: there is none.
[[nodiscard]] std::uint64_t farthest_table(const Bytes& l1);
// Likewise of the guest's data that an L2 table names.
[[nodiscard]] std::uint64_t farthest_data(const Bytes& l2, const Qcow2Tables& tables);

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
