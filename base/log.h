// vm-launch's own lines: one line an entry, to one descriptor, as text or JSON. Used by main, the subcommands
// and the event loop only; libraries throw instead.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/choice.h"
#include "base/error.h"

namespace vml {

enum class LogLevel { debug, info, warning, error };
template <>
inline constexpr auto choices<LogLevel> = std::to_array<Choice<LogLevel>>({{"debug", LogLevel::debug},
                                                                           {"info", LogLevel::info},
                                                                           {"warning", LogLevel::warning},
                                                                           {"error", LogLevel::error}});

enum class LogFormat { text, json };
template <>
inline constexpr auto choices<LogFormat> = std::to_array<Choice<LogFormat>>(
    {{"text", LogFormat::text}, {"json", LogFormat::json, "one object a line"}});

// Are vm-launch's own lines in colour?
enum class ColourChoice { automatic, always, never };
template <>
inline constexpr auto choices<ColourChoice> = std::to_array<Choice<ColourChoice>>(
    {{"auto", ColourChoice::automatic, "on a terminal, unless NO_COLOR is set or TERM is dumb"},
     {"always", ColourChoice::always},
     {"never", ColourChoice::never}});
// `term` and `no_color` are the variables TERM and NO_COLOR (https://no-color.org), empty where they are not
// set.
[[nodiscard]] bool wants_colour(ColourChoice choice, bool terminal, std::string_view term,
                                std::string_view no_color);

// A line of the log in text, with a dim prefix, its level in colour, and a green ✓ where it begins with one.
[[nodiscard]] std::string in_colour(LogLevel level, std::string_view line);

// One line of the log as it is written, without its newline. Text: "vm-launch: warning: …" ("info" is not
// spelled out), with control characters made visible; JSON: {"level":…,"message":…,"time":…} with seconds
// since the epoch.
[[nodiscard]] std::string format_log_line(LogFormat format, LogLevel level, std::string_view message,
                                          double now);

// What a line is about, for programs: JSON carries it as "event" and fields of its own, text does not.
struct LogSubject {
    std::string_view event;
    const nlohmann::ordered_json& fields;  // none of them is called as the line's own
};
[[nodiscard]] std::string format_log_line(LogFormat format, LogLevel level, std::string_view message,
                                          const LogSubject& subject, double now);

// As above for a fault: text has its exit code ("vm-launch: error[13]: …"), JSON what, why, hint and the exit
// code as fields of their own.
[[nodiscard]] std::string format_fault(LogFormat format, const Fault& fault, double now);
// With what it is about, and, in text, with what stands below it: lines that are indented as those of why and
// hint; empty: nothing.
[[nodiscard]] std::string format_fault(LogFormat format, const Fault& fault, const LogSubject& subject,
                                       std::string_view below, double now);

class Log {
  public:
    // `write` gets whole lines, newline included.
    using Sink = std::function<void(std::string_view)>;

    // How a line is worded for the user at hand; none: as it is.
    using Wording = std::function<std::string(std::string_view)>;

    // `colour`: of what is text.
    Log(LogLevel threshold, LogFormat format, Sink sink, Wording wording = {}, bool colour = false);

    void debug(std::string_view message) { write(LogLevel::debug, message); }
    void info(std::string_view message) { write(LogLevel::info, worded(message)); }
    void warning(std::string_view message) { write(LogLevel::warning, worded(message)); }
    void tell(LogLevel level, std::string_view message, const LogSubject& subject);
    // Of a fault the hint alone is worded anew: the rest may be another program's words.
    void fault(const Fault& fault);
    void fault(const Fault& fault, const LogSubject& subject, std::string_view below);

    // As it is told to the user at hand.
    [[nodiscard]] std::string worded(std::string_view text) const;
    [[nodiscard]] LogFormat format() const { return format_; }

  private:
    void write(LogLevel level, std::string_view message);
    [[nodiscard]] Fault worded(const Fault& fault) const;
    void put(LogLevel level, std::string line) const;

    LogLevel threshold_;
    LogFormat format_;
    Sink sink_;
    Wording wording_;
    bool colour_;
};

// Writes to standard error, whole lines at once, whatever happens to the other end.
[[nodiscard]] Log::Sink stderr_sink();

}  // namespace vml
