#include "netsetup/netlink.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <span>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/netlink.h>
#include <sys/socket.h>

#include "netsetup/failure.h"

namespace vml::net {

// One datagram from the kernel, which may hold many messages.
struct NetlinkSocket::Reply {
    struct Free {
        // libnl gives malloc's memory
        void operator()(void* memory) const noexcept { std::free(memory); }  // NOLINT
    };
    std::unique_ptr<unsigned char, Free> bytes;
    int size = 0;

    // Calls `each` with every message until it returns false; false when it did.
    bool for_each(const std::function<bool(const nlmsghdr&)>& each) const {
        void* const start = bytes.get();
        auto* message = static_cast<nlmsghdr*>(start);
        for (int left = size; nlmsg_ok(message, left) != 0; message = nlmsg_next(message, &left)) {
            if (!each(*message)) {
                return false;
            }
        }
        return true;
    }
};

namespace {

void enable(int fd, int option) {
    const int on = 1;
    // a kernel without it (before 4.12) only gives no text
    (void)setsockopt(fd, SOL_NETLINK, option, &on, sizeof on);
}

}  // namespace

Answer parse_answer(const nlmsghdr& message) {
    auto* header = for_libnl(message);
    if (nlmsg_datalen(header) < static_cast<int>(sizeof(nlmsgerr))) {
        return {EBADMSG, {}};
    }
    const auto* error = static_cast<const nlmsgerr*>(nlmsg_data(header));
    constexpr int largest_errno = 4095;  // MAX_ERRNO of include/linux/err.h
    if (error->error > 0 || error->error < -largest_errno) {
        return {EBADMSG, {}};
    }
    Answer answer{-error->error, {}};
    if ((message.nlmsg_flags & NLM_F_ACK_TLVS) == 0) {
        return answer;
    }
    // NETLINK_CAP_ACK leaves the request's own payload out and says so
    const bool capped = (message.nlmsg_flags & NLM_F_CAPPED) != 0;
    const std::size_t echoed = capped ? sizeof error->msg : error->msg.nlmsg_len;
    const std::size_t room = static_cast<std::size_t>(nlmsg_datalen(header)) - offsetof(nlmsgerr, msg);
    if (echoed < sizeof error->msg || echoed > room) {
        return answer;
    }
    std::array<nlattr*, NLMSGERR_ATTR_MAX + 1> attributes{};
    const auto header_size = static_cast<int>(offsetof(nlmsgerr, msg) + echoed);
    const bool parsed = nlmsg_parse(header, header_size, attributes.data(), NLMSGERR_ATTR_MAX, nullptr) == 0;
    if (parsed && attributes[NLMSGERR_ATTR_MSG] != nullptr) {
        // libnl does not look whether the text ends within its attribute
        const nlattr* text = attributes[NLMSGERR_ATTR_MSG];
        const auto* bytes = static_cast<const char*>(nla_data(text));
        answer.text.assign(bytes, strnlen(bytes, static_cast<std::size_t>(nla_len(text))));
    }
    return answer;
}

NetlinkSocket::NetlinkSocket(int protocol) : socket_{nl_socket_alloc()} {
    if (socket_ == nullptr) {
        throw_failure(Step::open_netlink, "cannot open a netlink socket", ENOMEM);
    }
    if (nl_connect(socket_.get(), protocol) < 0) {
        throw_failure(Step::open_netlink, "cannot open a netlink socket", errno);
    }
    // a dump's datagram has at most 32 KiB (net/netlink/af_netlink.c, netlink_dump); to ask for its size
    // first takes twice as long
    nl_socket_disable_msg_peek(socket_.get());
    (void)nl_socket_set_msg_buf_size(socket_.get(), 65536);
    enable(fd(), NETLINK_EXT_ACK);
    enable(fd(), NETLINK_CAP_ACK);
}

void NetlinkSocket::send(const std::vector<nl_msg*>& requests) {
    std::vector<char> datagram;
    for (nl_msg* request : requests) {
        nl_complete_msg(socket_.get(), request);  // sequence number, port and NLM_F_ACK
        const void* const bytes = nlmsg_hdr(request);
        const std::span message{static_cast<const char*>(bytes), NLMSG_ALIGN(nlmsg_hdr(request)->nlmsg_len)};
        datagram.insert(datagram.end(), message.begin(), message.end());
    }
    if (nl_sendto(socket_.get(), datagram.data(), datagram.size()) < 0) {
        throw_failure(Step::open_netlink, "cannot send to the kernel over netlink", errno);
    }
}

NetlinkSocket::Reply NetlinkSocket::receive() {
    sockaddr_nl from{};
    unsigned char* bytes = nullptr;
    const int size = nl_recv(socket_.get(), &from, &bytes, nullptr);
    if (size <= 0) {
        throw_failure(Step::open_netlink, "cannot receive from the kernel over netlink", errno);
    }
    return {std::unique_ptr<unsigned char, Reply::Free>{bytes}, size};
}

Answer NetlinkSocket::ask(nl_msg& request) {
    return ask(std::vector{&request}).front();
}

std::vector<Answer> NetlinkSocket::ask(const std::vector<nl_msg*>& requests) {
    send(requests);
    std::vector<Answer> answers;
    const auto take = [&](const nlmsghdr& message) {
        // a reply that an earlier failure left unread has another number
        const bool ours = message.nlmsg_seq == nlmsg_hdr(requests.at(answers.size()))->nlmsg_seq;
        if (ours && message.nlmsg_type == NLMSG_ERROR) {
            answers.push_back(parse_answer(message));
        }
        return answers.size() < requests.size();
    };
    while (receive().for_each(take)) {
    }
    return answers;
}

Answer NetlinkSocket::query(nl_msg& request, const std::function<void()>& start_over,
                            const std::function<void(const nlmsghdr&)>& each) {
    start_over();
    send({&request});
    Answer verdict;
    bool interrupted = false;
    const auto more = [&](const nlmsghdr& message) {
        if (message.nlmsg_seq != nlmsg_hdr(&request)->nlmsg_seq) {
            return true;  // what an earlier failure left unread
        }
        interrupted = interrupted || (message.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
        if (message.nlmsg_type == NLMSG_ERROR) {
            verdict = parse_answer(message);
            return false;
        }
        if (message.nlmsg_type == NLMSG_DONE) {
            return false;
        }
        each(message);
        return true;
    };
    while (receive().for_each(more)) {
    }
    if (interrupted) {
        nlmsg_hdr(&request)->nlmsg_seq = NL_AUTO_SEQ;
        return query(request, start_over, each);
    }
    return verdict;
}

}  // namespace vml::net
