#include "launcher/run/port_watches.h"

#include <algorithm>
#include <utility>

#include <boost/system/error_code.hpp>
#include <fcntl.h>

namespace vml {

PortWatches::PortWatches(boost::asio::io_context& io, std::vector<PortWatch> ports,
                         std::function<void()> on_forwards)
    : ports_{std::move(ports)}, on_forwards_{std::move(on_forwards)} {
    for (const PortWatch& port : ports_) {
        ready_.emplace_back(io, ::fcntl(port.watcher.fd(), F_DUPFD_CLOEXEC, 0));
    }
}

void PortWatches::begin() {
    for (std::size_t index = 0; index < ports_.size(); ++index) {
        look_at(index);
    }
}

void PortWatches::look_at(std::size_t index) {
    const std::vector<net::LinkEvent> events = ports_[index].watcher.read();
    const bool forwards = std::any_of(events.begin(), events.end(), [](const net::LinkEvent& event) {
        return event.link.port_state == net::PortState::forwarding;
    });
    if (forwards) {
        on_forwards_();
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
