// What one VM's events and output tell while it runs. Memory is bounded, whatever it says. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/pattern.h"
#include "launcher/cases/lines.h"

namespace vml::cases {

class Progress {
  public:
    // `console`: the regular expression that a line of the console is to match; one that is none matches
    // nothing.
    explicit Progress(const std::optional<std::string>& console);

    void events(std::string_view bytes);
    void console(std::string_view bytes);
    void log(std::string_view bytes);
    // What had no line end.
    void finish();

    // The latest stage with its detail, for people: "script  http://…".
    [[nodiscard]] const std::string& stage() const { return stage_; }
    [[nodiscard]] bool console_seen() const { return console_seen_; }
    [[nodiscard]] bool console_matched() const { return matched_; }
    [[nodiscard]] const std::string& console_tail() const { return console_tail_.text(); }
    [[nodiscard]] const std::string& log_tail() const { return log_tail_.text(); }

  private:
    void event(std::string_view line);
    void console_line(std::string_view line);

    std::optional<Pattern> pattern_;
    std::string stage_;
    bool console_seen_ = false;
    bool matched_ = false;
    Lines event_lines_;
    Lines console_lines_;
    Lines log_lines_;
    Tail console_tail_;
    Tail log_tail_;
};

}  // namespace vml::cases
