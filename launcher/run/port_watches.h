// Bridge ports on their way to forwarding, watched over netlink. A port forwards only after QEMU has attached
// to its tap, which may be long before or after QMP answers. Makes system calls.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "launcher/start/apply.h"

namespace vml {

class PortWatches {
  public:
    // `on_forwards` is called once for each port, then `on_all` once for all of them, also where there are
    // none.
    PortWatches(boost::asio::io_context& io, std::vector<PortWatch> ports, std::function<void()> on_forwards,
                std::function<void()> on_all);

    void begin();

  private:
    void look_at(std::size_t index);

    std::vector<PortWatch> ports_;
    std::deque<boost::asio::posix::stream_descriptor> ready_;
    std::function<void()> on_forwards_;
    std::function<void()> on_all_;
    std::size_t left_;
};

}  // namespace vml
