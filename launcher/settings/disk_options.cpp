#include "launcher/settings/disk_options.h"

#include <filesystem>
#include <string>

#include <fmt/format.h>

#include "launcher/settings/machine_options.h"
#include "launcher/settings/tidy.h"

namespace vml {

Amount parse_disk_size(std::string_view text) {
    constexpr std::uint64_t sector = 512;
    constexpr SizeRange range{30, sector, std::uint64_t{1} << 50, "a size with M, G or T, half or max",
                              "512 bytes to 1024T"};
    if (const auto share = choice_named<Share>(lower(trimmed(text)))) {
        return {{}, share};
    }
    return {parse_size(text, range) / sector * sector, {}};
}

std::vector<DiskFormat> parse_disk_formats(std::string_view text) {
    std::vector<DiskFormat> formats;
    for (const std::string& part : split_list(text)) {
        formats.push_back(parse_choice<DiskFormat>(part));
    }
    if (formats.empty()) {
        throw not_one_of(text, choice_names<DiskFormat>());
    }
    return formats;
}

std::optional<std::string> stated_format(const Settings& settings, std::size_t disk) {
    const std::vector<DiskFormat>& formats = settings.disk_formats;
    const std::size_t place = formats.size() == 1 ? 0 : disk;
    if (place >= formats.size() || formats[place] == DiskFormat::automatic) {
        return std::nullopt;
    }
    return std::string{to_string(formats[place])};
}

namespace {

// BOOT_FROM of Docker-VM-Runner takes more than a file.
std::filesystem::path parse_iso(std::string_view text) {
    if (text == "blank") {
        throw ValueError{"'blank' names no CD-ROM image", "an empty disk is --blank-disk (BLANK_DISK=1)"};
    }
    if (text.starts_with("file://")) {
        throw ValueError{fmt::format("'{}' is a URL, and no path", visible(text)),
                         "write the path alone, without file://"};
    }
    if (text.find("://") != std::string_view::npos) {
        throw ValueError{fmt::format("vm-launch fetches no images: '{}'", visible(text)),
                         "give a local file, or boot from the network (--bootfile URL)"};
    }
    return parse_text(text);
}

bool is_boolean_word(std::string_view text) {
    return choice_named<bool>(lower(trimmed(text))).has_value();
}

// Docker-VM-Runner and qemu-img take a size where a disk is made.
bool parse_blank_disk(std::string_view text) {
    if (!is_boolean_word(text) && text.find_first_of("0123456789") == 0) {
        throw invalid_value(text, listed(choice_names<bool>()),
                            fmt::format("how large it is says --disk-size={}", text));
    }
    return parse_value<bool>(text);
}

bool parse_persist(std::string_view text) {
    if (!is_boolean_word(text) && text.find('/') != std::string_view::npos) {
        throw invalid_value(text, listed(choice_names<bool>()),
                            fmt::format("the folder to keep things in is --data-dir={}", text));
    }
    return parse_value<bool>(text);
}

std::filesystem::path parse_user_data(std::string_view text) {
    if (is_user_data_text(text)) {
        throw ValueError{"the setting takes the path of a file, not the user data itself",
                         "write it to a file, and name that (in a container, one that is mounted)"};
    }
    return parse_text(text);
}

// Several keys have a line each, so what surrounds the value is not cut before it is understood.
std::string parse_ssh_keys(std::string_view text) {
    return parse_text(within_surroundings(text));
}

std::vector<OptionRow> image_options() {
    return {
        of_kind(ValueKind::file, repeated_option<&Settings::disks, parse_text>(
                                     {"disk", "DISK", "PATH", "none",
                                      "a disk image, raw or qcow2 (others: --disk-format); may be repeated "
                                      "(in the environment: DISK, "
                                      "DISK2, DISK3, …; DEVICE, DEVICE2, … are more of them)",
                                      "DEVICE"})),
        adding_up(with_words<DiskFormat>(option<&Settings::disk_formats, parse_disk_formats>(
            {"disk-format", "DISK_FORMAT", "FORMAT", "what qemu-img says",
             "the format of every --disk, or of each in a comma list (auto,qcow2): {}; needed for a qcow2 "
             "image with a backing file and for what is neither raw nor qcow2"}))),
        option<&Settings::disk_bus>(
            {"disk-bus", "DISK_BUS", "BUS", "virtio", "what the disks sit on: {}", "DISK_TYPE"}),
        option<&Settings::disk_cache>({"disk-cache", "DISK_CACHE", "MODE",
                                       "writeback (unsafe for a blank disk that is not kept)", "{}"}),
        option<&Settings::disk_io>({"disk-io", "DISK_IO", "MODE", "QEMU's own, threads",
                                    "how QEMU reads and writes a disk: {}; native needs --disk-cache none or "
                                    "directsync, and without --disk-cache means none"}),
        option<&Settings::io_thread>({"io-thread", "IO_THREAD", "", "off",
                                      "virtio and scsi: the disks have a thread of QEMU's to themselves"}),
    };
}

std::vector<OptionRow> blank_disk_options() {
    return {
        option<&Settings::blank_disk, parse_blank_disk>(
            {"blank-disk", "BLANK_DISK", "", "off",
             "an empty disk of --disk-size, after those of --disk; gone when the VM "
             "ends, unless --persist keeps it"}),
        suggesting(choice_names<Share>, option<&Settings::disk_size, parse_disk_size>(
                                            {"disk-size", "DISK_SIZE", "SIZE", "20G",
                                             "the size of --blank-disk, or half or max of the room that "
                                             "there is when it is made; one that "
                                             "was kept grows to a size, and never shrinks"})),
        repeated_option<&Settings::extra_disks, parse_disk_size>(
            {"extra-disk", "DISK2_SIZE", "SIZE", "none",
             "a further empty disk of this size, kept as --blank-disk is; may be repeated (in the "
             "environment: DISK2_SIZE, DISK3_SIZE, …)"}),
        option<&Settings::on_io_error>({"on-io-error", "ON_IO_ERROR", "ACTION", "resume",
                                        "a guest that is paused because the host's file system is full: {}"}),
        option<&Settings::iso, parse_iso>({"iso", "BOOT_ISO", "PATH", "none", "a CD-ROM image", "BOOT_FROM"}),
        option<&Settings::force_iso>({"force-iso", "FORCE_ISO", "", "off",
                                      "boot the CD-ROM before any disk; without, a disk that boots comes "
                                      "first, as one does on which the CD-ROM has installed a system"}),
    };
}

std::vector<OptionRow> guest_data_options() {
    return {
        option<&Settings::cloud_init>({"cloud-init", "CLOUD_INIT", "",
                                       "on with --user-data, --ssh-pubkey or --guest-password, else off",
                                       "a seed for cloud-init (NoCloud) on a disk of its own"}),
        option<&Settings::user_data, parse_user_data>(
            {"user-data", "CLOUD_INIT_USER_DATA", "FILE", "none", "cloud-init's user data"}),
        option<&Settings::cloud_init_url>(
            {"cloud-init-url", "CLOUD_INIT_URL", "URL", "none",
             "no seed, but a word in SMBIOS by which the guest fetches its own from URL/user-data and "
             "URL/meta-data"}),
        option<&Settings::hostname, parse_host_name>(
            {"hostname", "GUEST_HOSTNAME", "NAME", "the VM's name", "cloud-init: the guest's host name"}),
        with_lines(of_kind(ValueKind::file, option<&Settings::ssh_public_key, parse_ssh_keys>(
                                                {"ssh-pubkey", "SSH_PUBKEY", "KEY", "none",
                                                 "cloud-init: a public key that may log in as the image's "
                                                 "own user, or a file with such keys"}))),
        secret(option<&Settings::guest_password>(
            {"guest-password", "GUEST_PASSWORD", "PASSWORD", "none",
             "cloud-init: the password of the image's own user, by ssh too; "
             "the word password gets another one, "
             "made up and told at the start"})),
        of_kind(ValueKind::folder, option<&Settings::data_dir>(
                                       {"data-dir", "DATA_DIR", "DIR", "/data where it is mounted, else none",
                                        "where --persist keeps things, in a folder of the VM's name"})),
        option<&Settings::persist, parse_persist>(
            {"persist", "PERSIST", "", "on where there is a data folder",
             "keep the blank disk, the UEFI variables and what --boot-once has done for the next start"}),
        option<&Settings::reset_nvram>(
            {"reset-nvram", "RESET_NVRAM", "", "off",
             "make the UEFI variables that were kept anew, as other firmware than theirs needs it"}),
    };
}

}  // namespace

std::vector<OptionRow> disk_options() {
    std::vector<OptionRow> rows = image_options();
    for (const auto& part : {blank_disk_options(), guest_data_options()}) {
        rows.insert(rows.end(), part.begin(), part.end());
    }
    return rows;
}

}  // namespace vml
