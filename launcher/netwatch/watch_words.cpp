#include "launcher/netwatch/watch_words.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "bootwatch/report.h"
#include "bootwatch/stage.h"
#include "bootwatch/timeline.h"
#include "capture/wording.h"

namespace vml::netwatch {

namespace {

using capture::News;
using nlohmann::ordered_json;

std::string line(double when, std::string_view who, std::string_view what, std::string_view words) {
    return fmt::format("{}  {:<17}  {:<16}  {}\n", capture::utc_text(when), who, what, printable(words));
}

ordered_json with_machine(const News& news, const ordered_json& fields) {
    ordered_json all{{"machine", mac_text(news.mac)}, {"boot", news.boot}};
    all.update(fields);
    return all;
}

Telling stage(const News& news) {
    const boot::Mark& mark = news.mark;
    const bool only_told = !mark.proves && mark.stage != boot::Stage::fetch;
    return {"stage", news.when, with_machine(news, boot::mark_as_json(mark)),
            line(news.when, mac_text(news.mac), title_of(mark.stage),
                 mark.detail + (only_told ? " (told, not reached)" : ""))};
}

Telling verdict(const News& news) {
    const Fault& fault = news.verdict;
    ordered_json fields = boot::fault_as_json(fault);
    fields["over"] = news.over;
    const std::string who = mac_text(news.mac);
    std::string text = line(news.when, who, "verdict",
                            fmt::format("{} (exit code {})", fault.what, static_cast<int>(fault.code)));
    if (!fault.why.empty()) {
        text += line(news.when, who, "why", fault.why);
    }
    if (!fault.hint.empty()) {
        text += line(news.when, who, "hint", fault.hint);
    }
    return {"verdict", news.when, with_machine(news, fields), std::move(text)};
}

}  // namespace

Telling told_of(const News& news) {
    const std::string who = mac_text(news.mac);
    switch (news.kind) {
        case News::Kind::boot:
            return {"boot", news.when, with_machine(news, {{"at", 0}}),
                    line(news.when, who, "boot",
                         news.boot == 1 ? "begins" : fmt::format("number {} begins", news.boot))};
        case News::Kind::mark:
            return stage(news);
        case News::Kind::verdict:
            return verdict(news);
        case News::Kind::goes_on:
            return {"goes-on", news.when, with_machine(news, {{"at", boot::rounded(news.at)}}),
                    line(news.when, who, "goes on", "the verdict before does not hold")};
        case News::Kind::gives_way:
            return {"gives-way", news.when, with_machine(news, {{"at", boot::rounded(news.at)}}),
                    line(news.when, who, "gives way", "is not watched any more: others need its place")};
    }
    return {};
}

Telling watching(const std::string& link, const std::optional<Mac>& only, double when) {
    return {
        "watching",
        when,
        {{"interface", link}, {"only", only ? ordered_json(mac_text(*only)) : ordered_json(nullptr)}},
        line(when, link, "watching", only ? "the boots of " + mac_text(*only) : "the boots of all machines")};
}

Telling link_turned(const std::string& link, bool up, double when) {
    return {"link",
            when,
            {{"interface", link}, {"up", up}},
            line(when, link, "link", up ? "up again" : "down: nothing is seen until it is up again")};
}

Telling frames_lost(std::uint64_t count, double when) {
    return {"frames-lost",
            when,
            {{"count", count}},
            line(when, "", "frames lost",
                 fmt::format("{} came faster than they were taken: no failure of the boots that run is "
                             "certain any more",
                             boot::counted(count, "frame")))};
}

Tally tally_of(const std::vector<capture::MachineNow>& machines) {
    Tally tally;
    for (const capture::MachineNow& machine : machines) {
        ++tally.machines;
        ++(!machine.verdict                        ? tally.under_way
           : machine.verdict->code == ExitCode::ok ? tally.well
                                                   : tally.failed);
    }
    return tally;
}

Telling ended(const Ending& ending, double when) {
    const Tally& tally = ending.tally;
    std::string text =
        fmt::format("{}: {}, {} in {:.1f} s: {} got what they asked for, {} failed, {} under way", ending.why,
                    boot::counted(tally.machines, "machine"), boot::counted(ending.frames, "frame"),
                    ending.lasted, tally.well, tally.failed, tally.under_way);
    if (ending.gave_way > 0) {
        text += fmt::format("; {} gave way before", boot::counted(ending.gave_way, "machine"));
    }
    if (ending.lost > 0) {
        text += fmt::format("; {} lost", boot::counted(ending.lost, "frame"));
    }
    return {"end",
            when,
            {{"exit_code", ending.exit_code},
             {"summary", text},
             {"machines", tally.machines},
             {"well", tally.well},
             {"failed", tally.failed},
             {"under_way", tally.under_way},
             {"gave_way", ending.gave_way},
             {"frames", ending.frames},
             {"frames_lost", ending.lost}},
            line(when, ending.link, "end", text)};
}

}  // namespace vml::netwatch
