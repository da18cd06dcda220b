#include "launcher/start/shared_files.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/error.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

std::optional<struct stat> status_of_file(const fs::path& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? std::optional{status} : std::nullopt;
}

bool may_be_shared(const struct stat& status) {
    return !S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode);
}

bool is_same_file(const FileOfSetting& one, const FileOfSetting& other) {
    const auto first = status_of_file(one.path);
    const auto second = status_of_file(other.path);
    if ((first && may_be_shared(*first)) || (second && may_be_shared(*second))) {
        return false;
    }
    if (first && second) {
        const bool one_device = S_ISBLK(first->st_mode) && S_ISBLK(second->st_mode);
        return one_device ? first->st_rdev == second->st_rdev
                          : first->st_dev == second->st_dev && first->st_ino == second->st_ino;
    }
    std::error_code ignored;
    const fs::path real = fs::weakly_canonical(fs::absolute(one.path, ignored), ignored);
    return !real.empty() && real == fs::weakly_canonical(fs::absolute(other.path, ignored), ignored);
}

}  // namespace

void refuse_shared_files(const std::vector<FileOfSetting>& written, const std::vector<FileOfSetting>& read) {
    std::vector<Fault> faults;
    for (auto file = written.begin(); file != written.end(); ++file) {
        std::vector<FileOfSetting> others(std::next(file), written.end());
        others.insert(others.end(), read.begin(), read.end());
        const auto other = std::find_if(others.begin(), others.end(), [&](const FileOfSetting& named) {
            return is_same_file(*file, named);
        });
        if (other != others.end()) {
            faults.push_back(
                {fmt::format("{}: cannot write to {}", file->origin, file->path.string()),
                 fmt::format("it is the same file as {} of {}", other->path.string(), other->origin),
                 "name a file for each of them", ExitCode::settings});
        }
    }
    if (!faults.empty()) {
        throw Error{std::move(faults)};
    }
}

}  // namespace vml
