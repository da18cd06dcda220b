// Lines about a fetch that takes long. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bootwatch/fetches.h"

namespace vml::boot {

class Progress {
  public:
    // Asked after each packet; gives a line when there is something to tell: "http://10.0.2.2/initrd: 12 MB
    // of 60 MB, 10 MB/s, 5 s left".
    std::optional<std::string> next(double at, const std::vector<Fetch>& fetches);

    static constexpr double first_s = 1;  // a fetch that is over sooner needs no line
    static constexpr double every_s = 2;

  private:
    std::size_t fetch_ = 0;
    double told_at_ = 0;
    std::uint64_t told_bytes_ = 0;
};

// A script that makes its answer needs a while, be it a menu from a database: a server that has said nothing
// after so many seconds is worth a line.
inline constexpr double answer_due_s = 15;

// "waiting for 10.0.2.2:80, which took the request for http://10.0.2.2/k 15 s ago and has not answered": of
// the latest fetch, where that is so, and it is time.
[[nodiscard]] std::optional<std::string> overdue_answer(double at, const std::vector<Fetch>& fetches);

// How long nothing of the latest fetch need be looked at: so many seconds in which it cannot end, even at two
// (TFTP) or three times (HTTP) the speed that it had so far. 0 for a fetch that is short, about to end, or of
// unknown size.
[[nodiscard]] double uneventful_s(const std::vector<Fetch>& fetches);

// A rest that ends later than this may have lasted beyond the fetch, and what came behind it was not seen.
inline constexpr double rest_margin_s = 0.2;

}  // namespace vml::boot
