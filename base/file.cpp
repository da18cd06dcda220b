#include "base/file.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/read_buffer.h"

namespace vml {

std::optional<std::string> read_file(const std::filesystem::path& path, std::size_t most) {
    const OwnedFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file) {
        return std::nullopt;
    }
    std::string text;
    ReadBuffer<65536> chunk;
    ssize_t count = 0;
    while ((count = ::read(file.get(), chunk.data(), chunk.size())) != 0) {
        if (count < 0 && errno != EINTR) {
            return std::nullopt;
        }
        text.append(chunk.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
        if (text.size() > most) {
            errno = EFBIG;
            return std::nullopt;
        }
    }
    return text;
}

int exclusively(const std::filesystem::path& path, int flags) {
    struct stat status {};
    const bool writes = (flags & O_ACCMODE) != O_RDONLY;
    return writes && ::stat(path.c_str(), &status) == 0 && S_ISBLK(status.st_mode) ? O_EXCL : 0;
}

}  // namespace vml
