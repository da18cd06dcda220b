// How much of what a guest says is looked at before the reading rests: a guest may write into its port
// without end, and that is to cost no processor's time without end. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace vml {

class AgentCredit {
  public:
    // So many bytes of one line came that belong to no answer that is awaited; true once the reading is to
    // rest.
    [[nodiscard]] bool spend(std::size_t bytes) {
        left_ -= std::min(left_, per_line + bytes / bytes_for_one);
        return left_ == 0;
    }
    void rested() { left_ = at_once; }

    // 10,000 lines or 40 MiB a second: one processor's hundredth part. An agent says a few lines.
    static constexpr std::chrono::milliseconds rest_time{100};
    static constexpr std::size_t per_line = 64;
    static constexpr std::size_t at_once = 1000 * per_line;

  private:
    static constexpr std::size_t bytes_for_one = 64;  // to pass over them takes next to nothing

    std::size_t left_ = at_once;
};

}  // namespace vml
