#include "netsetup/passed.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/uio.h>

namespace vml::net {

namespace {

struct Control {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * most_passed)> room{};
};

std::vector<OwnedFd> descriptors_in(const cmsghdr* header) {
    std::vector<OwnedFd> fds;
    if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        std::vector<int> numbers((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        std::memcpy(numbers.data(), CMSG_DATA(header), numbers.size() * sizeof(int));
        for (const int number : numbers) {
            fds.emplace_back(number);
        }
    }
    return fds;
}

}  // namespace

bool pass(int socket, const std::string& text, const std::vector<int>& fds) noexcept {
    std::array<char, longest_passed> copy{};
    if (text.empty() || text.size() > copy.size() || fds.size() > most_passed) {
        return false;
    }
    std::memcpy(copy.data(), text.data(), text.size());
    iovec part{copy.data(), text.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    Control control;
    if (!fds.empty()) {
        message.msg_control = control.room.data();
        message.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
        cmsghdr* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
        std::memcpy(CMSG_DATA(header), fds.data(), sizeof(int) * fds.size());
    }
    ssize_t sent = 0;
    do {
        sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

std::optional<Passed> take_passed(int socket) {
    std::string text(longest_passed, '\0');
    iovec part{text.data(), text.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    Control control;
    message.msg_control = control.room.data();
    message.msg_controllen = control.room.size();
    ssize_t count = 0;
    do {
        count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (count < 0 && errno == EINTR);
    if (count <= 0) {
        return std::nullopt;
    }
    Passed passed{"", descriptors_in(CMSG_FIRSTHDR(&message))};
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        return std::nullopt;
    }
    text.resize(static_cast<std::size_t>(count));
    passed.text = std::move(text);
    return passed;
}

}  // namespace vml::net
