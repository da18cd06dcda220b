#include "launcher/vm/kept_disk.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace vml {

namespace {

std::vector<std::string> names_with_data(const std::vector<KeptDiskFacts>& files, std::string_view but) {
    std::vector<std::string> names;
    for (const KeptDiskFacts& file : files) {
        if (file.holds_data && file.name != but) {
            names.push_back(file.name);
        }
    }
    return names;
}

// The file of the name that this vm-launch gives, unless it is empty and an old one is not; else the only old
// one that holds data, else any old one.
std::vector<KeptDiskFacts>::const_iterator best_of(const std::vector<KeptDiskFacts>& files) {
    const auto of_today = std::find_if(files.begin(), files.end(),
                                       [](const KeptDiskFacts& file) { return file.name == kept_disk_file; });
    const auto with_data =
        std::find_if(files.begin(), files.end(), [](const KeptDiskFacts& file) { return file.holds_data; });
    if (of_today != files.end() && (of_today->holds_data || with_data == files.end())) {
        return of_today;
    }
    return with_data == files.end() ? files.begin() : with_data;
}

bool has_file_of_today(const std::vector<KeptDiskFacts>& files) {
    return std::any_of(files.begin(), files.end(),
                       [](const KeptDiskFacts& file) { return file.name == kept_disk_file; });
}

constexpr std::string_view raw_suffix = ".raw";

// Of "disk12.raw" behind "disk" the 12.
std::optional<unsigned> number_between(std::string_view prefix, std::string_view file_name) {
    if (!file_name.starts_with(prefix) || !file_name.ends_with(raw_suffix) ||
        file_name.size() <= prefix.size() + raw_suffix.size()) {
        return std::nullopt;
    }
    file_name.remove_prefix(prefix.size());
    file_name.remove_suffix(raw_suffix.size());
    return whole_number<unsigned>(file_name);
}

}  // namespace

bool is_kept_disk(std::string_view file_name) {
    return file_name == kept_disk_file || number_between("disk", file_name).has_value();
}

std::string extra_kept_file(std::size_t index) {
    return fmt::format("blank{}{}", index + 2, raw_suffix);
}

bool is_extra_kept_disk(std::string_view file_name) {
    return number_between("blank", file_name).value_or(0) > 1;
}

KeptDiskChoice choose_kept_disk(const std::vector<KeptDiskFacts>& files) {
    const auto best = best_of(files);
    if (best == files.end()) {
        return {std::string{kept_disk_file}, std::nullopt, {}, {}};
    }
    std::vector<std::string> others = names_with_data(files, best->name);
    if (best->name != kept_disk_file && !others.empty()) {
        return {"", std::nullopt, names_with_data(files, ""), {}};
    }
    const bool passed_over = best->name != kept_disk_file && has_file_of_today(files);
    return {best->name, *best, {}, std::move(others), passed_over};
}

std::string size_words(std::uint64_t bytes) {
    constexpr std::array<std::pair<char, unsigned>, 4> units{{{'T', 40}, {'G', 30}, {'M', 20}, {'K', 10}}};
    for (const auto& [letter, power] : units) {
        const std::uint64_t unit = std::uint64_t{1} << power;
        if (bytes >= unit && bytes % unit == 0) {
            return fmt::format("{}{}", bytes / unit, letter);
        }
    }
    return fmt::format("{} bytes", bytes);
}

}  // namespace vml
