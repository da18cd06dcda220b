// What QEMU writes to a pipe or socket, line by line: told as it comes, and the last lines kept.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/fd.h"
#include "bootwatch/console_text.h"

namespace vml {

class QemuOutput {
  public:
    using OnLine = std::function<void(const std::string& line)>;

    // Without a descriptor nothing is ever said.
    QemuOutput(boost::asio::io_context& io, OwnedFd pipe, OnLine on_line);

    // What is still in the pipe, then the last lines.
    [[nodiscard]] std::vector<std::string> last_words();

  private:
    void read();
    void took(std::string_view bytes);

    boost::asio::posix::stream_descriptor pipe_;
    OnLine on_line_;
    std::array<char, 4096> bytes_{};
    boot::ConsoleText text_;
    std::deque<std::string> lines_;
};

}  // namespace vml
