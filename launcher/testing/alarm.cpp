#include "launcher/testing/alarm.h"

#include <utility>

namespace vml {

void Alarm::set(std::chrono::seconds after, std::function<void()> act) {
    set_ = true;
    timer_.expires_after(after);
    timer_.async_wait([alive = std::weak_ptr{alive_}, act = std::move(act)](auto error) {
        if (!error && !alive.expired()) {
            act();
        }
    });
}

}  // namespace vml
