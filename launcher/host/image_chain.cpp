#include "launcher/host/image_chain.h"

#include <optional>
#include <string>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>

#include "base/shell.h"
#include "base/text.h"
#include "launcher/host/data_files.h"
#include "launcher/host/file_head.h"
#include "launcher/host/image_look.h"
#include "launcher/vm/qcow2_header.h"

namespace vml {

namespace {

namespace fs = std::filesystem;
using Probe = std::function<ImageFacts(const fs::path&)>;

// QEMU opens them all, one in the other; nobody makes so many by hand.
constexpr std::size_t deepest_chain = 200;

// QEMU could reach it by a driver of its own, and would tell only when it starts what stands in the way.
Fault no_file(const fs::path& image, std::string_view relation, const std::string& name) {
    return {
        fmt::format("cannot use {}", image.string()),
        fmt::format("it {} {}, which is no file or device of this host", relation, visible(name)),
        fmt::format("make one image of it: qemu-img convert -O qcow2 {} NEW.qcow2; or leave it to QEMU as it "
                    "is, which opens it as its own user: --extra-args '-drive "
                    "file=IMAGE,format=qcow2,if=virtio'",
                    shell_quoted(image.string())),
        ExitCode::host};
}

// Nothing where the image names none.
std::optional<MeantFile> meant_by(const fs::path& image, const std::optional<std::string>& name,
                                  std::string_view relation, std::optional<Fault>& fault) {
    std::optional<MeantFile> meant = name ? file_meant(image, *name) : std::nullopt;
    if (name && !meant) {
        fault = no_file(image, relation, *name);
    }
    return meant;
}

NamedFile looked_at(const fs::path& file, int flags) {
    return {fs::absolute(file), look_at(file, flags)};
}

bool is_readable(const NamedFile& file) {
    return file.path.kind == PathFacts::Kind::file && file.path.open_error == 0;
}

Fault no_such_image(const fs::path& image) {
    return {fmt::format("cannot use {}", image.string()),
            "the image above it says that it is a qcow2 image, and it is none",
            fmt::format("what is it? qemu-img info {}", shell_quoted(image.string())), ExitCode::host};
}

Fault endless(const fs::path& image) {
    return {fmt::format("cannot use {}", image.string()),
            fmt::format("more than {} images lie under it, or one lies under itself", deepest_chain),
            fmt::format("look at them: qemu-img info --backing-chain {}", shell_quoted(image.string())),
            ExitCode::host};
}

// The layer that a header names; nothing where it names none.
std::optional<LayerFacts> layer_under(const fs::path& image, const Qcow2Header& header, const Probe& probe,
                                      std::optional<Fault>& fault) {
    const auto meant = meant_by(image, header.backing_file, "lies on", fault);
    if (!meant) {
        return std::nullopt;
    }
    LayerFacts layer{looked_at(meant->file, O_RDONLY),
                     meant->format.value_or(header.backing_format.value_or(""))};
    if (layer.format.empty() && is_readable(layer.image)) {
        ImageFacts probed = probe(layer.image.file);
        layer.format = probed.format;
        fault = std::move(probed.fault);
    }
    if (is_readable(layer.image)) {
        layer.content = content_of(layer.image.file);
    }
    return layer;
}

}  // namespace

void follow_names(const fs::path& image, const Probe& probe, DiskFacts& disk) {
    fs::path current = image;
    while (!disk.chain_fault) {
        const std::string head = head_of(current, largest_qcow2_header);
        const std::optional<Qcow2Header> header = read_qcow2_header(bytes_of(head));
        if (!header) {
            disk.chain_fault = disk.backing.empty() ? std::nullopt : std::optional{no_such_image(current)};
            return;
        }
        // Only the uppermost image is written to.
        auto& data_file = disk.backing.empty() ? disk.data_file : disk.backing.back().data_file;
        if (const auto meant = meant_by(current, header->data_file, "keeps its data in", disk.chain_fault)) {
            data_file = looked_at(meant->file, disk.backing.empty() ? O_RDWR : O_RDONLY);
        }
        auto layer = disk.chain_fault ? std::nullopt : layer_under(current, *header, probe, disk.chain_fault);
        if (!layer) {
            return;
        }
        disk.backing.push_back(std::move(*layer));
        const LayerFacts& below = disk.backing.back();
        if (!is_readable(below.image) || below.format != "qcow2") {
            return;
        }
        if (disk.backing.size() >= deepest_chain) {
            disk.chain_fault = endless(image);
        }
        current = below.image.file;
    }
}

}  // namespace vml
