#include "launcher/host/offered_file.h"

#include <cerrno>
#include <cstdint>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/host/data_files.h"

namespace vml {

namespace fs = std::filesystem;

// Root is nobody special then; others have no privileges to begin with.
int plain_read_obstacle(const fs::path& path, mode_t needed) {
    if (::geteuid() != 0) {
        const int wanted = ((needed & S_IROTH) != 0 ? R_OK : 0) | ((needed & S_IXOTH) != 0 ? X_OK : 0);
        return ::access(path.c_str(), wanted) == 0 ? 0 : errno;
    }
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        return errno;
    }
    const mode_t own = status.st_uid == ::geteuid() ? needed << 6U : needed;
    return (status.st_mode & own) == own ? 0 : EACCES;
}

OfferedFile look_at_offered(const fs::path& path) {
    constexpr mode_t enter = S_IXOTH;
    OfferedFile file{look_at(path, O_RDONLY), {}, 0, 0};
    std::error_code error;
    file.real = fs::canonical(path, error);
    if (!error) {
        const int folder = plain_read_obstacle(file.real.parent_path(), enter);
        file.http_error = folder != 0 ? folder : plain_read_obstacle(file.real, S_IROTH);
        const std::uintmax_t size = fs::file_size(file.real, error);
        file.size = error ? 0 : size;
    }
    return file;
}

}  // namespace vml
