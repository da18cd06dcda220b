#include "netsetup/reconcile.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "netsetup/failure.h"
#include "netsetup/link_requests.h"
#include "netsetup/links.h"
#include "netsetup/tap_device.h"

namespace vml::net {

namespace {

struct AbstractAddress {
    sockaddr_un address{};
    socklen_t size = 0;
};

AbstractAddress address_of(const std::string& token) {
    const std::string name = "vm-launch-" + token;
    AbstractAddress result;
    result.address.sun_family = AF_UNIX;
    // the leading zero byte makes it abstract, and the size ends it
    std::memcpy(&result.address.sun_path[1], name.data(),
                std::min(name.size(), sizeof result.address.sun_path - 1));
    result.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    return result;
}

// The descriptor that holds the name; empty, with errno, when it cannot.
OwnedFd bind_token(const std::string& token) {
    OwnedFd fd{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const AbstractAddress name = address_of(token);
    const void* const bytes = &name.address;
    if (fd && bind(fd.get(), static_cast<const sockaddr*>(bytes), name.size) != 0) {
        const int error_number = errno;
        fd.reset();
        errno = error_number;
    }
    return fd;
}

void delete_if_orphan(NetlinkSocket& socket, const Link& link, Reconciled& result) {
    const std::optional<Tag> tag = parse_tag(link.alias);
    if (link.kind != "macvtap" || !tag) {
        return;
    }
    // held while deleting, so that two that reconcile at once do not meet at one link
    const OwnedFd lock = OwnerLock::try_take(tag->token);
    if (!lock) {
        return;
    }
    try {
        delete_link(socket, link.index, link.name);
        result.deleted.push_back(link.name);
    } catch (const Error& error) {
        result.faults.insert(result.faults.end(), error.faults().begin(), error.faults().end());
    }
}

std::vector<std::string> temporary_nodes() {
    std::vector<std::string> paths;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator{"/dev", none}) {
        if (entry.path().native().starts_with(temporary_node_prefix)) {
            paths.push_back(entry.path().native());
        }
    }
    return paths;
}

void unlink_if_orphan(const std::string& path, Reconciled& result) {
    const std::string token = path.substr(std::strlen(temporary_node_prefix));
    struct stat facts {};
    if (!parse_tag(to_alias({"", token})) || lstat(path.c_str(), &facts) != 0 || !S_ISCHR(facts.st_mode)) {
        return;
    }
    const OwnedFd lock = OwnerLock::try_take(token);
    if (lock && unlink(path.c_str()) == 0) {
        result.deleted.push_back(path);
    }
}

}  // namespace

OwnerLock::OwnerLock(const std::string& token) : fd_{bind_token(token)} {
    if (!fd_) {
        throw Error{
            failure(Step::take_owner_lock, "cannot mark this process as the owner of its links", errno)};
    }
}

OwnedFd OwnerLock::try_take(const std::string& token) {
    return bind_token(token);
}

Reconciled reconcile(NetlinkSocket& socket) {
    Reconciled result;
    for (const Link& link : list_links(socket)) {
        delete_if_orphan(socket, link, result);
    }
    for (const std::string& path : temporary_nodes()) {
        unlink_if_orphan(path, result);
    }
    return result;
}

}  // namespace vml::net
