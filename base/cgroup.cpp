#include "base/cgroup.h"

#include <algorithm>
#include <sstream>
#include <string>

#include "base/file.h"
#include "base/text.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t no_limit = std::uint64_t{1} << 60;  // version 1 writes "none" as nearly 2^63

void add_upwards(const fs::path& base, std::string_view group, std::vector<fs::path>& groups) {
    for (fs::path relative = fs::path{group}.relative_path(); !relative.empty();
         relative = relative.parent_path()) {
        groups.push_back(base / relative);
    }
    groups.push_back(base);
}

bool has_word(std::string_view list, std::string_view word) {
    const std::vector<std::string> words = split_list(list);
    return std::find(words.begin(), words.end(), word) != words.end();
}

std::vector<fs::path> own_groups() {
    return memory_groups(read_file("/proc/self/cgroup").value_or(""), "/sys/fs/cgroup");
}

std::optional<std::uint64_t> oom_kill_in(const std::string& text) {
    std::istringstream words{text};
    std::string word;
    std::uint64_t count = 0;
    while (words >> word) {
        if (word == "oom_kill" && words >> count) {
            return count;
        }
    }
    return std::nullopt;
}

}  // namespace

std::vector<fs::path> memory_groups(std::string_view proc_self_cgroup, const fs::path& root) {
    std::vector<fs::path> groups;
    std::istringstream lines{std::string{proc_self_cgroup}};
    for (std::string line; std::getline(lines, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first == std::string::npos ? first : first + 1);
        if (second == std::string::npos) {
            continue;
        }
        const std::string controllers = line.substr(first + 1, second - first - 1);
        const std::string group = line.substr(second + 1);
        if (has_word(controllers, "memory")) {
            add_upwards(root / "memory", group, groups);
        } else if (controllers.empty() && line.starts_with("0:")) {
            add_upwards(root, group, groups);
        }
    }
    return groups;
}

std::optional<std::uint64_t> memory_limit() {
    return memory_limit_of(own_groups());
}

std::optional<std::uint64_t> memory_limit_of(const std::vector<fs::path>& groups) {
    std::optional<std::uint64_t> lowest;
    for (const fs::path& group : groups) {
        for (const char* file : {"memory.max", "memory.limit_in_bytes"}) {
            const auto bytes = whole_number<std::uint64_t>(trimmed(read_file(group / file).value_or("")));
            if (bytes && *bytes < no_limit && (!lowest || *bytes < *lowest)) {
                lowest = bytes;
            }
        }
    }
    return lowest;
}

std::uint64_t out_of_memory_kills() {
    return out_of_memory_kills_of(own_groups());
}

std::uint64_t out_of_memory_kills_of(const std::vector<fs::path>& groups) {
    for (const fs::path& group : groups) {
        for (const char* file : {"memory.events", "memory.oom_control"}) {
            if (const auto count = oom_kill_in(read_file(group / file).value_or(""))) {
                return *count;
            }
        }
    }
    return 0;
}

}  // namespace vml
