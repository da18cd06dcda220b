#include "launcher/vm/image_content.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "base/shell.h"
#include "base/text.h"

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
    {"rar", 0, "Rar!\x1A\x07"sv, ".rar", "unrar p -inul {0} > {1}"},
    {"lzip", 0, "LZIP"sv, ".lz", "lzip -dc {0} > {1}"},
    {"lzma", 0, "\x5D\x00\x00"sv, ".lzma", "xz --format=lzma -dc {0} > {1}"},
    {"compress", 0, "\x1F\x9D"sv, ".Z", "gzip -dc {0} > {1}"},
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

constexpr std::string_view get_it_anew = "copy or download it anew";

ContentFault refuse_packed(const std::string& packing, const std::filesystem::path& path) {
    const auto* const row = std::find_if(packings.begin(), packings.end(),
                                         [&](const Packing& each) { return each.name == packing; });
    const std::string name = path.string();
    const std::string unpacked =
        name.ends_with(row->suffix) ? name.substr(0, name.size() - row->suffix.size()) : name + ".img";
    return {fmt::format("it is packed ({}), and the guest would see what is packed, not the disk", packing),
            fmt::format("unpack it and name what comes out: {}",
                        fmt::format(fmt::runtime(row->command), shell_quoted(name), shell_quoted(unpacked))),
            true};
}

ContentFault refuse_empty(const std::string& stated, const std::filesystem::path& path) {
    const std::string name = shell_quoted(path.string());
    const bool qcow2 = stated == "qcow2" || (stated.empty() && path.extension() == ".qcow2");
    return {"it is empty: a file of 0 bytes",
            fmt::format("{}; to begin with an empty disk: {}, or --blank-disk", get_it_anew,
                        qcow2 ? fmt::format("qemu-img create -f qcow2 {} 20G", name)
                              : fmt::format("truncate -s 20G {}", name))};
}

// What the guest would get as a disk or CD and can be none.
ContentFault refuse_no_image(const ImageContent& content, const std::filesystem::path& path) {
    constexpr std::uint64_t sector = 512;
    const std::string name = shell_quoted(path.string());
    if (content.page) {
        return {
            "it is a text in HTML or XML, probably a server's answer in place of the image",
            fmt::format("see what it says: head -c 500 {}; then download it anew (curl -fL fails where the "
                        "server does)",
                        name),
            true};
    }
    if (!content.packing.empty()) {
        return refuse_packed(content.packing, path);
    }
    if (content.size < sector) {
        return {
            fmt::format("it has {} byte{}, less than one sector", content.size, content.size == 1 ? "" : "s"),
            std::string{get_it_anew}, true};
    }
    return {};
}

ContentFault refuse_cut(const ImageContent& content, const std::filesystem::path& path) {
    return {fmt::format("it is cut off: it has {} bytes, and its tables speak of {} or more", content.size,
                        content.needed),
            fmt::format("{}; what is missing: qemu-img check {}", get_it_anew, shell_quoted(path.string()))};
}

ContentFault refuse_encrypted(const std::filesystem::path& path) {
    return {"it is encrypted, and vm-launch has no key for it",
            fmt::format("decrypt it: qemu-img convert --object secret,id=key,file=PASSPHRASE --image-opts "
                        "driver=qcow2,encrypt.key-secret=key,file.filename={} -O qcow2 NEW.qcow2",
                        shell_quoted(path.string()))};
}

ContentFault refuse_corrupt(const std::filesystem::path& path) {
    return {
        "it is marked as corrupt: QEMU once found that its tables contradict each other, and writes to it "
        "no more",
        fmt::format("make a copy, then mend it: qemu-img check -r all {}", shell_quoted(path.string()))};
}

bool is_page(const Bytes& head) {
    const std::string text = lower(head.chars());
    const std::size_t first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
    const auto begins = [&](std::string_view word) {
        return first != std::string::npos && std::string_view{text}.substr(first).starts_with(word);
    };
    return begins("<!doctype") || begins("<html") || begins("<?xml") || begins("<head");
}

// A fixed VHD's footer (Virtual Hard Disk Image Format Specification, "Hard Disk Footer Format").
bool is_fixed_vhd(const Bytes& tail) {
    constexpr std::size_t type = 60;
    constexpr std::uint32_t fixed = 2;
    return tail.starts(0, "conectix") && tail.be32(type) == fixed;
}

}  // namespace

ImageContent content_of_image(const Bytes& head, std::uint64_t size, const Bytes& tail) {
    ImageContent content;
    content.empty = size == 0;
    content.size = size;
    content.page = is_page(head);
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
    if (content.magic == "qcow2") {
        content.state = read_qcow2_state(head);
    }
    if (content.magic.empty() && is_fixed_vhd(tail)) {
        content.magic = "vpc";
        content.fixed_vhd = true;
    }
    return content;
}

bool is_bare_cd(const Bytes& head, const Bytes& descriptor) {
    constexpr std::size_t boot_record_mark = 510;
    return descriptor.starts(1, "CD001") && !head.starts(boot_record_mark, "\x55\xAA");
}

ContentFault fault_of_content(const ImageContent& content, const std::string& stated,
                              const std::filesystem::path& path) {
    const std::string name = shell_quoted(path.string());
    if (content.empty) {
        return refuse_empty(stated, path);
    }
    if (stated == "raw") {
        return {};
    }
    if (content.magic == "vmdk-descriptor") {  // which is a text of less than a sector
        return {"it only describes a vmdk image whose data lies in other files",
                fmt::format("convert it: qemu-img convert -O qcow2 {} NEW.qcow2", name)};
    }
    if (ContentFault fault = refuse_no_image(content, path); !fault.why.empty()) {
        return fault;
    }
    if (!stated.empty() && content.magic != stated) {
        return {fmt::format("it is no {} image", stated),
                content.magic.empty()
                    ? "is it raw? --disk-format raw; what it is: qemu-img info"
                    : fmt::format("it begins as a {0} image: --disk-format {0}", content.magic)};
    }
    if (content.needed > content.size) {
        return refuse_cut(content, path);
    }
    if (content.state.encrypted) {
        return refuse_encrypted(path);
    }
    if (content.state.corrupt) {
        return refuse_corrupt(path);
    }
    if (stated.empty() && content.fixed_vhd) {
        return {"it is a VHD (vpc) of fixed size, whose last sector is no part of the disk",
                fmt::format("--disk-format vpc uses it as it is, by QEMU's driver; or convert it: qemu-img "
                            "convert -f vpc -O qcow2 {} NEW.qcow2",
                            name),
                true};
    }
    return {};
}

ContentFault fault_of_cd(const ImageContent& content, const std::filesystem::path& path) {
    ContentFault fault;
    if (content.empty) {
        fault = {"it is empty: a file of 0 bytes", std::string{get_it_anew}};
    } else if (!content.magic.empty() && !content.fixed_vhd) {
        fault = {
            fmt::format("it is a {} image, and the guest would see its bytes as they are, not what is in it",
                        content.magic == "vmdk-descriptor" ? "vmdk" : content.magic),
            fmt::format("is it a disk? --disk PATH; if a CD is in it: qemu-img convert -O raw {} NEW.iso",
                        shell_quoted(path.string()))};
    } else {
        fault = refuse_no_image(content, path);
    }
    fault.but_raw = false;
    return fault;
}

ContentFault fault_of_layer(const ImageContent& content, const std::string& format,
                            const std::filesystem::path& path) {
    ContentFault fault;
    if (content.empty) {
        fault = {"it is empty: a file of 0 bytes", std::string{get_it_anew}};
    } else if (format == "raw") {
        fault = refuse_no_image(content, path);
    } else if (format == "qcow2" && content.needed > content.size) {
        fault = refuse_cut(content, path);
    } else if (format == "qcow2" && content.state.encrypted) {
        fault = refuse_encrypted(path);
    }
    fault.but_raw = false;
    return fault;
}

}  // namespace vml
