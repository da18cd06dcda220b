#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/shell.h"
#include "launcher/settings/disk_options.h"
#include "launcher/vm/decide_parts.h"
#include "launcher/vm/disk_image.h"
#include "launcher/vm/image_content.h"

namespace vml {

namespace {

// The setting that names this image, be it the one that another one lies on.
std::string origin_of(const DecideInput& in, const std::filesystem::path& path) {
    const auto& disks = in.settings.disks;
    const auto named = std::find(disks.begin(), disks.end(), path);
    return in.origin(named == disks.end() ? "disk"
                                          : disk_origin(static_cast<std::size_t>(named - disks.begin())));
}

// The formats that are stated, with another one for this disk: "auto,qcow2".
std::string with_format_of(const DecideInput& in, std::size_t index, const std::string& format) {
    std::string formats;
    for (std::size_t disk = 0; disk < in.settings.disks.size(); ++disk) {
        formats += (disk == 0 ? "" : ",") +
                   (disk == index ? format : stated_format(in.settings, disk).value_or("auto"));
    }
    return formats;
}

// A hint speaks of the format of one disk; among several each has its place.
std::string hint_among_disks(const DecideInput& in, const std::filesystem::path& path,
                             const std::string& hint) {
    constexpr std::string_view flag = "--disk-format ";
    const auto& disks = in.settings.disks;
    const auto named = std::find(disks.begin(), disks.end(), path);
    std::string result;
    std::size_t at = 0;
    for (std::size_t next = hint.find(flag); named != disks.end() && next != std::string::npos;
         next = hint.find(flag, at)) {
        const std::size_t format = next + flag.size();
        const std::size_t end =
            std::min(hint.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789", format), hint.size());
        result +=
            hint.substr(at, format - at) + with_format_of(in, static_cast<std::size_t>(named - disks.begin()),
                                                          hint.substr(format, end - format));
        at = end;
    }
    return result + hint.substr(at);
}

bool refuse(const DecideInput& in, const std::filesystem::path& path, std::string why,
            const std::string& hint, Findings& findings) {
    findings.host_fault(fmt::format("{}: cannot use {}", origin_of(in, path), path.string()), std::move(why),
                        hint_among_disks(in, path, hint));
    return false;
}

// A file that the image `by` names, as its `role`.
bool check_named(const DecideInput& in, const NamedFile& named, const std::filesystem::path& by,
                 std::string_view role, Findings& findings) {
    const std::string file = named.file.string();
    const bool missing = named.path.is_missing();
    if (named.path.kind == PathFacts::Kind::file && named.path.open_error == 0) {
        return true;
    }
    const std::string why = named.path.open_error == 0 ? "it is no file" : errno_text(named.path.open_error);
    return refuse(in, by, fmt::format("its {} {}: {}", role, file, why),
                  missing ? fmt::format("put it there, or point the image at where it is: qemu-img rebase -u "
                                        "-F FORMAT -b FILE {}",
                                        shell_quoted(by.string()))
                          : fmt::format("chmod a+r {0} (and a+x the folders above it), or start vm-launch as "
                                        "a user who may open it",
                                        shell_quoted(file)),
                  findings);
}

bool check_data_file(const DecideInput& in, const std::optional<NamedFile>& data_file,
                     const std::filesystem::path& image, Findings& findings) {
    return !data_file || check_named(in, *data_file, image, "data file", findings);
}

// All that lies under an image.
bool check_layers(const DecideInput& in, const std::filesystem::path& image, const DiskFacts& facts,
                  Findings& findings) {
    bool good = check_data_file(in, facts.data_file, image, findings);
    std::filesystem::path above = image;
    for (const LayerFacts& layer : facts.backing) {
        good = check_named(in, layer.image, above, "backing file", findings) &&
               check_data_file(in, layer.data_file, layer.image.file, findings) && good;
        above = layer.image.file;
    }
    for (const LayerFacts& layer : facts.backing) {
        const ContentFault content = fault_of_layer(layer.content, layer.format, layer.image.file);
        if (!content.why.empty()) {
            good = refuse(in, image,
                          fmt::format("of its backing file {}: {}", layer.image.file.string(), content.why),
                          content.hint, findings);
        }
    }
    if (facts.chain_fault) {
        Fault fault = *facts.chain_fault;
        fault.what = fmt::format("{}: {}", origin_of(in, image), fault.what);
        findings.add(std::move(fault));
    }
    return good && !facts.chain_fault;
}

std::optional<std::filesystem::path> path_of(const std::optional<NamedFile>& named) {
    return named ? std::optional{named->file} : std::nullopt;
}

std::vector<LayerSpec> layers_of(const DiskFacts& facts) {
    std::vector<LayerSpec> layers;
    for (const LayerFacts& layer : facts.backing) {
        layers.push_back({layer.image.file, layer.format, path_of(layer.data_file)});
    }
    return layers;
}

void add_image(const DecideInput& in, std::size_t index, std::vector<DiskSpec>& disks, Findings& findings) {
    const std::filesystem::path& path = in.settings.disks[index];
    const DiskFacts& facts = in.facts.disks.at(index);
    const std::string origin = disk_origin(index);
    if (!check_path(in, {origin, path, facts.path}, findings)) {
        return;
    }
    const std::optional<std::string> stated = stated_format(in.settings, index);
    const ContentFault content = fault_of_content(facts.content, stated.value_or(""), path);
    if (!content.why.empty()) {
        const std::string_view otherwise =
            content.but_raw ? "; a raw disk that is to be so: --disk-format raw" : "";
        refuse(in, path, content.why, fmt::format("{}{}", content.hint, otherwise), findings);
        return;
    }
    const FormatChoice format = choose_format(facts.image.value_or(ImageFacts{}), stated, path);
    if (!format.why.empty()) {
        refuse(in, path, format.why, format.hint, findings);
        return;
    }
    if (!check_layers(in, path, facts, findings)) {
        return;
    }
    // Further disks are often CDs: a seed for cloud-init.
    if (facts.content.bare_cd && !stated && disks.empty() && format.format == "raw") {
        findings.note(
            fmt::format("{}: {} is a CD-ROM image, and no disk that boots: --iso PATH makes it a CD",
                        in.origin(origin), path.string()));
    }
    DiskSpec disk = next_disk(in, disks, DiskCache::writeback);
    disk.image = in.absolute(path);
    disk.format = format.format;
    disk.data_file = path_of(facts.data_file);
    disk.backing = layers_of(facts);
    disks.push_back(std::move(disk));
}

bool named_device(const DecideInput& in) {
    return std::any_of(in.settings.disks.begin(), in.settings.disks.end(),
                       [](const std::filesystem::path& path) { return path.string().starts_with("/dev/"); });
}

// What only concerns a blank disk, where none is asked for.
void note_unused_size(const DecideInput& in, const DiskFrame& frame, Findings& findings) {
    if (in.origins.contains("disk-size") && !in.settings.blank_disk) {
        findings.note(fmt::format(
            "{} has no effect: it is the size of --blank-disk ({})", in.origin("disk-size"),
            named_device(in) ? "a block device has a size of its own" : "an image grows by qemu-img resize"));
    }
    if (frame.state_folder) {
        note_unused_disks(in, findings);
    }
}

void check_formats(const DecideInput& in, Findings& findings) {
    const std::size_t formats = in.settings.disk_formats.size();
    const std::size_t disks = in.settings.disks.size();
    if (formats > 1 && formats != disks) {
        findings.settings_fault(fmt::format("{}: {} formats for {} disk{}", in.origin("disk-format"), formats,
                                            disks, disks == 1 ? "" : "s"),
                                "", "give one for all, or one for each (auto: what qemu-img says)");
    } else if (disks == 0 && in.origins.contains("disk-format")) {
        findings.note(fmt::format("{} has no effect: it is the format of --disk's images, and there is none",
                                  in.origin("disk-format")));
    }
}

// q35's controller has six ports, pc's two with two places each; the CD-ROM takes one of them.
void check_bus(const DecideInput& in, const MachineChoice& machine, std::size_t disks, Findings& findings) {
    if (in.settings.disk_bus != DiskBus::sata || disks == 0) {
        return;
    }
    constexpr std::string_view hint = "use virtio, scsi, nvme or usb";
    const bool q35 = machine.family == MachineFamily::q35;
    const std::size_t places = q35 ? 6 : 4;
    if (machine.family == MachineFamily::virt) {
        findings.settings_fault(
            fmt::format("{}: {} has neither SATA nor IDE", in.origin("disk-bus"), machine.name), "",
            std::string{hint});
    } else if (disks + (in.settings.iso ? 1 : 0) > places) {
        findings.settings_fault(fmt::format("{}: {} has {} {}", in.origin("disk-bus"), machine.name, places,
                                            q35 ? "SATA ports" : "places for IDE devices"),
                                "", std::string{hint});
    }
}

}  // namespace

std::vector<DiskSpec> decide_disks(const DecideInput& in, const DiskFrame& frame, Findings& findings) {
    std::vector<DiskSpec> disks;
    check_formats(in, findings);
    for (std::size_t index = 0; index < in.settings.disks.size(); ++index) {
        add_image(in, index, disks, findings);
    }
    add_blank_disks(in, frame, disks, findings);
    note_unused_size(in, frame, findings);
    check_bus(in, frame.machine, disks.size(), findings);
    check_disk_settings(in, disks, findings);
    return disks;
}

namespace {

// "quay.io/containerdisks/fedora:40", "containerdisks/fedora:40" and "fedora", which Docker-VM-Runner
// fetches: a registry or a tag tells it, or that there is neither a folder nor a suffix.
bool is_image_reference(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::string_view registry = text.substr(0, slash);
    const std::string_view last = text.substr(text.rfind('/') + 1);
    if (text.starts_with('/') || text.starts_with('.') || text.ends_with(".iso") || text.ends_with(".img")) {
        return false;
    }
    return last.find(':') != std::string_view::npos ||
           (slash == std::string_view::npos ? last.find('.') == std::string_view::npos
                                            : registry.find_first_of(".:") != std::string_view::npos);
}

}  // namespace

std::optional<CdromSpec> decide_cdrom(const DecideInput& in, Findings& findings) {
    if (!in.settings.iso) {
        return std::nullopt;
    }
    if (in.facts.iso->kind == PathFacts::Kind::missing && is_image_reference(in.settings.iso->string())) {
        findings.settings_fault(
            fmt::format("{}: there is no file {}", in.origin("iso"), in.settings.iso->string()),
            "vm-launch fetches no images from a registry",
            "name a local CD-ROM image, or the disk image of that container by --disk PATH");
        return std::nullopt;
    }
    if (!check_path(in, {"iso", *in.settings.iso, *in.facts.iso}, findings)) {
        return std::nullopt;
    }
    const ContentFault content = fault_of_cd(in.facts.iso_content, *in.settings.iso);
    if (!content.why.empty()) {
        findings.host_fault(fmt::format("{}: cannot use {}", in.origin("iso"), in.settings.iso->string()),
                            content.why, content.hint);
        return std::nullopt;
    }
    return CdromSpec{in.absolute(*in.settings.iso)};
}

}  // namespace vml
