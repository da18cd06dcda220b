#include "control/outbox.h"

#include <utility>

#include <fmt/format.h>

namespace vml::control {

void Outbox::add_to_stream(std::string_view bytes, std::size_t most) {
    if (lost_ > 0 || size() + bytes.size() > most) {
        lost_ += bytes.size();
        ++lost_writes_;
    } else {
        add(bytes);
    }
}

void Outbox::sent(std::size_t count) {
    sent_ += count;
    if (!empty()) {
        if (sent_ > size()) {  // each byte is moved once at most
            bytes_.erase(0, std::exchange(sent_, 0));
        }
        return;
    }
    bytes_ = {};  // with its room: a client that reads again needs none
    sent_ = 0;
    add_notice();
}

void Outbox::add_last(std::string_view bytes) {
    add_notice();
    add(bytes);
}

void Outbox::add_notice() {
    if (lost_ > 0) {
        const std::size_t bytes = std::exchange(lost_, 0);
        const std::size_t writes = std::exchange(lost_writes_, 0);
        add(notice_ ? notice_(bytes, writes)
                    : fmt::format("\r\n[{} bytes lost here: this client did not keep up]\r\n", bytes));
    }
}

}  // namespace vml::control
