// What of a lock file is locked (F_OFD_SETLK, fcntl(2): ranges, also behind the end of the file). Makes
// system calls.
#pragma once

#include <fcntl.h>
#include <unistd.h>

namespace vml::control {

// Locked as long as its owner lives.
inline constexpr off_t life_byte = 0;
// Locked for the moment in which somebody takes the first one, or takes the file away because nobody has it.
inline constexpr off_t broom_byte = 1;

// `command`: F_OFD_SETLK, or F_OFD_SETLKW to wait; `type`: F_WRLCK or F_UNLCK.
[[nodiscard]] inline bool lock_byte(int fd, off_t byte, short type, int command) {
    struct flock range {};
    range.l_type = type;
    range.l_whence = SEEK_SET;
    range.l_start = byte;
    range.l_len = 1;
    return ::fcntl(fd, command, &range) == 0;
}

// Asks and takes nothing: a lock that a client held for a moment would be in the way of a VM that starts.
[[nodiscard]] inline bool is_locked(int fd, off_t byte) {
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_start = byte;
    range.l_len = 1;
    return ::fcntl(fd, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}

}  // namespace vml::control
