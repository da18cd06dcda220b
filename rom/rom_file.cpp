#include "rom/rom_file.h"

#include <cerrno>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

namespace vml::rom {

namespace {

constexpr std::string_view where_roms_are =
    "iPXE's option ROMs come with the package ipxe-qemu; --ipxe-rom PATH names one";

[[noreturn]] void refuse(const std::filesystem::path& path, std::string why, std::string hint) {
    throw Error{Fault{fmt::format("cannot read the ROM {}", path.string()), std::move(why), std::move(hint),
                      ExitCode::host}};
}

std::string open_hint(int error_number) {
    if (error_number == EACCES || error_number == EPERM) {
        return "make the file and its folders readable for this user";
    }
    return std::string{where_roms_are};
}

// O_NONBLOCK: opening a FIFO that nobody writes to must not wait.
OwnedFd open_file(const std::filesystem::path& path) {
    OwnedFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    if (!fd) {
        const int error_number = errno;
        refuse(path, errno_text(error_number), open_hint(error_number));
    }
    return fd;
}

std::string kind_of_file(mode_t mode) {
    if (S_ISDIR(mode)) {
        return "it is a directory";
    }
    return S_ISFIFO(mode) ? "it is a FIFO" : "it is no regular file";
}

void check_size(const std::filesystem::path& path, std::size_t size) {
    if (size > largest_file) {
        refuse(path, fmt::format("it is larger than {} MiB", largest_file / 1024 / 1024),
               "no option ROM is that large; is it a disk or CD image?");
    }
}

std::size_t check_kind(const std::filesystem::path& path, const OwnedFd& fd) {
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) {
        refuse(path, errno_text(errno), "");
    }
    if (!S_ISREG(status.st_mode)) {
        refuse(path, kind_of_file(status.st_mode), std::string{where_roms_are});
    }
    check_size(path, static_cast<std::size_t>(status.st_size));
    return static_cast<std::size_t>(status.st_size);
}

// Up to one byte more than `largest_file`: a file may have grown since its size was asked for.
std::vector<std::uint8_t> read_all(const std::filesystem::path& path, const OwnedFd& fd,
                                   std::size_t expected) {
    std::vector<std::uint8_t> data(expected + 1);
    std::size_t have = 0;
    while (true) {
        const std::span<std::uint8_t> rest = std::span{data}.subspan(have);
        const ssize_t count = ::read(fd.get(), rest.data(), rest.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            refuse(path, errno_text(errno), "");
        }
        have += static_cast<std::size_t>(count);
        if (count == 0 || have > largest_file) {
            break;
        }
        if (have == data.size()) {
            data.resize(data.size() * 2);
        }
    }
    data.resize(have);
    return data;
}

}  // namespace

RomFile read_rom_file(const std::filesystem::path& path) {
    const OwnedFd fd = open_file(path);
    const std::size_t size = check_kind(path, fd);
    std::vector<std::uint8_t> data = read_all(path, fd, size);
    check_size(path, data.size());
    OptionRom rom = read_option_rom(data, path.string());
    return {std::move(rom), std::make_shared<const std::vector<std::uint8_t>>(std::move(data))};
}

OptionRom load_option_rom(const std::filesystem::path& path) {
    return read_rom_file(path).rom;
}

}  // namespace vml::rom
