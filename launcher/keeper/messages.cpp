#include "launcher/keeper/messages.h"

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string_view>
#include <utility>

#include <sys/socket.h>
#include <sys/uio.h>

namespace vml {

namespace {

struct Head {
    std::uint32_t wish = 0;
    std::uint32_t number = 0;
};

struct Answer {
    std::int32_t error = 0;
    std::uint64_t size = 0;
};

// Room for one descriptor beside a datagram (cmsg(3)).
struct Beside {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
};

bool send_with(int socket, std::array<iovec, 2> parts, int fd) {
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    Beside beside;
    if (fd >= 0) {
        message.msg_control = beside.room.data();
        message.msg_controllen = beside.room.size();
        cmsghdr* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof fd);
        std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    ssize_t sent = 0;
    do {
        sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

// A datagram whose first part is this large; -1: there is none.
ssize_t receive_with(int socket, std::array<iovec, 2> parts, OwnedFd& fd) {
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    Beside beside;
    message.msg_control = beside.room.data();
    message.msg_controllen = beside.room.size();
    ssize_t count = 0;
    do {
        count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (count < 0 && errno == EINTR);
    const cmsghdr* const header = count > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
    if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        int received = -1;
        std::memcpy(&received, CMSG_DATA(header), sizeof received);
        fd.reset(received);
    }
    const bool whole = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
    return whole && count >= static_cast<ssize_t>(parts[0].iov_len) ? count : -1;
}

}  // namespace

bool send_question(int socket, const Question& question) {
    Head head{static_cast<std::uint32_t>(question.wish), question.number};
    std::string name = question.name;
    return send_with(socket, {{{&head, sizeof head}, {name.data(), name.size()}}}, question.fd.get());
}

bool send_reply(int socket, const Reply& reply) {
    Answer answer{reply.error, reply.size};
    return send_with(socket, {{{&answer, sizeof answer}, {nullptr, 0}}}, reply.fd.get());
}

std::optional<Question> receive_question(int socket) {
    Head head;
    std::string name(PATH_MAX, '\0');
    Question question;
    const ssize_t count =
        receive_with(socket, {{{&head, sizeof head}, {name.data(), name.size()}}}, question.fd);
    if (count < 0 || head.wish > static_cast<std::uint32_t>(Wish::end)) {
        return std::nullopt;
    }
    question.wish = static_cast<Wish>(head.wish);
    question.number = head.number;
    name.resize(static_cast<std::size_t>(count) - sizeof head);
    question.name = std::move(name);
    return question;
}

std::optional<Reply> receive_reply(int socket) {
    Answer answer;
    Reply reply;
    if (receive_with(socket, {{{&answer, sizeof answer}, {nullptr, 0}}}, reply.fd) < 0) {
        return std::nullopt;
    }
    reply.error = answer.error;
    reply.size = answer.size;
    return reply;
}

}  // namespace vml
