// The time of a watch, by a clock that nobody sets: waits and ages go on as they are where the system's clock
// is set. Pure.
#pragma once

#include <cmath>

namespace vml::netwatch {

// All in seconds. What it counts are seconds since 1970 as the system's clock had it when the watch began.
class WatchClock {
  public:
    // `wall` since 1970; `steady` since whenever.
    WatchClock(double wall, double steady) : behind_{wall - steady}, now_{wall} {}

    void read(double wall, double steady) {
        constexpr double noticeable = 0.5;  // less is the system's clock being adjusted bit by bit
        now_ = steady + behind_;
        if (std::abs(wall - now_ - set_by_) > noticeable) {
            set_before_ = set_by_;
            set_by_ = wall - now_;
        }
    }

    // As of the last reading.
    [[nodiscard]] double now() const { return now_; }
    // Of a frame that the kernel stamped by the system's clock, before or after that was set.
    [[nodiscard]] double of_frame(double at) const {
        const bool before = std::abs(at - set_before_ - now_) < std::abs(at - set_by_ - now_);
        return at - (before ? set_before_ : set_by_);
    }
    // As the system's clock has it now: for people and programs to read.
    [[nodiscard]] double shown(double when) const { return when + set_by_; }

  private:
    double behind_;
    double now_;
    double set_by_ = 0;  // so much the system's clock has been put forward since
    double set_before_ = 0;
};

}  // namespace vml::netwatch
