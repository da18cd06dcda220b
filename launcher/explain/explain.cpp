#include "launcher/explain/explain.h"

#include <filesystem>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/output.h"
#include "capture/explanation.h"
#include "launcher/explain/capture_file.h"
#include "launcher/settings/run_options.h"
#include "launcher/start/report_file.h"

namespace vml {

namespace {

using capture::Explanation;

Error refused(std::string what, std::string hint) {
    return Error{{std::move(what), "", std::move(hint), ExitCode::settings}};
}

// The first of these, as text.
std::string some_of(const std::set<Mac>& macs) {
    constexpr std::size_t most = 8;
    std::vector<std::string> shown;
    for (const Mac& mac : macs) {
        if (shown.size() < most) {
            shown.push_back(mac_text(mac));
        }
    }
    return fmt::format(
        "{}{}", fmt::join(shown, ", "),
        macs.size() <= most
            ? ""
            : fmt::format(" and {}{} more", macs.size() >= capture::Machines::most_hosts ? "at least " : "",
                          macs.size() - most));
}

// Why there is nothing to explain, if there is not.
std::optional<Fault> nothing_in(const Explanation& explanation, const capture::Machines& machines,
                                const std::optional<Mac>& wanted) {
    if (wanted && explanation.machines.empty() && !machines.other_machines().empty()) {
        return Fault{
            fmt::format("{} did not boot from the network in {}", mac_text(*wanted), explanation.file),
            "these did: " + some_of(machines.other_machines()), "", ExitCode::no_machine};
    }
    return no_machine_in(explanation);
}

Explanation explained(const std::string& file, capture::Machines& machines) {
    const CaptureEnd end = read_capture(
        file, [&](double at, capture::LinkLayer link, Bytes captured, const capture::FrameNotes& notes) {
            machines.frame(at, link, captured, notes);
        });
    return {file == "-" ? "standard input" : file,
            end.kind,
            machines.counts(),
            machines.other_hosts(),
            machines.found(),
            end.damage,
            end.run_end};
}

std::string json_text(const Explanation& explanation) {
    return as_json(explanation).dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

std::optional<Mac> wanted_mac(const ReadResult& read) {
    if (read.settings.nics.empty() || !read.settings.nics.front().mac) {
        return std::nullopt;
    }
    return mac_from_text(*read.settings.nics.front().mac);
}

void refuse_packets(const std::vector<std::filesystem::path>& reports, std::string_view who) {
    for (const std::filesystem::path& report : reports) {
        if (kind_of_report(report) == ReportKind::packets) {
            throw refused(fmt::format("{} writes no packets: --report {}", who, report.string()),
                          "a name that ends with .json or .html; a VM's own run writes .pcapng");
        }
    }
}

void write_explanation(const std::vector<ReportFile>& files, const Explanation& explanation) {
    for (const ReportFile& file : files) {
        const std::string text =
            kind_of_report(file.path) == ReportKind::page ? as_html(explanation) : json_text(explanation);
        if (const int error = write_report(file, text); error != 0) {
            throw Error{{fmt::format("cannot write the report {}", file.path.string()), errno_text(error), "",
                         ExitCode::report}};
        }
    }
}

int explain_capture(const ReadResult& read) {
    if (read.command.words.size() != 1) {
        throw refused("explain: name one capture", "vm-launch explain FILE.pcap; - is standard input");
    }
    const std::optional<Mac> wanted = wanted_mac(read);
    refuse_packets(read.settings.reports, "explain");
    capture::Machines machines{wanted};
    const Explanation explanation = explained(read.command.words.front(), machines);
    const std::vector<ReportFile> files = open_reports(read.settings.reports, "--report");
    const auto none = nothing_in(explanation, machines, wanted);
    if (read.command.format == OutputFormat::json) {
        print(json_text(explanation));
    } else if (!none) {
        print(as_text(explanation));
    }
    write_explanation(files, explanation);
    if (none) {
        throw Error{*none};
    }
    return exit_code_of(explanation);
}

}  // namespace vml
