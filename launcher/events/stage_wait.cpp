#include "launcher/events/stage_wait.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "bootwatch/stage.h"
#include "launcher/events/event.h"

namespace vml::events {

namespace {

using nlohmann::json;

bool is(const json& event, Kind kind) {
    return event.is_object() && text_at(event, "event") == name_of(kind);
}

// An exit code that stands for a failure.
ExitCode failure_of(const json& object, const char* key) {
    constexpr int most = 255;
    const int code = number_at<int>(object, key).value_or(1);
    return static_cast<ExitCode>(code < 1 || code > most ? 1 : code);
}

Fault fault_in(const json& verdict, ExitCode code) {
    return {printable(text_at(verdict, "what")), printable(text_at(verdict, "why")),
            printable(text_at(verdict, "hint")), code};
}

json member(const json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() ? json() : *found;
}

double at_of(const json& event) {
    const json at = member(event, "at");
    return at.is_number() ? at.get<double>() : 0;
}

std::string stage_sentence(const json& event) {
    const std::string name = text_at(event, "stage");
    const auto stage = boot::stage_named(name);
    return fmt::format("[{:6.2f} s] {}: {}", at_of(event), stage ? boot::title_of(*stage) : name,
                       text_at(event, "detail"));
}

}  // namespace

std::optional<StageWait::Result> StageWait::take(const json& event) {
    if (is(event, Kind::boot)) {
        latest_.clear();
    } else if (is(event, Kind::stage) && flag_at(event, "reached")) {
        const std::string name = printable(text_at(event, "stage"));
        const std::string detail = printable(text_at(event, "detail"));
        latest_ = fmt::format("{}: {}", name, detail);
        return name == stage_ ? std::optional{Result{detail, {}}} : std::nullopt;
    } else if (is(event, Kind::verdict)) {
        return Result{{}, fault_in(event, failure_of(event, "code"))};
    } else if (is(event, Kind::end)) {
        const json verdict = member(event, "verdict");
        if (verdict.is_object()) {
            return Result{{}, fault_in(verdict, failure_of(event, "exit_code"))};
        }
        return Result{{},
                      Fault{fmt::format("{} ended before '{}'", vm_, stage_),
                            printable(text_at(event, "summary")), "", failure_of(event, "exit_code")}};
    }
    return std::nullopt;
}

std::string sentence_of(const json& event) {
    std::string text;
    if (is(event, Kind::stage)) {
        text = stage_sentence(event);
    } else if (is(event, Kind::boot) && number_at<unsigned>(event, "boot").value_or(1) > 1) {
        text = fmt::format("[{:6.2f} s] boot number {}", at_of(event),
                           number_at<unsigned>(event, "boot").value_or(0));
    } else if (is(event, Kind::fetch) && text_at(event, "state") == "receiving") {
        text = fmt::format("{}: {} bytes", text_at(event, "url"),
                           number_at<std::uint64_t>(event, "bytes").value_or(0));
    } else if (is(event, Kind::hint)) {
        text = "hint: " + text_at(event, "text");
    } else if (is(event, Kind::verdict)) {
        text = one_line(fault_in(event, ExitCode::failed));
    } else if (is(event, Kind::lost)) {
        text =
            fmt::format("{} events are missing here", number_at<std::uint64_t>(event, "count").value_or(0));
    } else if (is(event, Kind::end)) {
        text = fmt::format("{} (exit code {})", text_at(event, "summary"),
                           number_at<int>(event, "exit_code").value_or(-1));
    }
    return printable(text);
}

}  // namespace vml::events
