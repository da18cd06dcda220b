#include "launcher/console/console_viewers.h"

#include <algorithm>

namespace vml {

namespace {

// About a screen of 80 by 50 with its colours.
constexpr std::size_t recent_size = std::size_t{8} << 10;

}  // namespace

void ConsoleViewers::add(const control::Exchange& exchange, bool wants_keyboard) {
    const auto place = viewers_.insert(viewers_.end(), {exchange, wants_keyboard});
    const bool keyboard = may_type(place);
    exchange.stream({{"stream", true}, {"keyboard", keyboard}}, {[this, place](std::string_view bytes) {
                                                                     if (may_type(place)) {
                                                                         keyboard_.type(bytes);
                                                                     }
                                                                 },
                                                                 [this, place] { viewers_.erase(place); }});
    exchange.write(recent_);
}

bool ConsoleViewers::has_keyboard() const {
    return std::any_of(viewers_.begin(), viewers_.end(), [](const Viewer& v) { return v.wants_keyboard; });
}

void ConsoleViewers::show(std::string_view bytes) {
    recent_ += bytes;
    if (recent_.size() > 2 * recent_size) {
        recent_.erase(0, recent_.size() - recent_size);
    }
    for (const Viewer& viewer : viewers_) {
        viewer.exchange.write(bytes);
    }
}

void ConsoleViewers::close_all() {
    for (const Viewer& viewer : viewers_) {
        viewer.exchange.close();
    }
}

bool ConsoleViewers::may_type(Place viewer) {
    const auto first =
        std::find_if(viewers_.begin(), viewers_.end(), [](const Viewer& v) { return v.wants_keyboard; });
    return first == viewer && !keyboard_.is_taken();
}

}  // namespace vml
