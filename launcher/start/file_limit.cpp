#include "launcher/start/file_limit.h"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>
#include <sys/resource.h>

#include "launcher/start/files.h"

namespace vml {

namespace {

// The child has each descriptor twice for a moment, the second time above the numbers that are wanted. Beside
// them vm-launch has its own ends, and what it was started with.
rlim_t needed_for(const std::vector<PlannedFd>& fds) {
    constexpr rlim_t others = 128;
    int highest = 0;
    for (const PlannedFd& fd : fds) {
        highest = std::max(highest, fd.number);
    }
    return static_cast<rlim_t>(highest) + fds.size() + others;
}

}  // namespace

void allow_open_files(const std::vector<PlannedFd>& fds) {
    const std::string what = fmt::format("cannot open the {} files that QEMU is given", fds.size());
    const rlim_t needed = needed_for(fds);
    rlimit limit{};
    if (::prlimit(0, RLIMIT_NOFILE, nullptr, &limit) != 0) {
        throw failed(what, errno, "");
    }
    if (limit.rlim_cur >= needed) {
        return;
    }
    if (limit.rlim_max < needed) {
        throw Error{
            {what, fmt::format("the hard limit of open files is {}", limit.rlim_max),
             fmt::format("raise it to {}: ulimit -Hn, LimitNOFILE= of a systemd unit, --ulimit nofile= of a "
                         "container; or ask for fewer queues (--nic-queues)",
                         needed),
             ExitCode::host}};
    }
    limit.rlim_cur = needed;
    if (::prlimit(0, RLIMIT_NOFILE, &limit, nullptr) != 0) {
        throw failed(what, errno, "");
    }
}

}  // namespace vml
