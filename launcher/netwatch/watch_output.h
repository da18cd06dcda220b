// Where a watch's lines go: to a program, to a file, or to a terminal, with a table below them that is drawn
// anew. Makes system calls.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "capture/live.h"
#include "launcher/broadcast/event_file.h"
#include "launcher/netwatch/machine_table.h"
#include "launcher/netwatch/watch_words.h"

namespace vml::netwatch {

enum class Shown { json, lines, table };

class WatchOutput {
  public:
    // To standard output, whose reader is never waited for. `began` in seconds since 1970; `gone` is called
    // once, with the errno, when it cannot be written any more.
    WatchOutput(boost::asio::io_context& io, Shown shown, double began, std::function<void(int error)> gone);

    // By the system's clock, which may have been set since.
    void watch_began(double when) { began_ = when; }

    void tell(const Telling& telling);
    // Draws the table that stands below all lines; without machines there is none. Where no table is shown
    // this does nothing.
    void show(const std::vector<capture::MachineNow>& machines, double now);
    [[nodiscard]] bool has_table() const { return shown_ == Shown::table; }
    // The last line; waits for a slow reader, but not for long.
    void finish(const Telling& telling);

  private:
    [[nodiscard]] std::string text_of(const Telling& telling);
    void write_lines(std::string_view text);
    [[nodiscard]] std::string lost_notice(std::size_t count) const;

    Shown shown_;
    double began_;
    std::uint64_t number_ = 0;
    std::string lines_;               // that wait for the table to be drawn anew
    std::vector<std::size_t> drawn_;  // the widths of the lines of the table that is on the screen
    EventFile file_;
};

}  // namespace vml::netwatch
