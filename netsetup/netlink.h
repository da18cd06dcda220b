// A netlink socket: requests go out, the kernel's verdicts and messages come back. Knows nothing of links.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include <linux/netlink.h>
#include <netlink/msg.h>
#include <netlink/socket.h>

#include "base/fd.h"

namespace vml::net {

struct FreeNlMessage {
    void operator()(nl_msg* message) const noexcept { nlmsg_free(message); }
};
using NlMessage = std::unique_ptr<nl_msg, FreeNlMessage>;

// The kernel's verdict on one request.
struct Answer {
    int error_number = 0;  // the kernel's own errno, not libnl's NLE_* collapse of it; 0 is success
    std::string text;      // NLMSGERR_ATTR_MSG of the extended ack; empty when the kernel gave none

    [[nodiscard]] bool ok() const noexcept { return error_number == 0; }
    bool operator==(const Answer&) const = default;
};

// libnl's readers take what they only read as something that may be changed.
[[nodiscard]] inline nlmsghdr* for_libnl(const nlmsghdr& message) {
    return const_cast<nlmsghdr*>(&message);  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

// Reads the verdict out of an NLMSG_ERROR message (include/uapi/linux/netlink.h, enum nlmsgerr_attrs). Pure.
[[nodiscard]] Answer parse_answer(const nlmsghdr& message);

// Belongs to the network namespace in which it was made, whatever its thread does later; while it is open it
// holds that namespace. Close-on-exec. Not for use by two threads at once.
class NetlinkSocket {
  public:
    // NETLINK_ROUTE, or another protocol of linux/netlink.h. Throws Error.
    explicit NetlinkSocket(int protocol = NETLINK_ROUTE);

    [[nodiscard]] int fd() const noexcept { return nl_socket_get_fd(socket_.get()); }

    // Sends one request and returns the kernel's verdict. Throws Error only when the socket itself fails.
    [[nodiscard]] Answer ask(nl_msg& request);

    // Sends all in ONE datagram and returns the verdicts in the same order. The kernel works through a
    // datagram within the system call that sends it (net/netlink/af_netlink.c, netlink_rcv_skb), so that a
    // SIGKILL cannot fall between two of them. It goes on after a refused one.
    [[nodiscard]] std::vector<Answer> ask(const std::vector<nl_msg*>& requests);

    // Sends a query (NLM_F_DUMP or of one object) and hands over every message of the reply. A dump that the
    // kernel marks as interrupted is asked for again: `start_over` is called first. Returns the verdict.
    [[nodiscard]] Answer query(nl_msg& request, const std::function<void()>& start_over,
                               const std::function<void(const nlmsghdr&)>& each);

  private:
    struct FreeSocket {
        void operator()(nl_sock* socket) const noexcept { nl_socket_free(socket); }
    };
    struct Reply;

    void send(const std::vector<nl_msg*>& requests);
    Reply receive();

    std::unique_ptr<nl_sock, FreeSocket> socket_;
};

}  // namespace vml::net
