// What of a guest's console bytes reaches the user, by what he reads them on. Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace vml::screen {

// One console's way to one output. Each string that is returned is to be written there, in order.
class GuestText {
  public:
    GuestText() = default;
    virtual ~GuestText() = default;
    GuestText(const GuestText&) = delete;
    GuestText& operator=(const GuestText&) = delete;
    GuestText(GuestText&&) = delete;
    GuestText& operator=(GuestText&&) = delete;

    [[nodiscard]] virtual std::string feed(std::string_view bytes) = 0;

    // Does text of the guest's stand on the line that the next byte goes to?
    [[nodiscard]] virtual bool mid_line() const = 0;
    // Around lines that are not the guest's: they begin a line, nothing clips or colours them, and the guest
    // goes on behind them as if they were not there.
    [[nodiscard]] virtual std::string before_own_lines() = 0;
    [[nodiscard]] virtual std::string after_own_lines() = 0;
    // The guest writes no more (for now): the output becomes what it was before.
    [[nodiscard]] virtual std::string restore() = 0;
    // An operating system has the console now, or (after a reset) firmware has it again.
    virtual void system_runs(bool /*runs*/) {}
};

struct OutputKind {
    bool terminal = false;  // else a pipe, a file or a journal, which gets text alone
    bool keyboard = false;  // the terminal's user types to the guest: its questions to it are answered
    bool raw = false;       // every byte as it comes
    int rows = 24;          // the terminal's
};

[[nodiscard]] std::unique_ptr<GuestText> guest_text(const OutputKind& output);

}  // namespace vml::screen
