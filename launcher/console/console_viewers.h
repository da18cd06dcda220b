// Who watches the guest's serial console over the control socket: any number of viewers, one of whom writes.
#pragma once

#include <functional>
#include <list>
#include <string>
#include <string_view>

#include "control/server.h"

namespace vml {

class ConsoleViewers {
  public:
    struct Keyboard {
        std::function<void(std::string_view bytes)> type;
        std::function<bool()> is_taken;  // by the terminal that vm-launch runs on
    };

    explicit ConsoleViewers(Keyboard keyboard) : keyboard_{std::move(keyboard)} {}

    // The exchange becomes a stream that begins with what the guest wrote last. The first who wants to write
    // does; when he leaves, the next one who wanted to.
    void add(const control::Exchange& exchange, bool wants_keyboard);
    void show(std::string_view bytes);
    // One of them wants to write.
    [[nodiscard]] bool has_keyboard() const;
    void close_all();

  private:
    struct Viewer {
        control::Exchange exchange;
        bool wants_keyboard = false;
    };
    using Place = std::list<Viewer>::iterator;

    [[nodiscard]] bool may_type(Place viewer);

    Keyboard keyboard_;
    std::list<Viewer> viewers_;
    std::string recent_;  // the end of what was shown
};

}  // namespace vml
