// A UDP socket that was opened and bound elsewhere, for the event loop. Makes system calls.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

#include "base/fd.h"

namespace vml::serve {

// Over the protocol that the socket is bound to an address of. Does not block.
[[nodiscard]] boost::asio::ip::udp::socket udp_socket(boost::asio::io_context& io, OwnedFd fd);

// Of a socket of any kind that is bound.
[[nodiscard]] bool is_bound_to_ip6(int fd);

}  // namespace vml::serve
