#include "launcher/console/status_row.h"

#include <csignal>
#include <string_view>
#include <utility>

#include <unistd.h>

#include "launcher/console/terminal.h"

namespace vml {

StatusRow::StatusRow(boost::asio::io_context& io, OutputQueue& out, Look look, bool colour)
    : out_{out}, look_{std::move(look)}, colour_{colour}, timer_{io}, resized_{io} {}

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
    resized_.add(SIGWINCH);
    fit();
    out_.through([this](std::string_view bytes) { return row_.pass(bytes); });
    wait_for_resize();
    wait();
}

void StatusRow::end() {
    if (!std::exchange(runs_, false)) {
        return;
    }
    timer_.cancel();
    resized_.cancel();
    out_.through(nullptr);
    out_.write(row_.show(""));
}

void StatusRow::draw() {
    const std::optional<BootStatus> status = look_();
    if (!status) {
        end();
        return;
    }
    const int columns = columns_ - 1;  // the last one would wrap
    if (columns > 0 && !out_.congested()) {
        out_.write_as_is(row_.show(status_text(*status, static_cast<std::size_t>(columns), colour_)));
    }
}

void StatusRow::fit() {
    const TerminalSize size = size_of_terminal(STDOUT_FILENO);
    if (size.columns != columns_ || size.rows != rows_) {
        columns_ = size.columns;
        rows_ = size.rows;
        out_.write_as_is(row_.resize(columns_, rows_));
    }
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

void StatusRow::wait_for_resize() {
    resized_.async_wait([this](const boost::system::error_code& error, int /*number*/) {
        if (error || !runs_) {
            return;
        }
        fit();
        draw();
        wait_for_resize();
    });
}

}  // namespace vml
