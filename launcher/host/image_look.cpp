#include "launcher/host/image_look.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>

#include <sys/stat.h>

#include "launcher/host/file_head.h"
#include "launcher/vm/qcow2_header.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

// More than the tables of any image that is in use: L1 of 64 TiB, L2 of the largest cluster.
constexpr std::uint64_t largest_table = std::uint64_t{2} << 20;

std::string table_at(const fs::path& path, std::uint64_t offset, std::uint64_t size) {
    return part_of(path, offset, static_cast<std::size_t>(std::min(size, largest_table)));
}

// How many bytes a qcow2 image has at least: one that is cut off mostly lacks what its last table names.
std::uint64_t bytes_needed(const fs::path& path, const Qcow2Tables& tables) {
    const std::string l1 = table_at(path, tables.l1, tables.l1_size);
    const std::uint64_t table = farthest_table(bytes_of(l1));
    std::uint64_t needed = std::max(tables.end, table == 0 ? 0 : table + 1);
    if (table != 0 && !tables.data_elsewhere) {
        const std::string l2 = table_at(path, table, tables.cluster);
        needed = std::max(needed, farthest_data(bytes_of(l2), tables) + 1);
    }
    return needed;
}

}  // namespace

ImageContent content_of(const fs::path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        return {};
    }
    const std::string head = head_of(path, marked_beginning);
    if (S_ISBLK(status.st_mode)) {
        ImageContent content = content_of_image(bytes_of(head), head.size());
        content.packing.clear();  // nobody downloads a block device
        return content;
    }
    const auto size = static_cast<std::uint64_t>(status.st_size);
    const std::string tail =
        size < marked_beginning ? "" : part_of(path, size - marked_beginning, marked_beginning);
    ImageContent content = content_of_image(bytes_of(head), size, bytes_of(tail));
    content.bare_cd =
        is_bare_cd(bytes_of(head), bytes_of(part_of(path, cd_descriptor_at, cd_descriptor_mark)));
    if (const auto tables = read_qcow2_tables(bytes_of(head))) {
        content.needed = bytes_needed(path, *tables);
    }
    return content;
}

}  // namespace vml
