#include "launcher/start/identity_file.h"

#include <cerrno>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

namespace vml {

void keep_identity(const IdentityToKeep& identity) {
    constexpr mode_t readable = 0644;
    const std::string text = identity.text + "\n";
    const std::string unfinished = identity.file.string() + ".new";
    OwnedFd file{::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, readable)};
    if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::rename(unfinished.c_str(), identity.file.c_str()) != 0) {
        throw Error{{fmt::format("cannot write {}", identity.file.string()), errno_text(errno),
                     "the folder of --data-dir must be writable, with room in it; --no-persist does without",
                     ExitCode::host}};
    }
}

}  // namespace vml
