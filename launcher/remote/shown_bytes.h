// Which of the guest's bytes a view of its console has, where it shows it at all. Pure.
#pragma once

#include "launcher/console/terminal.h"
#include "launcher/settings/settings.h"

namespace vml {

[[nodiscard]] constexpr ConsoleBytes console_bytes(ConsoleView view) {
    switch (view) {
        case ConsoleView::plain:
            return ConsoleBytes::plain;
        case ConsoleView::raw:
            return ConsoleBytes::raw;
        case ConsoleView::automatic:
        case ConsoleView::quiet:
            break;
    }
    return ConsoleBytes::fitting;
}

}  // namespace vml
