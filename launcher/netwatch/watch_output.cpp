#include "launcher/netwatch/watch_output.h"

#include <chrono>
#include <cmath>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "launcher/events/event.h"
#include "launcher/events/run_record.h"

namespace vml::netwatch {

namespace {

// As many lines as a thousand machines make at once.
constexpr std::size_t most_waiting = std::size_t{16} << 20;  // bytes

ScreenSize screen_size() {
    winsize size{};
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): ioctl(2) has no other form
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) {
        return {};
    }
    return {size.ws_row, size.ws_col};
}

events::Stamp stamp_of(double when, double began) {
    using std::chrono::system_clock;
    const auto since = std::chrono::duration<double>{std::isfinite(when) ? when : 0};
    return {when - began,
            system_clock::time_point{std::chrono::duration_cast<system_clock::duration>(since)}};
}

OwnedFd standard_output() {
    return OwnedFd{::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)};
}

}  // namespace

WatchOutput::WatchOutput(boost::asio::io_context& io, Shown shown, double began, std::function<void()> gone)
    : shown_{shown},
      began_{began},
      file_{io, standard_output(),
            [this](std::size_t /*bytes*/, std::size_t count) { return lost_notice(count); },
            [gone = std::move(gone)](int /*error*/) { gone(); }, most_waiting} {}

std::string WatchOutput::lost_notice(std::size_t count) const {
    return shown_ == Shown::json
               ? events::line_of(events::lost(count),
                                 stamp_of(std::chrono::duration<double>(
                                              std::chrono::system_clock::now().time_since_epoch())
                                              .count(),
                                          began_),
                                 std::nullopt)
               : fmt::format("{} lines are missing here\n", count);
}

std::string WatchOutput::text_of(const Telling& telling) {
    return shown_ == Shown::json
               ? events::line_of(telling.name, telling.fields, stamp_of(telling.when, began_), ++number_)
               : telling.text;
}

void WatchOutput::tell(const Telling& telling) {
    if (shown_ == Shown::table) {
        lines_ += text_of(telling);
    } else {
        file_.write(text_of(telling));
    }
}

std::string WatchOutput::wiped() {
    const std::size_t lines = std::exchange(drawn_, 0);
    return lines == 0 ? "" : fmt::format("\x1b[{}A\r\x1b[J", lines);
}

void WatchOutput::show(const std::vector<capture::MachineNow>& machines, double now) {
    if (shown_ != Shown::table) {
        return;
    }
    std::string text = wiped() + std::exchange(lines_, {});
    for (const std::string& line : table_of(machines, now, screen_size())) {
        text += line + "\n";
        ++drawn_;
    }
    if (!text.empty()) {
        file_.write(text);
    }
}

void WatchOutput::finish(const Telling& telling) {
    // The table stays on the screen, above the last line.
    file_.write_last(std::exchange(lines_, {}) + text_of(telling));
    file_.flush(EventFile::slow_reader);
}

}  // namespace vml::netwatch
