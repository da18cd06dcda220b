#include "netserve/tftp_file.h"

#include <memory>
#include <string>
#include <utility>

#include <unistd.h>

namespace vml::serve {

TftpFile tftp_file(FoundFile found) {
    if (!found.fd) {
        return {0, {}, found.error};
    }
    // A std::function is copied.
    const auto fd = std::make_shared<OwnedFd>(std::move(found.fd));
    return {found.size,
            [fd](std::uint64_t offset, std::size_t count) -> std::optional<std::string> {
                std::string bytes(count, '\0');
                const ssize_t read = ::pread(fd->get(), bytes.data(), count, static_cast<off_t>(offset));
                if (read < 0) {
                    return std::nullopt;
                }
                bytes.resize(static_cast<std::size_t>(read));
                return bytes;
            },
            0};
}

}  // namespace vml::serve
