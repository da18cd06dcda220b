#include <string>

#include <fmt/format.h>

#include "base/text.h"
#include "launcher/vm/decide_parts.h"
#include "launcher/vm/kept_disk.h"

namespace vml {

namespace {

// What is kept in the VM's folder; nothing where vm-launch knows none.
std::vector<KeptDiskFacts> files_of(const DecideInput& in) {
    return in.facts.data ? in.facts.data->disks : std::vector<KeptDiskFacts>{};
}

std::vector<KeptDiskFacts> extra_files_of(const DecideInput& in) {
    return in.facts.data ? in.facts.data->extra_disks : std::vector<KeptDiskFacts>{};
}

void refuse_rivals(const DecideInput& in, const std::filesystem::path& folder,
                   const std::vector<std::string>& rivals, Findings& findings) {
    findings.host_fault(
        fmt::format("{}: which is the blank disk that was kept in {}?", in.origin("blank-disk"),
                    folder.string()),
        fmt::format("{} hold data, each from a start with another number of --disk", listed(rivals, "and")),
        fmt::format("name the one to be used {}, and move the others away", kept_disk_file));
}

// The size that was asked for, where that is no less than what is there. A share is of the room that there is
// when a disk is made.
std::uint64_t size_of_found(const DecideInput& in, const AskedSize& asked, const std::filesystem::path& file,
                            const KeptDiskFacts& found, Findings& findings) {
    if (found.size == 0) {
        return asked.bytes;
    }
    if (!in.origins.contains(asked.flag) || asked.amount.share || asked.bytes == found.size) {
        return found.size;
    }
    if (asked.bytes < found.size) {
        findings.settings_fault(
            fmt::format("{}: cannot make the disk that was kept smaller", in.origin(asked.flag)),
            fmt::format("{} has {}, {} is asked for, and what the guest has at its end would be lost",
                        file.string(), size_words(found.size), size_words(asked.bytes)),
            fmt::format("leave it out, or say {}; to begin with an empty disk, move the file away",
                        size_words(found.size)));
        return found.size;
    }
    findings.note(
        fmt::format("the disk that was kept, {}, grows from {} to {}: its partitions are the guest's "
                    "to grow",
                    file.string(), size_words(found.size), size_words(asked.bytes)));
    return asked.bytes;
}

}  // namespace

KeptDisk decide_kept_disk(const DecideInput& in, const AskedSize& asked,
                          const std::filesystem::path& state_folder, Findings& findings) {
    const KeptDiskChoice choice = choose_kept_disk(files_of(in));
    if (!choice.rivals.empty()) {
        refuse_rivals(in, state_folder, choice.rivals, findings);
        return {};
    }
    if (!choice.others_with_data.empty()) {
        findings.note(
            fmt::format("the blank disk is {}; {} in the same folder, which an older vm-launch kept, "
                        "is not used",
                        choice.name, listed(choice.others_with_data, "and")));
    }
    if (choice.empty_passed_over) {
        findings.note(
            fmt::format("the blank disk is {}, which holds data; {} beside it is empty: remove it, and "
                        "give the other its name",
                        choice.name, kept_disk_file));
    }
    KeptDisk kept{state_folder / choice.name, asked.bytes};
    if (choice.found) {
        kept.size = size_of_found(in, asked, kept.file, *choice.found, findings);
    }
    return kept;
}

KeptDisk decide_extra_kept_disk(const DecideInput& in, const AskedSize& asked, std::size_t index,
                                const std::filesystem::path& state_folder, Findings& findings) {
    const std::string name = extra_kept_file(index);
    KeptDisk kept{state_folder / name, asked.bytes};
    for (const KeptDiskFacts& file : extra_files_of(in)) {
        if (file.name == name) {
            kept.size = size_of_found(in, asked, kept.file, file, findings);
        }
    }
    return kept;
}

namespace {

// With what would use it.
void note_unused_disk(const std::vector<std::string>& names, std::string_view by, Findings& findings) {
    if (!names.empty()) {
        findings.note(
            fmt::format("the disk that was kept ({}) is not used: {} would", listed(names, "and"), by));
    }
}

}  // namespace

void note_unused_disks(const DecideInput& in, Findings& findings) {
    std::vector<std::string> names;
    for (const KeptDiskFacts& file : files_of(in)) {
        if (file.holds_data) {
            names.push_back(file.name);
        }
    }
    note_unused_disk(in.settings.blank_disk ? std::vector<std::string>{} : names, "--blank-disk", findings);
    names.clear();
    for (const KeptDiskFacts& file : extra_files_of(in)) {
        bool used = false;
        for (std::size_t index = 0; index < in.settings.extra_disks.size(); ++index) {
            used = used || file.name == extra_kept_file(index);
        }
        if (file.holds_data && !used) {
            names.push_back(file.name);
        }
    }
    note_unused_disk(names, "--extra-disk", findings);
}

}  // namespace vml
