#include "launcher/host/image_probe.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/host/asked_program.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

// Every header that QEMU probes for, with what it needs to be opened, lies in the first cluster, of at most
// 2 MiB (QEMU docs/interop/qcow2.txt), or region (VHDX).
constexpr std::size_t head_size = std::size_t{4} << 20;
constexpr int probe_fd = 3;  // of the child

// A file in memory as long as the image, with the image's beginning and holes for the rest.
OwnedFd copy_of_head(int image, off_t size, const std::optional<RunUser>& user) {
    OwnedFd copy{::memfd_create("vm-launch", MFD_CLOEXEC)};
    std::vector<char> head(head_size);
    const ssize_t got = ::pread(image, head.data(), head.size(), 0);
    const bool done =
        copy && got >= 0 && ::pwrite(copy.get(), head.data(), static_cast<std::size_t>(got), 0) == got &&
        ::ftruncate(copy.get(), size) == 0 && (!user || ::fchown(copy.get(), user->uid, user->gid) == 0);
    return done ? std::move(copy) : OwnedFd{};
}

ImageFacts ask_about(const fs::path& program, const fs::path& image, int fd, off_t size,
                     const std::optional<RunUser>& user) {
    OwnedFd copy = copy_of_head(fd, size, user);
    if (!copy) {
        return {.fault = unknown_format(image, errno_text(errno))};
    }
    SpawnRequest request{program, {"info", "--output=json", "-U", fmt::format("/proc/self/fd/{}", probe_fd)}};
    request.inherited = {{copy.get(), probe_fd}};
    request.user = user;
    return image_facts_in(answer_of(std::move(request)), image);
}

}  // namespace

ImageFacts probe_image(const std::optional<fs::path>& program, const fs::path& image,
                       const std::optional<RunUser>& user) {
    const OwnedFd fd{::open(image.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) {
        return {.fault = unknown_format(image, errno_text(errno))};
    }
    if (S_ISBLK(status.st_mode)) {
        return {.format = "raw"};
    }
    if (!program) {
        return {.fault = Fault{"qemu-img, which tells an image's format, is not installed",
                               "it is in no folder of $PATH",
                               "apt-get install qemu-utils, or say --disk-format raw, or --disk-format qcow2",
                               ExitCode::host}};
    }
    try {
        return ask_about(*program, image, fd.get(), status.st_size, user);
    } catch (const Error& error) {
        return {.fault = error.faults().front()};
    }
}

}  // namespace vml
