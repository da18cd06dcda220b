// What the tests with real processes share: reading with a deadline, reaping, programs made on the spot.
#pragma once

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "tests/unit/launcher_support.h"

namespace vml::test {

// Far more than anything here takes; reached only when something is broken.
constexpr std::chrono::seconds deadline{20};

struct Pipe {
    Pipe() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
            throw std::runtime_error{"no pipe"};
        }
        reader.reset(ends[0]);
        writer.reset(ends[1]);
    }
    OwnedFd reader;
    OwnedFd writer;
};

// Waits until the descriptor can be read, or is at its end.
inline bool readable(int fd) {
    pollfd ready{fd, POLLIN, 0};
    return ::poll(&ready, 1, static_cast<int>(std::chrono::milliseconds{deadline}.count())) > 0;
}

// Everything up to the end of file.
inline std::string read_all(int fd) {
    std::string text;
    std::array<char, 4096> bytes{};
    while (true) {
        if (!readable(fd)) {
            throw std::runtime_error{"no end within the deadline; so far: " + text};
        }
        const ssize_t count = ::read(fd, bytes.data(), bytes.size());
        if (count <= 0) {
            return text;
        }
        text.append(bytes.data(), static_cast<std::size_t>(count));
    }
}

// Reads until `end` has come.
inline std::string read_until(int fd, std::string_view end) {
    std::string text;
    while (!text.ends_with(end)) {
        char byte = 0;
        if (!readable(fd) || ::read(fd, &byte, 1) != 1) {
            throw std::runtime_error{"the end did not come; so far: " + text};
        }
        text += byte;
    }
    return text;
}

inline int reap(pid_t pid) {
    int status = -1;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

// How many children are left, dead or alive; the dead ones are reaped.
inline int reap_the_dead() {
    int dead = 0;
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
        ++dead;
    }
    return dead;
}

inline std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all{"/proc/self/fd"};
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

inline std::filesystem::path program(const Folder& folder, const std::string& name, std::string_view script) {
    const auto file = folder.write(name, script);
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    return file;
}

}  // namespace vml::test
