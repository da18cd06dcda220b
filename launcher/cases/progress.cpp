#include "launcher/cases/progress.h"

#include <cstddef>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"

namespace vml::cases {

namespace {

constexpr std::size_t longest_event = std::size_t{64} << 10;  // docs/events.md: none has more than 32 KiB
constexpr std::size_t longest_line = 4096;
constexpr std::size_t longest_tail = std::size_t{16} << 10;

std::optional<Pattern> compiled(const std::optional<std::string>& expression) {
    if (!expression) {
        return std::nullopt;
    }
    auto pattern = Pattern::compile(*expression);
    return std::holds_alternative<Pattern>(pattern) ? std::optional{std::get<Pattern>(std::move(pattern))}
                                                    : std::nullopt;
}

}  // namespace

Progress::Progress(const std::optional<std::string>& console)
    : pattern_{compiled(console)},
      event_lines_{longest_event},
      console_lines_{longest_line},
      log_lines_{longest_line},
      console_tail_{longest_tail},
      log_tail_{longest_tail} {}

void Progress::events(std::string_view bytes) {
    event_lines_.feed(bytes, [this](std::string_view line) { event(line); });
}

void Progress::console(std::string_view bytes) {
    console_seen_ = console_seen_ || !bytes.empty();
    console_lines_.feed(bytes, [this](std::string_view line) { console_line(line); });
}

void Progress::log(std::string_view bytes) {
    log_lines_.feed(bytes, [this](std::string_view line) { log_tail_.add(printable(line)); });
}

void Progress::finish() {
    console_lines_.finish([this](std::string_view line) { console_line(line); });
    log_lines_.finish([this](std::string_view line) {
        if (!line.empty()) {
            log_tail_.add(printable(line));
        }
    });
}

void Progress::event(std::string_view line) {
    const nlohmann::json event = parse_json(line);
    const std::string kind = event.is_object() ? text_at(event, "event") : "";
    if (kind == "boot") {
        stage_.clear();
    } else if (kind == "stage" && flag_at(event, "reached")) {
        stage_ = printable(fmt::format("{:<8}  {}", text_at(event, "stage"), text_at(event, "detail")));
    }
}

void Progress::console_line(std::string_view line) {
    matched_ = matched_ || (pattern_ && pattern_->is_in(line));
    if (!line.empty()) {
        console_tail_.add(printable(line));
    }
}

}  // namespace vml::cases
