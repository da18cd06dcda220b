#include "launcher/netwatch/netwatch.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "bootwatch/stage.h"
#include "capture/explanation.h"
#include "launcher/console/terminal.h"
#include "launcher/explain/explain.h"
#include "launcher/netwatch/net_watch.h"
#include "launcher/process/lock_down.h"
#include "launcher/process/run_user.h"
#include "launcher/start/report_file.h"
#include "netsetup/links.h"

namespace vml {

namespace {

using netwatch::Shown;
using netwatch::WatchRequest;

// What frames alone can show.
constexpr std::array visible_stages{boot::Stage::option_rom, boot::Stage::link,    boot::Stage::discover,
                                    boot::Stage::offer,      boot::Stage::address, boot::Stage::fetch,
                                    boot::Stage::script,     boot::Stage::kernel};

Error wrong_word(std::string what, std::string hint) {
    return Error{{std::move(what), "", std::move(hint), ExitCode::settings}};
}

std::optional<boot::Stage> wanted_stage(const Settings& settings) {
    if (!settings.until) {
        if (settings.boot_timeout) {
            throw wrong_word("watch: --boot-timeout is the time for a stage", "name it: --until STAGE");
        }
        return std::nullopt;
    }
    const auto stage = settings.until->stage;
    if (!stage || std::find(visible_stages.begin(), visible_stages.end(), *stage) == visible_stages.end()) {
        std::vector<std::string> names;
        names.reserve(visible_stages.size());
        for (const boot::Stage each : visible_stages) {
            names.emplace_back(name_of(each));
        }
        throw wrong_word(fmt::format("watch: --until {}: frames do not show it", settings.until->text),
                         "one of " + listed(names));
    }
    return stage;
}

Shown wanted_form(const ReadResult& read, const Environment& environment) {
    const bool terminal = is_our_terminal(STDOUT_FILENO);
    const std::string kind = value_of(environment, "TERM");
    if (read.command.format == OutputFormat::json || (!read.command.format && !terminal)) {
        return Shown::json;
    }
    return terminal && !kind.empty() && kind != "dumb" ? Shown::table : Shown::lines;
}

// An Ethernet link that is up.
net::Link wanted_link(const std::string& name) {
    net::NetlinkSocket socket;
    const std::vector<net::Link> links = net::list_links(socket);
    const net::Link* link = net::link_named(links, name);
    const std::string what = fmt::format("cannot watch {}", name);
    if (link == nullptr) {
        std::vector<std::string> names;
        for (const net::Link& each : links) {
            if (each.ethernet && !each.loopback && each.up) {
                names.push_back(each.name);
            }
        }
        throw Error{{what, "there is no such network interface",
                     names.empty() ? "" : "of those that are up: " + listed(names), ExitCode::host}};
    }
    if (!link->ethernet || link->loopback) {
        throw Error{{what, "it is not an Ethernet interface", "a bridge, a NIC or a tap, by its name",
                     ExitCode::host}};
    }
    if (!link->up) {
        throw Error{{what, "it is down", fmt::format("ip link set {} up", name), ExitCode::host}};
    }
    return *link;
}

WatchRequest request_of(const ReadResult& read, const Environment& environment) {
    if (read.command.words.size() != 1) {
        throw wrong_word("watch: name one network interface", "vm-launch watch br0");
    }
    const Settings& settings = read.settings;
    refuse_packets(settings.reports, "watch");
    constexpr capture::KeptBoots for_report{.most = 8, .weight = std::size_t{64} << 10};
    constexpr capture::KeptBoots none{.most = 0, .weight = 0};
    return {.link = read.command.words.front(),
            .only = wanted_mac(read),
            .until = wanted_stage(settings),
            .timeout = settings.boot_timeout,
            .shown = wanted_form(read, environment),
            .boots = settings.reports.empty() ? none : for_report};
}

// Everything is open that is needed, but for the reports' files.
void give_up_what_is_not_needed(const std::vector<std::filesystem::path>& reports) {
    OwnRights rights;
    if (reports.empty()) {
        const RunUserFacts facts =
            look_for_run_user(std::nullopt, std::nullopt, [](const std::string&) { return std::string{}; });
        rights.user = facts.user;
    }
    for (const std::filesystem::path& report : reports) {
        std::error_code ignored;
        const auto folder =
            std::filesystem::absolute(std::filesystem::weakly_canonical(report, ignored)).parent_path();
        rights.reach.files.push_back({folder, FileUse::change});
    }
    give_up_rights(rights);
}

}  // namespace

int watch_interface(const ReadResult& read, const Environment& environment) {
    WatchRequest request = request_of(read, environment);
    const std::string link = request.link;
    request.link_index = wanted_link(link).index;
    const std::vector<ReportFile> reports = open_reports(read.settings.reports, "--report");
    net::LinkWatcher links{{request.link_index}};
    net::FrameRing ring{request.link_index, link};
    netwatch::NetWatch watch{std::move(request), ring, links};
    give_up_what_is_not_needed(read.settings.reports);
    check_reports(reports, "--report");
    const netwatch::WatchEnd end = watch.run();
    if (!reports.empty()) {
        write_explanation(reports, watch.explanation());
    }
    if (end.fault) {
        throw Error{*end.fault};
    }
    return end.exit_code;
}

}  // namespace vml
