#include "launcher/commands/test_vms.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/file.h"
#include "launcher/cases/cell.h"
#include "launcher/cases/judge.h"
#include "launcher/cases/matrix.h"
#include "launcher/cases/results.h"
#include "launcher/cases/test_file.h"
#include "launcher/commands/commands.h"
#include "launcher/commands/run_vm.h"
#include "launcher/commands/subcommands.h"
#include "launcher/commands/test_results.h"
#include "launcher/host/host.h"
#include "launcher/host/system_facts.h"
#include "launcher/settings/boot_word.h"
#include "launcher/settings/option_table.h"
#include "launcher/testing/report_folder.h"
#include "launcher/testing/test_loop.h"
#include "launcher/vm/impossible.h"
#include "launcher/vm/memory_need.h"

namespace vml {

namespace {

std::vector<cases::Case> cases_of(const std::vector<std::string>& words, std::vector<Fault>& faults) {
    if (words.empty()) {
        return {cases::Case{}};
    }
    if (words.size() > 1) {
        faults.push_back({"test: name one file", "", "a file may have many cases", ExitCode::settings});
    }
    cases::TestFile file = cases::read_test_file(read_text_file(words.front()), words.front());
    std::move(file.faults.begin(), file.faults.end(), std::back_inserter(faults));
    return std::move(file.cases);
}

void check_flags(const Layer& flags, std::vector<Fault>& faults) {
    if (flags.values.contains("events")) {
        faults.push_back({"test does not take --events", "it reads each VM's own",
                          "--format json and --report DIR tell of all of them", ExitCode::settings});
    }
    for (const char* flag : {"console", "no-console", "console-raw"}) {
        if (flags.values.contains(flag)) {
            faults.push_back({fmt::format("test does not take --{}", flag), "it reads each VM's console",
                              "--report DIR keeps all of it", ExitCode::settings});
        }
    }
    const auto script = flags.values.find("script");
    if (script != flags.values.end() && script->second.text == "-") {
        faults.push_back(
            {"--script: test cannot give standard input to every VM", "", "name a file", ExitCode::settings});
    }
}

// Variables that are meant for a run, which the test decides by itself.
void tell_what_is_passed_over(const Environment& environment, Log& log) {
    for (const char* flag : {"events", "report", "console", "no-console", "console-raw"}) {
        const std::string variable{find_option(flag)->environment};
        if (!value_of(environment, variable).empty()) {
            log.warning(fmt::format("${} is passed over: test itself reads what each VM says", variable));
        }
    }
}

cases::Cells wanted_cells(const ReadResult& read, const Environment& environment) {
    ParsedCommandLine line = parse_command_line(read.arguments, subcommands());
    std::vector<Fault> faults;
    check_flags(line.layer, faults);
    std::vector<cases::Axis> matrix = cases::axes_of_words(read.command.test.matrix, faults);
    const ReadFile read_config = read_text_file;
    std::vector<cases::Case> asked = cases_of(read.command.words, faults);
    if (!faults.empty()) {
        throw Error{std::move(faults)};
    }
    cases::Cells made = cases::cells_of({std::move(asked), std::move(matrix), std::move(line.layer),
                                         std::move(line.qemu_args), environment, read_config, subcommands()});
    if (!made.faults.empty()) {
        throw Error{std::move(made.faults)};
    }
    return made;
}

// What stands in the way of a cell on this host, and, where nothing does, what it takes.
struct Look {
    std::vector<Fault> faults;
    std::vector<Fault> impossible;
    cases::Load load{};
};

std::vector<std::string> had_alone(const VmSpec& spec) {
    std::vector<std::string> alone;
    const auto add_port = [&](PortProtocol protocol, std::uint16_t port) {
        alone.push_back(fmt::format("port {}/{}", port, to_string(protocol)));
    };
    for (const NicSpec& nic : spec.nics) {
        alone.push_back("address " + nic.mac);
        if (const auto* nat = std::get_if<Nat>(&nic.net)) {
            for (const PortForward& forward : nat->forwards) {
                add_port(forward.protocol, forward.host_port);
            }
        }
    }
    if (spec.vnc) {
        add_port(PortProtocol::tcp, spec.vnc->port);
    }
    for (const DiskSpec& disk : spec.disks) {
        if (disk.image) {
            alone.push_back("image " + real_path(*disk.image).string());
        }
    }
    return alone;
}

Look look_for(const cases::Cell& cell, const Environment& environment) {
    const HostFacts facts = look(cell.read.settings, environment, Moment::does_not);
    const Decision decision = worded(decide(cell.read.settings, cell.read.origins, facts), cell.read);
    Look found;
    if (const auto* faults = std::get_if<std::vector<Fault>>(&decision)) {
        found.faults = *faults;
        found.impossible = impossible_of(*faults, cell.read.settings, cell.read.origins, facts);
        if (cell.is_a_way) {
            const std::vector<Fault> unserved =
                unserved_of(*faults, cell.read.settings, cell.read.origins, facts);
            found.impossible.insert(found.impossible.end(), unserved.begin(), unserved.end());
        }
        return found;
    }
    const auto& spec = std::get<VmSpec>(decision);
    found.load = {spec.memory_mib + own_need_mib({spec.cpus, 0}, spec.memory_mib), spec.cpus, {}};
    found.load.alone = had_alone(spec);
    return found;
}

Look look_without_way(const cases::Cell& cell, const Environment& environment) {
    try {
        return look_for(cell, environment);
    } catch (const Error& error) {
        return {error.faults(), {}, {}};
    }
}

// That there can be no such machine says more than that its way leads nowhere, and comes first.
Look look_at(const cases::Cell& cell, const Environment& environment) {
    Look found = look_without_way(cell, environment);
    if (!found.impossible.empty()) {
        return found;
    }
    if (!cell.gap.empty()) {
        const Fault fault{cell.gap, "", "", ExitCode::settings};
        found.faults.push_back(fault);
        found.impossible.push_back(fault);
    }
    return found;
}

// A case may be about just that.
bool expects_a_refusal(const cases::Cell& cell) {
    return cell.expect.exit_code == static_cast<int>(ExitCode::settings) ||
           cell.expect.exit_code == static_cast<int>(ExitCode::host);
}

std::string without_hint(const Fault& fault) {
    return fault.what + (fault.why.empty() ? "" : ": " + fault.why);
}

std::optional<cases::Result> early_result(const cases::Cell& cell, const Look& found) {
    if (found.faults.empty() || expects_a_refusal(cell)) {
        return std::nullopt;
    }
    cases::Result result;
    result.name = cell.name;
    result.vm = cell.vm;
    if (cell.is_combination && !found.impossible.empty()) {
        result.outcome = cases::Outcome::skipped;
        result.reasons.push_back(without_hint(found.impossible.front()));
        return result;
    }
    result.outcome = cases::Outcome::failed;
    for (const Fault& fault : found.faults) {
        result.reasons.push_back("cannot start: " + one_line(fault));
    }
    return result;
}

// What every cell suffers from is no matter of the matrix.
void refuse_common_faults(const std::vector<cases::Cell>& cells, const std::vector<Look>& looks) {
    std::vector<Fault> common = looks.front().faults;
    for (std::size_t i = 0; i < looks.size(); ++i) {
        if (expects_a_refusal(cells[i])) {
            return;
        }
        std::erase_if(common, [&](const Fault& fault) {
            return std::find(looks[i].faults.begin(), looks[i].faults.end(), fault) == looks[i].faults.end();
        });
    }
    if (!common.empty()) {
        throw Error{std::move(common)};
    }
}

std::vector<PreparedCell> prepared(std::vector<cases::Cell> cells, const Environment& environment) {
    std::vector<Look> looks;
    looks.reserve(cells.size());
    for (const cases::Cell& cell : cells) {
        looks.push_back(look_at(cell, environment));
    }
    refuse_common_faults(cells, looks);
    std::vector<PreparedCell> ready;
    ready.reserve(cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
        std::optional<cases::Result> early = early_result(cells[i], looks[i]);
        const auto limit = cases::time_limit_of(cells[i].read.settings);
        ready.push_back({std::move(cells[i]), std::move(looks[i].load), limit, std::move(early)});
    }
    return ready;
}

// What the VMs did counts more than where it could be written.
int exit_code_of_test(const TestEnd& end, const std::vector<Fault>& unwritten) {
    constexpr int of_signals = 128;
    const ExitCode code = cases::exit_code_of(end.results);
    if (end.signal != 0) {
        return of_signals + end.signal;
    }
    return static_cast<int>(code == ExitCode::ok && !unwritten.empty() ? unwritten.front().code : code);
}

}  // namespace

int test_vms(const ReadResult& read, const Environment& environment, Log& log) {
    check_outputs_of_test(read);
    cases::Cells made = wanted_cells(read, environment);
    for (const std::string& warning : made.warnings) {
        if (std::find(read.warnings.begin(), read.warnings.end(), warning) == read.warnings.end()) {
            log.warning(warning);
        }
    }
    tell_what_is_passed_over(environment, log);
    TestPlan plan;
    plan.cells = prepared(std::move(made.cells), environment);
    plan.environment = environment;
    plan.cpus = usable_cpus();
    plan.jobs = read.command.test.jobs.value_or(static_cast<unsigned>(plan.cpus));
    plan.free_memory_mib = free_memory_mib;
    const ReportFolder folder{read.command.test.report, value_of(environment, "TMPDIR")};
    claim_result_files(read.command.test);
    plan.folder = folder.path();
    plan.keeps = folder.keeps();
    const std::string terminal = value_of(environment, "TERM");
    Display display{takes_standard_output(read) ? stderr : stdout, terminal != "dumb"};
    const TestEnd end = run_cells(plan, display);
    display.say(cases::summary_line(end.results));
    const std::vector<Fault> unwritten = tell_results(read, folder, end.results);
    for (const Fault& fault : unwritten) {
        log.fault(fault);
    }
    return exit_code_of_test(end, unwritten);
}

}  // namespace vml
