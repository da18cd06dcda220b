// Room to read into. It is not cleared: what is never written costs no page of memory, and a start none of
// the time that clearing takes.
#pragma once

#include <cstddef>
#include <memory>

namespace vml {

template <std::size_t Size>
class ReadBuffer {
  public:
    [[nodiscard]] char* data() noexcept { return bytes_.get(); }
    [[nodiscard]] const char* data() const noexcept { return bytes_.get(); }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return Size; }

  private:
    // NOLINTNEXTLINE(*-avoid-c-arrays): the one owner of room that is left as it is
    std::unique_ptr<char[]> bytes_ = std::make_unique_for_overwrite<char[]>(Size);
};

}  // namespace vml
