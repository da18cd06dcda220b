#include "netsetup/uevent.h"

#include <array>
#include <cerrno>

#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

#include "base/text.h"
#include "netsetup/failure.h"

namespace vml::net {

namespace {

// The value of "KEY=value" among the zero-ended strings of an event.
std::string_view value_of(std::string_view event, std::string_view key) {
    while (!event.empty()) {
        const std::string_view line = event.substr(0, event.find('\0'));
        if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == '=') {
            return line.substr(key.size() + 1);
        }
        event.remove_prefix(std::min(event.size(), line.size() + 1));
    }
    return {};
}

}  // namespace

std::optional<dev_t> parse_uevent(std::string_view event, std::string_view node) {
    if (value_of(event, "ACTION") != "add" || value_of(event, "DEVNAME") != node) {
        return std::nullopt;
    }
    const std::optional<unsigned> major_number = whole_number<unsigned>(value_of(event, "MAJOR"));
    const std::optional<unsigned> minor_number = whole_number<unsigned>(value_of(event, "MINOR"));
    if (!major_number || !minor_number) {
        return std::nullopt;
    }
    return makedev(*major_number, *minor_number);
}

UeventSocket::UeventSocket()
    : fd_{socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT)} {
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = 1;  // the kernel's own events; group 2 is udev's
    const void* const bytes = &address;
    if (!fd_ || bind(fd_.get(), static_cast<const sockaddr*>(bytes), sizeof address) != 0) {
        throw Error{failure(Step::open_netlink, "cannot listen to the kernel's device events", errno)};
    }
}

std::optional<dev_t> UeventSocket::device_of(std::string_view node) {
    std::array<char, 8192> buffer{};
    // ENOBUFS says that events were lost: the ones that were kept may still hold ours
    for (;;) {
        const ssize_t size = recv(fd_.get(), buffer.data(), buffer.size(), 0);
        if (size < 0 && errno != ENOBUFS && errno != EINTR) {
            return std::nullopt;
        }
        const std::string_view event{buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
        if (const std::optional<dev_t> number = parse_uevent(event, node)) {
            return number;
        }
    }
}

}  // namespace vml::net
