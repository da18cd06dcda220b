// Where vm-launch and the guest write: standard output, standard error, and the log whose lines keep clear of
// the guest's. Runs in the event loop.
#pragma once

#include <boost/asio/io_context.hpp>

#include "base/log.h"
#include "launcher/console/output_queue.h"
#include "launcher/console/own_lines.h"

namespace vml {

class ScreenLog {
  public:
    ScreenLog(boost::asio::io_context& io, LogLevel level, LogFormat format, Log::Wording wording = {},
              bool colour = false);

    [[nodiscard]] Log& log() { return log_; }
    [[nodiscard]] OutputQueue& out() { return out_; }
    [[nodiscard]] OwnLines& own_lines() { return own_lines_; }

    // At the end of a run: all of it goes out, unless the reader is too slow.
    void flush();

  private:
    OutputQueue out_;
    OutputQueue err_;
    OwnLines own_lines_;
    Log log_;
};

}  // namespace vml
