#include "launcher/events/run_record.h"

#include <ctime>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "bootwatch/stage.h"

namespace vml::events {

namespace {

using nlohmann::ordered_json;

std::string dumped(const ordered_json& object) {
    return object.dump(-1, ' ', true, ordered_json::error_handler_t::replace) + "\n";
}

ordered_json head_of(std::string_view name, const Stamp& stamp, std::optional<std::uint64_t> number) {
    ordered_json object{{"v", version}, {"event", name}};
    if (number) {
        object["seq"] = *number;
    }
    object["t"] = boot::rounded(stamp.t);
    object["time"] = rfc3339(stamp.time);
    return object;
}

// A boot that failed, and comes to one of these all the same, was rescued: by the next device, or by hand.
bool is_beyond_failure(const std::string& stage) {
    const auto named = boot::stage_named(stage);
    return named == boot::Stage::kernel || named == boot::Stage::os || named == boot::Stage::agent;
}

// Of the others the run itself tells no more than so many; and a stage that is new is never left out.
bool has_limit(Kind kind) {
    return kind == Kind::dhcp || kind == Kind::fetch || kind == Kind::console || kind == Kind::qemu;
}

}  // namespace

std::string rfc3339(std::chrono::system_clock::time_point time) {
    using std::chrono::duration_cast;
    const auto since = time.time_since_epoch();
    const auto seconds = duration_cast<std::chrono::seconds>(since);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(seconds.count())),
                       duration_cast<std::chrono::milliseconds>(since - seconds).count());
}

std::string line_of(const Event& event, const Stamp& stamp, std::optional<std::uint64_t> number) {
    return line_of(name_of(event.kind), event.fields, stamp, number);
}

std::string line_of(std::string_view name, const ordered_json& fields, const Stamp& stamp,
                    std::optional<std::uint64_t> number) {
    ordered_json object = head_of(name, stamp, number);
    std::string line = dumped(object);
    if (!fields.empty()) {
        line.replace(line.rfind('}'), std::string::npos, ",");
        line.append(dumped(fields), 1);
    }
    if (line.size() > longest_line) {
        object["too_long"] = true;
        line = dumped(object);
    }
    return line;
}

std::optional<Told> RunRecord::take(Event event, const Stamp& stamp) {
    if (event.kind == Kind::boot) {
        counts_.clear();
    }
    const std::uint64_t count = has_limit(event.kind) ? ++counts_[event.kind] : 0;
    if (count > most_of_a_kind + 1) {
        return std::nullopt;
    }
    Told told{count > most_of_a_kind ? limit(event.kind, most_of_a_kind) : std::move(event), stamp,
              ++number_};
    remember(told);
    return told;
}

std::string RunRecord::present() const {
    std::string lines;
    for (const auto* part : {&begin_, &boot_, &stages_, &verdict_}) {
        for (const Told& told : *part) {
            lines += line_of(told);
        }
    }
    return lines;
}

void RunRecord::remember(const Told& told) {
    const Event& event = told.event;
    if (event.kind == Kind::begin) {
        begin_ = {told};
    } else if (event.kind == Kind::boot) {
        boot_ = {told};
        stages_.clear();
        verdict_.clear();
        proved_.clear();
    } else if (event.kind == Kind::verdict) {
        verdict_ = {told};
    } else if (event.kind == Kind::stage) {
        stage_detail_ = event.fields.value("detail", "");
        if (event.fields.value("reached", false) && proved_.insert(event.fields.value("stage", "")).second) {
            stages_.push_back(told);
            if (is_beyond_failure(event.fields.value("stage", ""))) {
                verdict_.clear();
            }
        }
    }
}

}  // namespace vml::events
