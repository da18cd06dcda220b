#include "launcher/console/batched_wait.h"

#include <utility>

#include <boost/system/error_code.hpp>

namespace vml {

using boost::system::error_code;

BatchedWait::BatchedWait(boost::asio::io_context& io, int fd, std::function<void()> on_ready)
    : fd_{fd}, watch_{io}, rest_{io}, on_ready_{std::move(on_ready)} {}

BatchedWait::~BatchedWait() {
    if (watch_.is_open()) {
        watch_.release();
    }
}

void BatchedWait::begin() {
    watch_.assign(fd_);
    watch_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const error_code& error) {
        if (!error) {
            watch_.release();
            on_ready_();
        }
    });
}

void BatchedWait::begin_after_rest() {
    rest_.expires_after(rest_time);
    rest_.async_wait([this](const error_code& error) { error ? void() : begin(); });
}

}  // namespace vml
