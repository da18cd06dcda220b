#include <algorithm>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "base/shell.h"
#include "launcher/vm/decide_parts.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

// A file that one of the VM's devices has, or lies on.
struct ImageUse {
    std::size_t device = 0;
    std::string origin;  // of the setting
    fs::path named;      // by it
    fs::path file;       // absolute
    std::optional<FileId> id;
    bool written = false;
    bool is_data = false;  // the data file of an image
    std::string format{};  // of one that the named image lies on

    [[nodiscard]] bool is_under() const { return !format.empty(); }
};

// By what host found there; where it found nothing, by the path.
bool are_one_file(const ImageUse& left, const ImageUse& right) {
    return left.id && right.id ? left.id == right.id : left.file == right.file;
}

class ImageUses {
  public:
    explicit ImageUses(const DecideInput& in) : in_{in} {}

    void add_disk(std::size_t index) {
        const DiskFacts& facts = in_.facts.disks.at(index);
        const ImageUse disk = named(disk_origin(index), in_.settings.disks[index], facts.path.id, true);
        uses_.push_back(disk);
        add_data_file(disk, facts.data_file);
        for (const LayerFacts& layer : facts.backing) {
            ImageUse under = disk;
            under.file = in_.absolute(layer.image.file);
            under.id = layer.image.path.id;
            under.written = false;
            under.format = layer.format.empty() ? "raw" : layer.format;
            uses_.push_back(under);
            add_data_file(under, layer.data_file);
        }
        ++device_;
    }

    void add(std::string_view flag, const fs::path& file, const std::optional<FileId>& id, bool written) {
        uses_.push_back(named(flag, file, id, written));
        ++device_;
    }

    // Two devices that have a file of which one writes to it: the one that is told, and the other.
    [[nodiscard]] std::vector<std::pair<ImageUse, ImageUse>> clashes() const {
        std::vector<std::pair<ImageUse, ImageUse>> found;
        for (auto one = uses_.begin(); one != uses_.end(); ++one) {
            for (auto other = one + 1; other != uses_.end(); ++other) {
                if (one->device != other->device && (one->written || other->written) &&
                    are_one_file(*one, *other) && !is_told(found, *one, *other)) {
                    const bool swapped = !one->is_under() && other->is_under();
                    found.emplace_back(swapped ? *one : *other, swapped ? *other : *one);
                }
            }
        }
        return found;
    }

  private:
    [[nodiscard]] ImageUse named(std::string_view flag, const fs::path& file, const std::optional<FileId>& id,
                                 bool written) const {
        return {device_, in_.origin(flag), file, in_.absolute(file), id, written};
    }

    void add_data_file(ImageUse use, const std::optional<NamedFile>& data_file) {
        if (data_file) {
            use.file = in_.absolute(data_file->file);
            use.id = data_file->path.id;
            use.is_data = true;
            uses_.push_back(std::move(use));
        }
    }

    // Two devices with one image have all that lies under it in common too.
    static bool is_told(const std::vector<std::pair<ImageUse, ImageUse>>& found, const ImageUse& one,
                        const ImageUse& other) {
        return std::any_of(found.begin(), found.end(), [&](const auto& told) {
            return std::minmax(told.first.device, told.second.device) ==
                   std::minmax(one.device, other.device);
        });
    }

    const DecideInput& in_;
    std::size_t device_ = 0;
    std::vector<ImageUse> uses_;
};

void refuse_clash(const ImageUse& told, const ImageUse& other, Findings& findings) {
    const std::string what = fmt::format("{}: cannot use {}", told.origin, told.named.string());
    if (other.is_under()) {
        findings.host_fault(what,
                            fmt::format("{} of {} lies on it: what is written to the lower one destroys the "
                                        "upper one",
                                        other.named.string(), other.origin),
                            fmt::format("leave it out, or give it an overlay of its own: qemu-img create -f "
                                        "qcow2 -F {} -b {} NEW.qcow2",
                                        other.format, shell_quoted(told.file.string())));
        return;
    }
    findings.host_fault(
        what,
        fmt::format("{} is the same file as {}{} of {}: what is written by one device "
                    "destroys what the other one has",
                    told.is_data ? "its data file" : "it", other.is_data ? "the data file of " : "",
                    other.named.string(), other.origin),
        "leave one of them out, or make a copy of it");
}

}  // namespace

void check_image_uses(const DecideInput& in, const std::vector<DiskSpec>& disks, Findings& findings) {
    ImageUses uses{in};
    for (std::size_t index = 0; index < in.settings.disks.size(); ++index) {
        uses.add_disk(index);
    }
    if (in.settings.iso && in.facts.iso) {
        uses.add("iso", *in.settings.iso, in.facts.iso->id, false);
    }
    for (const DiskSpec& disk : disks) {
        if (disk.kept) {
            uses.add("blank-disk", *disk.kept, std::nullopt, true);
        }
    }
    for (const auto& [told, other] : uses.clashes()) {
        refuse_clash(told, other, findings);
    }
}

}  // namespace vml
