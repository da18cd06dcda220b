#include "launcher/console/console_log.h"

#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"

namespace vml {

ConsoleLog::ConsoleLog(OwnedFd file, OnTrouble on_trouble, std::size_t most)
    : file_{std::move(file)}, on_trouble_{std::move(on_trouble)}, room_{most} {}

void ConsoleLog::add(std::string_view bytes) {
    const bool full = bytes.size() > room_;
    bytes = bytes.substr(0, room_);
    while (file_ && !bytes.empty()) {
        const ssize_t count = ::write(file_.get(), bytes.data(), bytes.size());
        if (count > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(count));
            room_ -= static_cast<std::size_t>(count);
        } else if (count < 0 && errno == EAGAIN) {
            if (!std::exchange(lost_told_, true)) {
                on_trouble_("the console log's reader is too slow: bytes are missing there");
            }
            return;
        } else if (count == 0 || errno != EINTR) {
            end(errno_text(count == 0 ? ENOSPC : errno));
        }
    }
    if (file_ && full) {
        end(fmt::format("it has its largest size, {} MiB", most_bytes >> 20U));
    }
}

void ConsoleLog::end(const std::string& why) {
    file_.reset();
    on_trouble_("no more of the console is kept (--console-log): " + why);
}

}  // namespace vml
