#include "launcher/console/qemu_output.h"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>

namespace vml {

namespace {

constexpr std::size_t last_words_kept = 12;

}  // namespace

QemuOutput::QemuOutput(boost::asio::io_context& io, OwnedFd pipe, OnLine on_line)
    : pipe_{io}, on_line_{std::move(on_line)} {
    if (pipe) {
        pipe_.assign(pipe.release());
        pipe_.non_blocking(true);
        read();
    }
}

std::vector<std::string> QemuOutput::last_words() {
    boost::system::error_code error;
    while (!error) {
        const std::size_t count = pipe_.read_some(boost::asio::buffer(bytes_), error);
        took({bytes_.data(), count});
    }
    return {lines_.begin(), lines_.end()};
}

void QemuOutput::read() {
    pipe_.async_read_some(boost::asio::buffer(bytes_),
                          [this](const boost::system::error_code& error, std::size_t count) {
                              if (!error) {
                                  took({bytes_.data(), count});
                                  read();
                              }
                          });
}

void QemuOutput::took(std::string_view bytes) {
    for (const std::string& line : text_.feed(bytes)) {
        on_line_(line);
        lines_.push_back(line);
        if (lines_.size() > last_words_kept) {
            lines_.pop_front();
        }
    }
}

}  // namespace vml
