// The blank disk that a VM keeps between runs: which of the files in its folder it is. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vml {

// Its name. An older vm-launch numbered it by how many images came before it: disk0.raw, disk1.raw, …
inline constexpr std::string_view kept_disk_file = "blank.raw";
[[nodiscard]] bool is_kept_disk(std::string_view file_name);
// Of the further blank disks, by their place among them from 0 on: "blank2.raw", "blank3.raw", …
[[nodiscard]] std::string extra_kept_file(std::size_t index);
[[nodiscard]] bool is_extra_kept_disk(std::string_view file_name);

struct KeptDiskFacts {
    std::string name;        // in the VM's folder
    std::uint64_t size = 0;  // bytes
    bool holds_data = false;

    bool operator==(const KeptDiskFacts&) const = default;
};

struct KeptDiskChoice {
    std::string name;                           // of the file that is used, or is to be made
    std::optional<KeptDiskFacts> found;         // none: it is to be made
    std::vector<std::string> rivals;            // more than one old file holds data: none is chosen
    std::vector<std::string> others_with_data;  // than the one that is used
    bool empty_passed_over = false;             // the file of today's name, for an old one that holds data

    bool operator==(const KeptDiskChoice&) const = default;
};
[[nodiscard]] KeptDiskChoice choose_kept_disk(const std::vector<KeptDiskFacts>& files);

// "64M", as --disk-size takes it, or "1000 bytes".
[[nodiscard]] std::string size_words(std::uint64_t bytes);

}  // namespace vml
