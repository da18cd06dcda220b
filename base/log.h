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

// As above for a fault: JSON carries what, why, hint and the exit code as fields of their own.
// With what it is about (LogSubject), if that is something.
[[nodiscard]] std::string format_fault(LogFormat format, const Fault& fault, double now,
                                       std::string_view event = {});

class Log {
  public:
    // `write` gets whole lines, newline included.
    using Sink = std::function<void(std::string_view)>;

    // How a line is worded for the user at hand; none: as it is.
    using Wording = std::function<std::string(std::string_view)>;

    Log(LogLevel threshold, LogFormat format, Sink sink, Wording wording = {});

    void debug(std::string_view message) { write(LogLevel::debug, message); }
    void info(std::string_view message) { write(LogLevel::info, worded(message)); }
    void warning(std::string_view message) { write(LogLevel::warning, worded(message)); }
    void tell(LogLevel level, std::string_view message, const LogSubject& subject);
    // Of a fault the hint alone is worded anew: the rest may be another program's words.
    void fault(const Fault& fault, std::string_view event = {});

    // As it is told to the user at hand.
    [[nodiscard]] std::string worded(std::string_view text) const;

  private:
    void write(LogLevel level, std::string_view message);

    LogLevel threshold_;
    LogFormat format_;
    Sink sink_;
    Wording wording_;
};

// Writes to standard error, whole lines at once, whatever happens to the other end.
[[nodiscard]] Log::Sink stderr_sink();

}  // namespace vml
