#include "screen/guest_text.h"

#include <utility>

#include "screen/log_text.h"
#include "screen/terminal_text.h"

namespace vml::screen {

namespace {

// Every byte; what is known of its lines is what a log would show of them.
class RawText : public GuestText {
  public:
    std::string feed(std::string_view bytes) override {
        if (!bytes.empty()) {
            mid_line_ = bytes.back() != '\n';
        }
        return std::string{bytes};
    }
    [[nodiscard]] bool mid_line() const override { return mid_line_; }
    std::string before_own_lines() override { return std::exchange(mid_line_, false) ? "\n" : ""; }
    std::string after_own_lines() override { return ""; }
    std::string restore() override { return before_own_lines(); }

  private:
    bool mid_line_ = false;
};

}  // namespace

std::unique_ptr<GuestText> guest_text(const OutputKind& output) {
    if (output.terminal) {
        return std::make_unique<TerminalText>(TerminalText::Config{output.keyboard, output.raw, output.rows});
    }
    if (output.raw) {
        return std::make_unique<RawText>();
    }
    return std::make_unique<LogText>();
}

}  // namespace vml::screen
