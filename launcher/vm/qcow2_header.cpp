#include "launcher/vm/qcow2_header.h"

#include <algorithm>
#include <cstdint>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace vml {

namespace {

constexpr std::string_view magic = "QFI\xFB";
constexpr std::size_t backing_offset_high = 8;
constexpr std::size_t backing_offset = 12;
constexpr std::size_t backing_size = 16;
constexpr std::size_t longest_backing_name = 1023;
constexpr std::size_t first_header_length = 72;  // of version 2, which does not say it
constexpr std::size_t header_length = 100;
constexpr std::uint64_t offset_bits = 0x00FF'FFFF'FFFF'FE00;  // of an L1 or L2 entry
constexpr std::uint32_t backing_format_extension = 0xE2792ACA;
constexpr std::uint32_t data_file_extension = 0x44415441;

std::optional<std::string> text_of(const Bytes& bytes) {
    return bytes.size() == 0 ? std::nullopt : std::optional{std::string{bytes.chars()}};
}

void read_extensions(const Bytes& head, std::size_t at, Qcow2Header& header) {
    constexpr std::size_t extension_header = 8;
    constexpr std::size_t alignment = 8;
    while (head.has(at, extension_header) && head.be32(at) != 0) {
        const std::size_t length = head.be32(at + 4);
        const std::size_t data = at + extension_header;
        if (!head.has(data, length)) {
            return;
        }
        if (head.be32(at) == backing_format_extension) {
            header.backing_format = text_of(head.part(data, length));
        } else if (head.be32(at) == data_file_extension) {
            header.data_file = text_of(head.part(data, length));
        }
        at = data + (length + alignment - 1) / alignment * alignment;
    }
}

// From version 3 on.
std::uint64_t incompatible_features(const Bytes& head) {
    constexpr std::size_t features_at = 72;
    return head.be32(4) > 2 ? head.be64(features_at) : 0;
}

// QEMU block.c, path_has_protocol.
bool has_protocol(const std::string& name) {
    const std::size_t at = name.find_first_of(":/");
    return at != std::string::npos && name[at] == ':';
}

// Has the object no other members than these? Others would be lost.
bool has_only(const nlohmann::json& object, std::string_view one, std::string_view other) {
    const auto& members = object.items();
    return object.is_object() && std::all_of(members.begin(), members.end(), [&](const auto& member) {
               return member.key() == one || member.key() == other;
           });
}

// {"driver": "file", "filename": …}, as QEMU's monitor has a file.
std::optional<std::string> name_of_file(const nlohmann::json& node) {
    const std::string name = has_only(node, "driver", "filename") ? text_at(node, "filename") : "";
    const bool is_file = !node.contains("driver") || text_at(node, "driver") == "file";
    return is_file && !name.empty() ? std::optional{name} : std::nullopt;
}

// What QEMU writes where an image was given as a block node: a file, or a format over one.
std::optional<MeantFile> meant_by_json(std::string_view text) {
    const nlohmann::json node = parse_json(text);
    if (!node.is_object()) {
        return std::nullopt;
    }
    if (const auto name = name_of_file(node)) {
        return MeantFile{*name};
    }
    const auto name = has_only(node, "driver", "file") && node.contains("file")
                          ? name_of_file(node.at("file"))
                          : std::nullopt;
    const std::string format = text_at(node, "driver");
    return name && !format.empty() ? std::optional{MeantFile{*name, format}} : std::nullopt;
}

}  // namespace

std::optional<Qcow2Header> read_qcow2_header(const Bytes& head) {
    constexpr std::uint32_t oldest = 2;
    constexpr std::uint32_t newest = 3;
    const std::uint32_t version = head.be32(4);
    if (!head.starts(0, magic) || version < oldest || version > newest) {
        return std::nullopt;
    }
    Qcow2Header header;
    const std::size_t name = head.be32(backing_offset);
    const std::size_t size = head.be32(backing_size);
    if (name != 0 && head.be32(backing_offset_high) == 0 && size <= longest_backing_name &&
        head.has(name, size)) {
        header.backing_file = text_of(head.part(name, size));
    }
    read_extensions(head, version == oldest ? first_header_length : head.be32(header_length), header);
    return header;
}

Qcow2State read_qcow2_state(const Bytes& head) {
    constexpr std::size_t encryption_at = 32;
    constexpr std::uint64_t corrupt = 1U << 1U;
    if (!read_qcow2_header(head)) {
        return {};
    }
    return {head.be32(encryption_at) != 0, (incompatible_features(head) & corrupt) != 0};
}

std::optional<Qcow2Tables> read_qcow2_tables(const Bytes& head) {
    constexpr std::size_t cluster_bits_at = 20;
    constexpr std::size_t l1_entries_at = 36;
    constexpr std::size_t l1_at = 40;
    constexpr std::size_t refcounts_at = 48;
    constexpr std::size_t refcount_clusters_at = 56;
    constexpr std::uint64_t external_data = 1U << 2U;
    constexpr std::uint64_t extended_l2 = 1U << 4U;
    constexpr unsigned smallest_cluster = 9;
    constexpr unsigned largest_cluster = 21;
    constexpr std::uint64_t farthest = std::uint64_t{1} << 56U;
    constexpr unsigned packed_bits = 62;
    const std::uint32_t bits = head.be32(cluster_bits_at);
    const std::uint64_t refcounts = head.be64(refcounts_at);
    Qcow2Tables tables;
    tables.l1 = head.be64(l1_at);
    if (!read_qcow2_header(head) || bits < smallest_cluster || bits > largest_cluster ||
        tables.l1 >= farthest || refcounts >= farthest) {
        return std::nullopt;
    }
    tables.cluster = std::uint64_t{1} << bits;
    tables.l1_size = std::uint64_t{head.be32(l1_entries_at)} * 8;
    tables.end =
        std::max(tables.l1 + tables.l1_size, refcounts + head.be32(refcount_clusters_at) * tables.cluster);
    tables.offset_mask = (std::uint64_t{1} << (packed_bits - (bits - 8))) - 1;
    const std::uint64_t features = incompatible_features(head);
    tables.l2_entry = (features & extended_l2) != 0 ? 16 : 8;
    tables.data_elsewhere = (features & external_data) != 0;
    return tables;
}

std::uint64_t farthest_table(const Bytes& l1) {
    std::uint64_t farthest = 0;
    for (std::size_t at = 0; l1.has(at, 8); at += 8) {
        farthest = std::max(farthest, l1.be64(at) & offset_bits);
    }
    return farthest;
}

std::uint64_t farthest_data(const Bytes& l2, const Qcow2Tables& tables) {
    constexpr std::uint64_t packed = std::uint64_t{1} << 62U;
    std::uint64_t farthest = 0;
    for (std::size_t at = 0; l2.has(at, tables.l2_entry); at += tables.l2_entry) {
        const std::uint64_t entry = l2.be64(at);
        farthest = std::max(farthest, entry & ((entry & packed) != 0 ? tables.offset_mask : offset_bits));
    }
    return farthest;
}

std::optional<MeantFile> file_meant(const std::filesystem::path& image, const std::string& name) {
    constexpr std::string_view file_protocol = "file:";
    constexpr std::string_view json_protocol = "json:";
    if (name.starts_with(json_protocol)) {
        return meant_by_json(std::string_view{name}.substr(json_protocol.size()));
    }
    if (name.starts_with(file_protocol)) {
        return MeantFile{name.substr(file_protocol.size())};  // relative to the working folder
    }
    if (has_protocol(name)) {
        return std::nullopt;
    }
    return MeantFile{image.parent_path() / name};
}

}  // namespace vml
