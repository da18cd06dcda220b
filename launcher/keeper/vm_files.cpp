#include "launcher/keeper/vm_files.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>

#include "launcher/start/kept_files.h"

namespace vml {

namespace {

// An open folder, by a name.
Reach reach_of(const OwnedFd& folder, FileUse use) {
    return {fmt::format("/proc/self/fd/{}", folder.get()), use};
}

}  // namespace

serve::FoundFile OwnVmFiles::open_served(const std::string& name) {
    return serve::open_in(files_.served, name);
}

BegunReport OwnVmFiles::begin_report(std::size_t number) {
    if (number >= files_.reports.size() || begun_.contains(number)) {
        return {OwnedFd{}, EINVAL};
    }
    try {
        const GrowingReport& report = begun_.try_emplace(number, files_.reports[number]).first->second;
        BegunReport begun{OwnedFd{::fcntl(report.fd(), F_DUPFD_CLOEXEC, 0)}};
        begun.error = begun.fd ? 0 : errno;
        return begun;
    } catch (const std::system_error& error) {
        return {OwnedFd{}, error.code().value()};
    }
}

int OwnVmFiles::write_report(std::size_t number, std::string_view text) {
    if (number >= files_.reports.size()) {
        return EINVAL;
    }
    const auto begun = begun_.find(number);
    if (begun == begun_.end()) {
        return vml::write_report(files_.reports[number], text);
    }
    int error = 0;
    try {
        begun->second.finish(text);
    } catch (const std::system_error& thrown) {
        error = thrown.code().value();
    }
    begun_.erase(begun);
    return error;
}

int OwnVmFiles::mark_first_boot() {
    return write_first_boot_mark(files_.state_folder.get());
}

std::vector<Reach> OwnVmFiles::reach() const {
    std::vector<Reach> reach;
    for (const ReportFile& report : files_.reports) {
        if (report.folder) {
            reach.push_back(reach_of(report.folder, FileUse::change));
        }
    }
    if (files_.state_folder) {
        reach.push_back(reach_of(files_.state_folder, FileUse::change));
    }
    if (files_.served.folder) {
        reach.push_back(reach_of(files_.served.folder, FileUse::read));
    }
    for (const serve::Content::File& file : files_.served.files) {
        if (!file.below.empty()) {
            reach.push_back(reach_of(file.fd, FileUse::read));
        }
    }
    for (const control::Folder& folder : folders_) {
        const std::filesystem::path path = folder.path;
        reach.push_back({path, FileUse::change});
        reach.push_back({path.parent_path(), FileUse::prune});
    }
    return reach;
}

}  // namespace vml
