#include "base/log.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/text.h"

namespace vml {

namespace {

constexpr std::string_view prefix = "vm-launch: ";
constexpr std::string_view done_sign = "✓";

double seconds_since_epoch() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Text that came from a guest or a file need not be UTF-8: the log goes on all the same.
std::string dump(const nlohmann::json& value) {
    return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

nlohmann::json fault_line(const Fault& fault, double now) {
    return {{"time", now},      {"level", "error"},   {"message", fault.what},
            {"why", fault.why}, {"hint", fault.hint}, {"exit_code", static_cast<int>(fault.code)}};
}

std::string fault_text(const Fault& fault) {
    return fmt::format("{}error[{}]: {}", prefix, static_cast<int>(fault.code),
                       visible(to_text(fault), "\n\t"));
}

// Select Graphic Rendition (ECMA-48, 8.3.117).
std::string_view colour_of(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return "\x1b[2m";
        case LogLevel::info:
            return "";
        case LogLevel::warning:
            return "\x1b[33m";
        case LogLevel::error:
            return "\x1b[1;31m";
    }
    return "";
}

}  // namespace

std::string format_log_line(LogFormat format, LogLevel level, std::string_view message, double now) {
    if (format == LogFormat::json) {
        return dump({{"time", now}, {"level", to_string(level)}, {"message", message}});
    }
    const std::string shown = visible(message, "\n\t");
    if (level == LogLevel::info) {
        return fmt::format("{}{}", prefix, shown);
    }
    return fmt::format("{}{}: {}", prefix, to_string(level), shown);
}

std::string format_log_line(LogFormat format, LogLevel level, std::string_view message,
                            const LogSubject& subject, double now) {
    if (format == LogFormat::text) {
        return format_log_line(format, level, message, now);
    }
    nlohmann::json line{
        {"time", now}, {"level", to_string(level)}, {"message", message}, {"event", subject.event}};
    for (const auto& [key, value] : subject.fields.items()) {
        line.emplace(key, value);
    }
    return dump(line);
}

std::string format_fault(LogFormat format, const Fault& fault, double now) {
    return format == LogFormat::json ? dump(fault_line(fault, now)) : fault_text(fault);
}

std::string format_fault(LogFormat format, const Fault& fault, const LogSubject& subject,
                         std::string_view below, double now) {
    if (format == LogFormat::text) {
        return fault_text(fault) + (below.empty() ? "" : "\n" + visible(below, "\n\t"));
    }
    nlohmann::json line = fault_line(fault, now);
    line["event"] = subject.event;
    for (const auto& [key, value] : subject.fields.items()) {
        line.emplace(key, value);
    }
    return dump(line);
}

bool wants_colour(ColourChoice choice, bool terminal, std::string_view term, std::string_view no_color) {
    const bool by_itself = terminal && !term.empty() && term != "dumb" && no_color.empty();
    return choice == ColourChoice::always || (choice == ColourChoice::automatic && by_itself);
}

std::string in_colour(LogLevel level, std::string_view line) {
    std::string_view rest = line;
    rest.remove_prefix(rest.starts_with(prefix) ? prefix.size() : 0);
    std::string coloured = rest.size() < line.size() ? fmt::format("\x1b[2m{}\x1b[22m", prefix) : "";
    const std::string_view colour = colour_of(level);
    if (const std::size_t end = rest.find(": "); !colour.empty() && end != std::string_view::npos) {
        coloured += fmt::format("{}{}\x1b[0m", colour, rest.substr(0, end + 1));
        rest.remove_prefix(end + 1);
    } else if (rest.starts_with(done_sign)) {
        coloured += fmt::format("\x1b[32m{}\x1b[39m", done_sign);
        rest.remove_prefix(done_sign.size());
    }
    return coloured.append(rest);
}

Log::Log(LogLevel threshold, LogFormat format, Sink sink, Wording wording, bool colour)
    : threshold_{threshold},
      format_{format},
      sink_{std::move(sink)},
      wording_{std::move(wording)},
      colour_{colour && format == LogFormat::text} {}

std::string Log::worded(std::string_view text) const {
    return wording_ ? wording_(text) : std::string{text};
}

Fault Log::worded(const Fault& fault) const {
    return {fault.what, fault.why, worded(fault.hint), fault.code};
}

void Log::put(LogLevel level, std::string line) const {
    sink_((colour_ ? in_colour(level, line) : std::move(line)) + "\n");
}

void Log::write(LogLevel level, std::string_view message) {
    if (level >= threshold_) {
        put(level, format_log_line(format_, level, message, seconds_since_epoch()));
    }
}

void Log::tell(LogLevel level, std::string_view message, const LogSubject& subject) {
    constexpr std::string_view last_of_all = "end";  // whoever reads JSON waits for it
    if (level >= threshold_ || (format_ == LogFormat::json && subject.event == last_of_all)) {
        put(level, format_log_line(format_, level, worded(message), subject, seconds_since_epoch()));
    }
}

void Log::fault(const Fault& fault) {
    put(LogLevel::error, format_fault(format_, worded(fault), seconds_since_epoch()));
}

void Log::fault(const Fault& fault, const LogSubject& subject, std::string_view below) {
    put(LogLevel::error, format_fault(format_, worded(fault), subject, below, seconds_since_epoch()));
}

Log::Sink stderr_sink() {
    return [](std::string_view line) {
        while (!line.empty()) {
            const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
            if (written <= 0) {
                return;  // a closed standard error must not stop the VM
            }
            line.remove_prefix(static_cast<std::size_t>(written));
        }
    };
}

}  // namespace vml
