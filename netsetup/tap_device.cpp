#include "netsetup/tap_device.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <functional>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "netsetup/failure.h"

namespace vml::net {

namespace {

// sizeof(struct virtio_net_hdr_v1), which QEMU expects. <linux/virtio_net.h> of Linux 6.1 is not C++ (a field
// named "class").
constexpr int vnet_header_size = 12;
constexpr int open_flags = O_RDWR | O_CLOEXEC | O_NONBLOCK;

// struct ifreq as TUNSETIFF and TUNGETIFF use it, without its unions.
struct TunRequest {
    std::array<char, IFNAMSIZ> name{};
    std::uint16_t flags = 0;
    std::array<char, sizeof(ifreq) - IFNAMSIZ - sizeof(std::uint16_t)> rest{};
};
static_assert(sizeof(TunRequest) == sizeof(ifreq));

std::uint16_t flags_for(const QueueOptions& options) {
    const int flags = IFF_TAP | IFF_NO_PI | (options.vnet_hdr ? IFF_VNET_HDR : 0) |
                      (options.queues > 1 ? IFF_MULTI_QUEUE : 0);
    return static_cast<std::uint16_t>(flags);
}

// TUNSETIFF and the header's size; the name of the link it is attached to, or an errno.
int attach(int fd, TunRequest& request, bool vnet_hdr) {
    if (ioctl(fd, TUNSETIFF, &request) < 0) {
        return errno;
    }
    int size = vnet_header_size;
    if (vnet_hdr && ioctl(fd, TUNSETVNETHDRSZ, &size) < 0) {
        return errno;
    }
    return 0;
}

TunRequest named(const std::string& name, std::uint16_t flags) {
    TunRequest request;
    request.flags = flags;
    std::copy_n(name.begin(), std::min(name.size(), request.name.size() - 1), request.name.begin());
    return request;
}

OwnedFd open_tun(const std::string& what) {
    OwnedFd fd{open("/dev/net/tun", open_flags)};
    if (!fd) {
        throw_failure(Step::open_tun, what, errno);
    }
    return fd;
}

// A way to the node of a macvtap: opens it, or gives the errno.
struct Opened {
    OwnedFd fd;
    int error_number = 0;
};

Opened opened(int fd) {
    const int error_number = fd < 0 ? errno : 0;
    return {OwnedFd{fd}, error_number};
}

bool is_device(const struct stat& facts, dev_t number) {
    return S_ISCHR(facts.st_mode) && facts.st_rdev == number;
}

// Looks before it opens: opening a foreign tap's node would already take frames from it.
Opened open_usual(const std::string& path, dev_t number) {
    struct stat facts {};
    if (lstat(path.c_str(), &facts) != 0 || !is_device(facts, number)) {
        return {{}, ENOENT};
    }
    return opened(open(path.c_str(), open_flags | O_NOFOLLOW));
}

// A tmpfs that is mounted nowhere: it goes with its descriptor, whatever happens to this process.
OwnedFd detached_tmpfs() {
    const OwnedFd context{fsopen("tmpfs", FSOPEN_CLOEXEC)};
    if (!context || fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
        return OwnedFd{};
    }
    return OwnedFd{fsmount(context.get(), FSMOUNT_CLOEXEC, 0)};
}

Opened open_in_tmpfs(dev_t number) {
    const OwnedFd directory = detached_tmpfs();
    if (!directory || mknodat(directory.get(), "tap", S_IFCHR | S_IRUSR | S_IWUSR, number) != 0) {
        return {{}, errno};
    }
    return opened(openat(directory.get(), "tap", open_flags));
}

Opened open_in_dev(const std::string& mark, dev_t number) {
    const std::string path = temporary_node_prefix + mark;
    if (mknod(path.c_str(), S_IFCHR | S_IRUSR | S_IWUSR, number) != 0) {
        return {{}, errno};
    }
    Opened result = opened(open(path.c_str(), open_flags | O_NOFOLLOW));
    (void)unlink(path.c_str());
    return result;
}

// The ways in turn; a way that reached the device and was refused ends the search only if no other succeeds.
OwnedFd open_number(dev_t number, const std::string& usual_path, const std::string& mark) {
    const std::array<std::function<Opened()>, 3> ways = {
        [&] { return open_usual(usual_path, number); },
        [&] { return open_in_tmpfs(number); },
        [&] { return open_in_dev(mark, number); },
    };
    int first_error = 0;
    for (const auto& way : ways) {
        Opened result = way();
        if (result.fd) {
            return std::move(result.fd);
        }
        // the usual path's absence says nothing: that it could not be made does
        if (first_error == 0 || first_error == ENOENT) {
            first_error = result.error_number;
        }
    }
    throw_failure(
        Step::open_macvtap,
        fmt::format("cannot open the macvtap's character device {}:{}", major(number), minor(number)),
        first_error);
}

}  // namespace

Tap open_tap(const std::string& name, const QueueOptions& options) {
    const std::string what = fmt::format("cannot make the tap {}", name);
    Tap tap{name, {}};
    for (unsigned queue = 0; queue < options.queues; ++queue) {
        OwnedFd fd = open_tun(what);
        const int exclusive = queue == 0 ? IFF_TUN_EXCL : 0;
        TunRequest request = named(tap.name, static_cast<std::uint16_t>(flags_for(options) | exclusive));
        const int error_number = attach(fd.get(), request, options.vnet_hdr);
        if (error_number != 0) {
            throw_failure(Step::attach_tap, what, error_number);
        }
        tap.name = request.name.data();
        tap.queues.push_back(std::move(fd));
    }
    return tap;
}

OwnedFd copy_of(const OwnedFd& queue) noexcept {
    return OwnedFd{::fcntl(queue.get(), F_DUPFD_CLOEXEC, 0)};
}

bool write_as_guest(int queue, std::string_view frame) {
    TunRequest request;
    int header_size = 0;
    if (ioctl(queue, TUNGETIFF, &request) < 0 ||
        ((request.flags & IFF_VNET_HDR) != 0 && ioctl(queue, TUNGETVNETHDRSZ, &header_size) < 0)) {
        return false;
    }
    constexpr int largest_header = 64;
    if (header_size < 0 || header_size > largest_header) {
        return false;
    }
    std::string whole(static_cast<std::size_t>(header_size), '\0');  // nothing is to be done with the frame
    whole += frame;
    return ::write(queue, whole.data(), whole.size()) == static_cast<ssize_t>(whole.size());
}

std::vector<OwnedFd> open_macvtap(dev_t number, const std::string& usual_path, const std::string& mark,
                                  const QueueOptions& options) {
    std::vector<OwnedFd> queues;
    for (unsigned queue = 0; queue < options.queues; ++queue) {
        OwnedFd fd = open_number(number, usual_path, mark);
        TunRequest request = named({}, flags_for(options));
        const int error_number = attach(fd.get(), request, options.vnet_hdr);
        if (error_number != 0) {
            throw_failure(Step::attach_macvtap, "cannot attach to the macvtap", error_number);
        }
        queues.push_back(std::move(fd));
    }
    return queues;
}

}  // namespace vml::net
