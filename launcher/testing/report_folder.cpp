#include "launcher/testing/report_folder.h"

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

void make_folder(const fs::path& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error || ::access(path.c_str(), W_OK | X_OK) != 0) {
        throw Error{{fmt::format("--report: cannot write into {}", path.string()),
                     error ? error.message() : errno_text(errno),
                     "test writes a folder: name one, or one to be made", ExitCode::host}};
    }
}

fs::path temporary_folder(const std::string& temporary) {
    std::string path = (fs::path{temporary.empty() ? "/tmp" : temporary} / "vm-launch-test-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) {
        throw Error{{fmt::format("cannot make a folder for reports, {}", path), errno_text(errno),
                     "name one by --report DIR", ExitCode::host}};
    }
    return path;
}

void refuse_comma(const fs::path& path, std::string_view origin) {
    if (path.string().find(',') != std::string::npos) {
        throw Error{{fmt::format("{}: {} has a comma", origin, path.string()),
                     "a comma parts one report of a VM from the next", "name another folder",
                     ExitCode::settings}};
    }
}

OwnedFd emptied(const fs::path& path) {
    return OwnedFd{::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
}

}  // namespace

ReportFolder::ReportFolder(const std::optional<fs::path>& wanted, const std::string& temporary)
    : keeps_{wanted.has_value()} {
    refuse_comma(wanted.value_or(temporary), wanted ? "--report" : "$TMPDIR");
    if (wanted) {
        make_folder(*wanted);
        path_ = *wanted;
    } else {
        path_ = temporary_folder(temporary);
    }
}

ReportFolder::~ReportFolder() {
    if (!keeps_) {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
}

void claim_result_file(const fs::path& path, std::string_view origin) {
    if (!emptied(path)) {
        throw Error{{fmt::format("{}: cannot write {}", origin, path.string()), errno_text(errno),
                     "check the folder and its mode", ExitCode::host}};
    }
}

void write_result_file(const fs::path& path, std::string_view text) {
    const OwnedFd file = emptied(path);
    bool good = static_cast<bool>(file);
    while (good && !text.empty()) {
        const ssize_t written = ::write(file.get(), text.data(), text.size());
        good = written > 0;
        text.remove_prefix(good ? static_cast<std::size_t>(written) : 0);
    }
    if (!good) {
        throw Error{{fmt::format("cannot write {}", path.string()), errno_text(errno), "", ExitCode::report}};
    }
}

}  // namespace vml
