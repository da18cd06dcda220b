#include "netserve/udp_socket.h"

#include <tuple>

#include <sys/socket.h>

namespace vml::serve {

bool is_bound_to_ip6(int fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): getsockname(2) gives every kind so
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    return address.ss_family == AF_INET6;
}

boost::asio::ip::udp::socket udp_socket(boost::asio::io_context& io, OwnedFd fd) {
    using boost::asio::ip::udp;
    udp::socket socket{io, is_bound_to_ip6(fd.get()) ? udp::v6() : udp::v4(), fd.get()};
    std::ignore = fd.release();
    socket.non_blocking(true);
    return socket;
}

}  // namespace vml::serve
