// What a client has yet to take. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace vml::control {

// What a reader finds in the place of what was lost: so many bytes, of so many writes.
using LostNotice = std::function<std::string(std::size_t bytes, std::size_t writes)>;

class Outbox {
  public:
    // Without a notice of its own the reader finds a line for people.
    void notice_losses_by(LostNotice notice) { notice_ = std::move(notice); }

    [[nodiscard]] bool empty() const { return size() == 0; }
    [[nodiscard]] std::size_t size() const { return bytes_.size() - sent_; }
    [[nodiscard]] std::string_view waiting() const { return std::string_view{bytes_}.substr(sent_); }

    void add(std::string_view bytes) { bytes_ += bytes; }
    // Of a stream, whose sender cannot wait: where `most` would be exceeded it is lost, and so is all that
    // follows until the client has taken what there is. Then it is told how much it lost. What is added to an
    // empty one is never lost, if it is no longer than that.
    void add_to_stream(std::string_view bytes, std::size_t most);
    // The last of a stream, which is never lost: what was lost before it is told first.
    void add_last(std::string_view bytes);
    // So many of the bytes that were waiting.
    void sent(std::size_t count);

  private:
    void add_notice();

    std::string bytes_;
    std::size_t sent_ = 0;         // so many of them, at the front
    std::size_t lost_ = 0;         // bytes,
    std::size_t lost_writes_ = 0;  // and how many were added
    LostNotice notice_;
};

}  // namespace vml::control
