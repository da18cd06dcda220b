#include "launcher/console/status_row.h"

#include <utility>

#include <unistd.h>

#include "launcher/console/terminal.h"

namespace vml {

StatusRow::StatusRow(boost::asio::io_context& io, OutputQueue& out, Look look, bool colour)
    : out_{out}, look_{std::move(look)}, colour_{colour}, timer_{io} {}

// Also when an exception ends us.
StatusRow::~StatusRow() {
    try {
        end();
    } catch (...) {
        runs_ = false;
    }
}

void StatusRow::begin() {
    runs_ = true;
    out_.through([this](std::string_view bytes) { return passed(bytes); });
    wait();
}

void StatusRow::hide() {
    if (runs_) {
        out_.write_as_is(row_.hide());
    }
}

void StatusRow::end() {
    if (std::exchange(runs_, false)) {
        timer_.cancel();
        out_.through(nullptr);
        out_.write_as_is(row_.hide());
    }
}

// The size is asked for each time: a signal tells of a new one when text has been wrapped by it already.
std::string StatusRow::passed(std::string_view bytes) {
    const TerminalSize size = size_of_terminal(STDOUT_FILENO);
    std::string text = row_.resize(size.columns, size.rows);
    return text + row_.pass(bytes);
}

void StatusRow::draw() {
    const std::optional<BootStatus> status = look_();
    if (!status || row_.is_over()) {
        end();
        return;
    }
    // What waits for a slow terminal, or one that was halted (Ctrl-S), would only become more.
    if (!is_our_terminal(STDOUT_FILENO) || out_.is_waiting()) {
        return;
    }
    const TerminalSize size = size_of_terminal(STDOUT_FILENO);
    const std::string before = row_.resize(size.columns, size.rows);
    const int columns = size.columns - 1;  // the last one may wrap
    out_.write_as_is(
        before + (columns > 0 ? row_.show(status_text(*status, static_cast<std::size_t>(columns), colour_))
                              : std::string{}));
}

void StatusRow::wait() {
    timer_.expires_after(every);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error || !runs_) {
            return;
        }
        draw();
        if (runs_) {
            wait();
        }
    });
}

}  // namespace vml
