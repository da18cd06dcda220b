// The barrier around what happens: whatever a handler throws is reported, and the VM lives on. An odd reply
// of QEMU or a file that cannot be read must not take a guest's power.
#pragma once

#include <functional>
#include <utility>

#include "base/error.h"

namespace vml {

class Guard {
  public:
    using Report = std::function<void(const Fault&)>;

    explicit Guard(Report report) : report_{std::move(report)} {}

    // False when it threw.
    template <typename Work>
    bool run(Work&& work) noexcept {
        try {
            std::forward<Work>(work)();
            return true;
        } catch (...) {
            told();
            return false;
        }
    }

    // The handler as one that throws nothing. Lives as long as the guard.
    template <typename Handler>
    [[nodiscard]] auto around(Handler handler) {
        return [this, handler = std::move(handler)](auto&&... happened) {
            this->run([&] { handler(std::forward<decltype(happened)>(happened)...); });
        };
    }

    // What comes again and again is not told for ever.
    static constexpr unsigned most_reports = 10;

  private:
    // Reports the exception that is being handled.
    void told() noexcept;

    Report report_;
    unsigned reports_ = 0;
};

}  // namespace vml
