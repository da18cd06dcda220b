#include "launcher/console/screen_log.h"

#include <string_view>
#include <utility>

#include <unistd.h>

#include "launcher/console/terminal.h"

namespace vml {

ScreenLog::ScreenLog(boost::asio::io_context& io, LogLevel level, LogFormat format, Log::Wording wording,
                     bool colour)
    : out_{io, STDOUT_FILENO},
      err_{io, STDERR_FILENO},
      own_lines_{io, out_, err_, sharing_of(STDOUT_FILENO, STDERR_FILENO)},
      log_{level, format, [this](std::string_view line) { own_lines_.print(line); }, std::move(wording),
           colour} {}

void ScreenLog::flush() {
    own_lines_.show();
    out_.flush(OutputQueue::slow_reader_ms);
    err_.flush(OutputQueue::slow_reader_ms);
}

}  // namespace vml
