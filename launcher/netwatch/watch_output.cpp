#include "launcher/netwatch/watch_output.h"

#include <chrono>
#include <cmath>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bootwatch/timeline.h"
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

WatchOutput::WatchOutput(boost::asio::io_context& io, Shown shown, double began,
                         std::function<void(int error)> gone)
    : shown_{shown},
      began_{began},
      file_{io, standard_output(),
            [this](std::size_t /*bytes*/, std::size_t count) { return lost_notice(count); }, std::move(gone),
            most_waiting} {}

std::string WatchOutput::lost_notice(std::size_t count) const {
    return shown_ == Shown::json
               ? events::line_of(events::lost(count),
                                 stamp_of(std::chrono::duration<double>(
                                              std::chrono::system_clock::now().time_since_epoch())
                                              .count(),
                                          began_),
                                 std::nullopt)
               : fmt::format("{} missing here\n", boot::counted(count, "line"));
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
        write_lines(text_of(telling));
    }
}

// Each by itself, so that those that are lost are counted.
void WatchOutput::write_lines(std::string_view text) {
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::size_t size = end == std::string_view::npos ? text.size() : end + 1;
        file_.write(text.substr(0, size));
        text.remove_prefix(size);
    }
}

void WatchOutput::show(const std::vector<capture::MachineNow>& machines, double now) {
    if (shown_ != Shown::table) {
        return;
    }
    const ScreenSize screen = screen_size();
    std::string text = wiping(std::exchange(drawn_, {}), screen) + std::exchange(lines_, {});
    if (file_.is_behind()) {  // its table would come too late, and might be lost
        write_lines(text);
        return;
    }
    for (const std::string& line : table_of(machines, now, screen)) {
        text += line + "\n";
        drawn_.push_back(line.size());
    }
    if (!text.empty()) {
        file_.write(text);
    }
}

void WatchOutput::finish(const Telling& telling) {
    // The table stays on the screen, above the last line.
    write_lines(std::exchange(lines_, {}));
    file_.write_last(text_of(telling));
    file_.flush(EventFile::slow_reader);
}

}  // namespace vml::netwatch
