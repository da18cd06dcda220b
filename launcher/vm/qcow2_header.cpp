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
