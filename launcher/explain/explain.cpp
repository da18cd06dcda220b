#include "launcher/explain/explain.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/output.h"
#include "capture/explanation.h"
#include "launcher/explain/capture_file.h"
#include "launcher/start/report_file.h"

namespace vml {

namespace {

using capture::Explanation;

Error refused(std::string what, std::string hint) {
    return Error{{std::move(what), "", std::move(hint), ExitCode::settings}};
}

// Variables are about a VM that is started; here flags alone count.
bool is_flag(const ReadResult& read, const std::string& setting, const std::string& flag) {
    const auto found = read.origins.find(setting);
    return found != read.origins.end() && found->second == flag;
}

std::optional<Mac> wanted_mac(const ReadResult& read) {
    if (!is_flag(read, "mac", "--mac") || read.settings.nics.empty() || !read.settings.nics.front().mac) {
        return std::nullopt;
    }
    return mac_from_text(*read.settings.nics.front().mac);
}

std::vector<std::filesystem::path> wanted_reports(const ReadResult& read) {
    return is_flag(read, "report", "--report") ? read.settings.reports : std::vector<std::filesystem::path>{};
}

Explanation explained(const std::string& file) {
    capture::Machines machines;
    const CaptureEnd end = read_capture(file, [&](double at, capture::LinkLayer link, Bytes captured) {
        machines.frame(at, link, captured);
    });
    return {file == "-" ? "standard input" : file,
            end.kind,
            machines.counts(),
            machines.other_hosts(),
            machines.left_out(),
            machines.found(),
            end.damage};
}

void pick(Explanation& explanation, const Mac& wanted) {
    std::vector<std::string> there;
    std::erase_if(explanation.machines, [&](const capture::FoundMachine& machine) {
        there.push_back(mac_text(machine.mac));
        return machine.mac != wanted;
    });
    if (explanation.machines.empty() && !there.empty()) {
        throw Error{
            {fmt::format("{} did not boot from the network in {}", mac_text(wanted), explanation.file),
             fmt::format("these did: {}", fmt::join(there, ", ")), "", ExitCode::no_machine}};
    }
}

std::string json_text(const Explanation& explanation) {
    return as_json(explanation).dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

void write_reports(const std::vector<ReportFile>& files, const Explanation& explanation) {
    for (const ReportFile& file : files) {
        const std::string text =
            file.path.extension() == ".html" ? as_html(explanation) : json_text(explanation);
        if (const int error = write_report(file, text); error != 0) {
            throw Error{{fmt::format("cannot write the report {}", file.path.string()), errno_text(error), "",
                         ExitCode::report}};
        }
    }
}

}  // namespace

int explain_capture(const ReadResult& read) {
    if (read.command.words.size() != 1) {
        throw refused("explain: name one capture", "vm-launch explain FILE.pcap; - is standard input");
    }
    Explanation explanation = explained(read.command.words.front());
    if (const auto mac = wanted_mac(read)) {
        pick(explanation, *mac);
    }
    const std::vector<ReportFile> files = open_reports(wanted_reports(read), "--report");
    const auto none = no_machine_in(explanation);
    if (read.command.format == OutputFormat::json) {
        print(json_text(explanation));
    } else if (!none) {
        print(as_text(explanation));
    }
    if (none) {
        throw Error{*none};
    }
    write_reports(files, explanation);
    return exit_code_of(explanation);
}

}  // namespace vml
