#include "launcher/run/port_watches.h"

#include <algorithm>
#include <utility>

#include <boost/system/error_code.hpp>
#include <fcntl.h>

namespace vml {

PortWatches::PortWatches(boost::asio::io_context& io, std::vector<PortWatch> ports,
                         std::function<void()> on_forwards, std::function<void()> on_all)
    : ports_{std::move(ports)},
      on_forwards_{std::move(on_forwards)},
      on_all_{std::move(on_all)},
      left_{ports_.size()} {
    for (const PortWatch& port : ports_) {
        ready_.emplace_back(io, ::fcntl(port.watcher.fd(), F_DUPFD_CLOEXEC, 0));
    }
}

void PortWatches::begin() {
    for (std::size_t index = 0; index < ports_.size(); ++index) {
        look_at(index);
    }
    if (ports_.empty()) {
        on_all_();
    }
}

void PortWatches::look_at(std::size_t index) {
    const std::vector<net::LinkEvent> events = ports_[index].watcher.read();
    const bool forwards = std::any_of(events.begin(), events.end(), [](const net::LinkEvent& event) {
        return event.link.port_state == net::PortState::forwarding;
    });
    if (forwards) {
        on_forwards_();
        if (--left_ == 0) {
            on_all_();
        }
        return;  // seen once is enough
    }
    ready_[index].async_wait(boost::asio::posix::stream_descriptor::wait_read,
                             [this, index](const boost::system::error_code& error) {
                                 if (!error) {
                                     look_at(index);
                                 }
                             });
}

}  // namespace vml
