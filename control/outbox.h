// What a client has yet to take. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vml::control {

class Outbox {
  public:
    [[nodiscard]] bool empty() const { return size() == 0; }
    [[nodiscard]] std::size_t size() const { return bytes_.size() - sent_; }
    [[nodiscard]] std::string_view waiting() const { return std::string_view{bytes_}.substr(sent_); }

    void add(std::string_view bytes) { bytes_ += bytes; }
    // Of a stream, whose sender cannot wait: where `most` would be exceeded it is lost, and so is all that
    // follows until the client has taken what there is. Then it is told how much it lost.
    void add_to_stream(std::string_view bytes, std::size_t most);
    // So many of the bytes that were waiting.
    void sent(std::size_t count);

  private:
    std::string bytes_;
    std::size_t sent_ = 0;  // so many of them, at the front
    std::size_t lost_ = 0;
};

}  // namespace vml::control
