#include "launcher/host/data_files.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "launcher/host/file_head.h"
#include "launcher/host/system_facts.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

PathFacts::Kind kind_of(mode_t mode) {
    if (S_ISDIR(mode)) {
        return PathFacts::Kind::folder;
    }
    // A block device is as good a disk as a file.
    return S_ISREG(mode) || S_ISBLK(mode) ? PathFacts::Kind::file : PathFacts::Kind::other;
}

// Linux 5.8 and later tell (statx(2)).
bool is_mount_point(const char* folder) {
    struct statx facts {};
    return ::statx(AT_FDCWD, folder, 0, STATX_TYPE, &facts) == 0 &&
           (facts.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

// Nothing where no such file is.
std::optional<StoreFacts> look_at_store(const fs::path& file, int flags) {
    const OwnedFd fd{::open(file.c_str(), flags | O_CLOEXEC | O_NONBLOCK)};
    if (!fd) {
        return errno == ENOENT ? std::nullopt : std::optional{StoreFacts{.open_error = errno}};
    }
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) {
        return StoreFacts{.open_error = errno};
    }
    return StoreFacts{.size = static_cast<std::uint64_t>(status.st_size),
                      .content = rom::read_variable_store(bytes_of(head_of(file, rom::most_of_a_store)))};
}

// Partition tables, boot sectors and file systems all begin within the first MiB.
bool begins_with_zeros(const fs::path& disk) {
    constexpr std::size_t looked_at = std::size_t{1} << 20;
    return head_of(disk, looked_at).find_first_not_of('\0') == std::string::npos;
}

// The blank disks in a VM's folder, by name.
std::vector<KeptDiskFacts> look_for_kept_disks(const fs::path& state,
                                               bool (*is_one)(std::string_view) = is_kept_disk) {
    std::vector<KeptDiskFacts> disks;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator{state, none}) {
        struct stat status {};
        const std::string name = entry.path().filename();
        if (is_one(name) && ::stat(entry.path().c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
            disks.push_back({name, static_cast<std::uint64_t>(status.st_size),
                             status.st_blocks > 0 && !begins_with_zeros(entry.path())});
        }
    }
    std::sort(disks.begin(), disks.end(),
              [](const KeptDiskFacts& left, const KeptDiskFacts& right) { return left.name < right.name; });
    return disks;
}

bool keeps_something(const fs::path& state) {
    std::error_code none;
    return fs::exists(state / nvram_file, none) || fs::exists(state / tpm_state_file, none) ||
           fs::exists(state / first_boot_mark, none) || !look_for_kept_disks(state).empty() ||
           !look_for_kept_disks(state, is_extra_kept_disk).empty();
}

// VMs that keep something, where this one has no folder yet.
std::vector<std::string> look_for_others(const fs::path& data, const fs::path& state) {
    std::vector<std::string> names;
    std::error_code none;
    if (fs::exists(state, none)) {
        return names;
    }
    for (const auto& entry : fs::directory_iterator{data, none}) {
        if (keeps_something(entry.path())) {
            names.push_back(entry.path().filename());
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

// The one that an earlier container left which had no name of its own; with several, nobody knows which is
// meant.
std::optional<std::string> only_random(const std::vector<std::string>& names) {
    const auto random = [](const std::string& name) { return is_random_name(name); };
    return std::count_if(names.begin(), names.end(), random) == 1
               ? std::optional{*std::find_if(names.begin(), names.end(), random)}
               : std::nullopt;
}

std::optional<TpmStateFacts> look_at_tpm(const fs::path& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) {
        return std::nullopt;
    }
    TpmStateFacts facts{static_cast<std::uint64_t>(status.st_size), head_of(file, most_of_a_tpm_header)};
    const bool unreadable = facts.size > 0 && facts.head.empty();  // which is told when it is opened
    return unreadable ? std::nullopt : std::optional{std::move(facts)};
}

// FNV-1a (draft-eastlake-fnv): equal for equal content, and for no other by accident.
std::string digest_of(std::string_view content) {
    constexpr std::uint64_t prime = 0x100000001b3;
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char byte : content) {
        hash = (hash ^ static_cast<unsigned char>(byte)) * prime;
    }
    return fmt::format("fnv1a64:{:016x}", hash);
}

}  // namespace

PathFacts look_at(const fs::path& path, int flags) {
    PathFacts facts;
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        facts.open_error = errno;
        return facts;
    }
    facts.kind = kind_of(status.st_mode);
    facts.id = S_ISBLK(status.st_mode) ? FileId{status.st_rdev, 0} : FileId{status.st_dev, status.st_ino};
    const OwnedFd fd{::open(path.c_str(), flags | exclusively(path, flags) | O_CLOEXEC | O_NONBLOCK)};
    facts.open_error = fd ? 0 : errno;
    return facts;
}

std::optional<DataFacts> look_for_data(const Settings& settings, const DefaultName& default_name) {
    constexpr const char* usual_folder = "/data";
    if (!settings.data_dir && !is_mount_point(usual_folder)) {
        return std::nullopt;
    }
    DataFacts data;
    data.folder = settings.data_dir.value_or(usual_folder);
    data.path = look_at(data.folder, O_RDONLY);
    fs::path state = data.folder / settings.name.value_or(default_name.text);
    data.others = look_for_others(data.folder, state);
    data.earlier = !settings.name && default_name.lasting ? only_random(data.others) : std::nullopt;
    if (data.earlier) {
        state = data.folder / *data.earlier;
        data.others.clear();
    }
    std::error_code ignored;
    data.first_boot_done = fs::exists(state / first_boot_mark, ignored);
    data.disks = look_for_kept_disks(state);
    data.extra_disks = look_for_kept_disks(state, is_extra_kept_disk);
    if (const auto identity = read_file(data.folder / identity_file)) {
        data.identity = std::string{trimmed(*identity)};
    }
    data.nvram = look_at_store(state / nvram_file, O_RDWR);
    data.nvram_origin = read_file(state / nvram_origin_file);
    data.tpm = look_at_tpm(state / tpm_state_file);
    return data;
}

std::optional<StoreFacts> look_at_template(const UefiFirmware& firmware) {
    if (firmware.vars_format != "raw") {
        return std::nullopt;
    }
    std::optional<StoreFacts> facts = look_at_store(firmware.vars_template, O_RDONLY);
    if (facts && facts->open_error == 0) {
        facts->digest = digest_of(head_of(firmware.vars_template, rom::most_of_a_store));
    }
    return facts;
}

}  // namespace vml
