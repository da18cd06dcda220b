#include "launcher/vm/image_content.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "base/shell.h"

namespace vml {

namespace {

using namespace std::string_view_literals;

struct Packing {
    std::string_view name;
    std::size_t at;
    std::string_view mark;
    std::string_view suffix;
    std::string_view command;  // of {0}, the packed file, to {1}
};
constexpr auto packings = std::to_array<Packing>({
    {"gzip", 0, "\x1F\x8B\x08"sv, ".gz", "gzip -dc {0} > {1}"},
    {"xz", 0,
     "\xFD"
     "7zXZ\0"sv,
     ".xz", "xz -dc {0} > {1}"},
    {"zstd", 0, "\x28\xB5\x2F\xFD"sv, ".zst", "zstd -dc {0} > {1}"},
    {"bzip2", 0, "BZh"sv, ".bz2", "bzip2 -dc {0} > {1}"},
    {"lz4", 0, "\x04\x22\x4D\x18"sv, ".lz4", "lz4 -dc {0} > {1}"},
    {"zip", 0, "PK\x03\x04"sv, ".zip", "unzip -p {0} > {1}"},
    {"7z", 0, "7z\xBC\xAF\x27\x1C"sv, ".7z", "7z e -so {0} > {1}"},
    {"tar", 257, "ustar"sv, ".tar", "tar -xvf {0}"},
});

struct Mark {
    std::string_view format;
    std::size_t at;
    std::string_view mark;
};
constexpr auto marks = std::to_array<Mark>({
    {"qcow2", 0, "QFI\xFB"sv},
    {"vmdk", 0, "KDMV"sv},
    {"vmdk", 0, "COWD"sv},
    {"vmdk-descriptor", 0, "# Disk DescriptorFile"sv},
    {"vhdx", 0, "vhdxfile"sv},
    {"vdi", 0x40, "\x7F\x10\xDA\xBE"sv},
    {"vpc", 0, "conectix"sv},
});

ContentFault refuse_packed(const std::string& packing, const std::filesystem::path& path) {
    const auto* const row = std::find_if(packings.begin(), packings.end(),
                                         [&](const Packing& each) { return each.name == packing; });
    const std::string name = path.string();
    const std::string unpacked =
        name.ends_with(row->suffix) ? name.substr(0, name.size() - row->suffix.size()) : name + ".img";
    return {fmt::format("it is packed ({}), and the guest would see what is packed, not the disk", packing),
            fmt::format("unpack it and name what comes out: {}",
                        fmt::format(fmt::runtime(row->command), shell_quoted(name), shell_quoted(unpacked)))};
}

}  // namespace

ImageContent content_of_image(const Bytes& head, std::uint64_t size) {
    ImageContent content;
    content.empty = size == 0;
    for (const Packing& row : packings) {
        if (content.packing.empty() && head.starts(row.at, row.mark)) {
            content.packing = row.name;
        }
    }
    for (const Mark& row : marks) {
        if (content.magic.empty() && head.starts(row.at, row.mark)) {
            content.magic = row.format;
        }
    }
    return content;
}

ContentFault fault_of_content(const ImageContent& content, const std::string& stated,
                              const std::filesystem::path& path) {
    if (content.empty) {
        const std::string name = shell_quoted(path.string());
        const bool qcow2 = stated == "qcow2" || (stated.empty() && path.extension() == ".qcow2");
        return {"it is empty: a file of 0 bytes",
                fmt::format("copy or download it anew; to begin with an empty disk: {}, or --blank-disk",
                            qcow2 ? fmt::format("qemu-img create -f qcow2 {} 20G", name)
                                  : fmt::format("truncate -s 20G {}", name))};
    }
    if (!content.packing.empty() && stated != "raw") {
        return refuse_packed(content.packing, path);
    }
    if (content.magic == "vmdk-descriptor" && stated != "raw") {
        return {
            "it only describes a vmdk image whose data lies in other files",
            fmt::format("convert it: qemu-img convert -O qcow2 {} NEW.qcow2", shell_quoted(path.string()))};
    }
    // A fixed VHD (vpc) has its mark at the end alone.
    if (!stated.empty() && stated != "raw" && stated != "vpc" && content.magic != stated) {
        return {fmt::format("it is no {} image", stated),
                content.magic.empty()
                    ? "is it raw? --disk-format raw; what it is: qemu-img info"
                    : fmt::format("it begins as a {0} image: --disk-format {0}", content.magic)};
    }
    return {};
}

}  // namespace vml
