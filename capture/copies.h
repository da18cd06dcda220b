// Frames that a capture has twice: a mirror port copies them on their way in and out, a router passes them
// on. Pure.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace vml::capture {

class Copies {
  public:
    // Was the same Ethernet frame there a moment ago? `at` in seconds.
    [[nodiscard]] bool is_copy(double at, Bytes frame);

  private:
    std::vector<std::pair<double, std::size_t>> latest_;  // time and hash, a ring
    std::size_t next_ = 0;
};

}  // namespace vml::capture
