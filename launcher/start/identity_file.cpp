#include "launcher/start/identity_file.h"

#include <string>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/fd.h"
#include "launcher/start/files.h"
#include "launcher/start/new_file.h"

namespace vml {

void keep_identity(const IdentityToKeep& identity) {
    constexpr mode_t readable = 0644;
    const std::string text = identity.text + "\n";
    const OwnedFd folder{::open(identity.file.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    try {
        NewFile file{folder.get(), identity.file.filename().string(), readable};
        if (const int error = write_whole(file.fd(), text, 0); error != 0) {
            throw std::system_error{error, std::generic_category()};
        }
        static_cast<void>(file.keep());
    } catch (const std::system_error& error) {
        throw Error{{fmt::format("cannot write {}", identity.file.string()), errno_text(error.code().value()),
                     "the folder of --data-dir must be writable, with room in it; --no-persist does without",
                     ExitCode::host}};
    }
}

}  // namespace vml
