#include "base/log.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/text.h"

namespace vml {

namespace {

double seconds_since_epoch() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Text that came from a guest or a file need not be UTF-8: the log goes on all the same.
std::string dump(const nlohmann::json& value) {
    return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string format_log_line(LogFormat format, LogLevel level, std::string_view message, double now) {
    if (format == LogFormat::json) {
        return dump({{"time", now}, {"level", to_string(level)}, {"message", message}});
    }
    const std::string shown = visible(message, "\n\t");
    if (level == LogLevel::info) {
        return fmt::format("vm-launch: {}", shown);
    }
    return fmt::format("vm-launch: {}: {}", to_string(level), shown);
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

std::string format_fault(LogFormat format, const Fault& fault, double now, std::string_view event) {
    if (format == LogFormat::json) {
        nlohmann::json line{{"time", now},           {"level", "error"},
                            {"message", fault.what}, {"why", fault.why},
                            {"hint", fault.hint},    {"exit_code", static_cast<int>(fault.code)}};
        if (!event.empty()) {
            line["event"] = event;
        }
        return dump(line);
    }
    return format_log_line(format, LogLevel::error, to_text(fault), now);
}

Log::Log(LogLevel threshold, LogFormat format, Sink sink, Wording wording)
    : threshold_{threshold}, format_{format}, sink_{std::move(sink)}, wording_{std::move(wording)} {}

std::string Log::worded(std::string_view text) const {
    return wording_ ? wording_(text) : std::string{text};
}

void Log::write(LogLevel level, std::string_view message) {
    if (level >= threshold_) {
        sink_(format_log_line(format_, level, message, seconds_since_epoch()) + "\n");
    }
}

void Log::tell(LogLevel level, std::string_view message, const LogSubject& subject) {
    if (level >= threshold_) {
        sink_(format_log_line(format_, level, worded(message), subject, seconds_since_epoch()) + "\n");
    }
}

void Log::fault(const Fault& fault, std::string_view event) {
    const Fault told{fault.what, fault.why, worded(fault.hint), fault.code};
    sink_(format_fault(format_, told, seconds_since_epoch(), event) + "\n");
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
