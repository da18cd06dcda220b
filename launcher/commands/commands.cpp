#include "launcher/commands/commands.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "launcher/commands/doctor.h"
#include "launcher/commands/help.h"
#include "launcher/console/terminal.h"
#include "launcher/host/host.h"
#include "launcher/plan/make_plan.h"
#include "launcher/plan/plan_text.h"
#include "launcher/remote/control_commands.h"
#include "launcher/remote/status.h"
#include "launcher/run/boot_story.h"
#include "launcher/run/run_loop.h"
#include "launcher/settings/values.h"
#include "launcher/start/apply.h"
#include "launcher/vm/boot_sources.h"
#include "launcher/vm/description.h"
#include "launcher/vm/link_kind.h"
#include "launcher/vm/spec.h"
#include "netsetup/netlink.h"
#include "netsetup/reconcile.h"
#include "rom/describe.h"
#include "rom/rom_file.h"

namespace vml {

namespace {

void print(std::string_view text) {
    // fmt::print would throw what is no Error.
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
        throw Error{{"cannot write to standard output", errno_text(errno), "", ExitCode::failed}};
    }
}

VmSpec decided(const ReadResult& read, const Environment& environment) {
    Decision decision = decide(read.settings, read.origins, look(read.settings, environment));
    if (auto* faults = std::get_if<std::vector<Fault>>(&decision)) {
        throw Error{std::move(*faults)};
    }
    return std::get<VmSpec>(std::move(decision));
}

ConsoleMode console_mode(const Settings& settings) {
    if (settings.no_console) {
        return ConsoleMode::silent;
    }
    return is_our_terminal(STDIN_FILENO) ? ConsoleMode::attached : ConsoleMode::shown;
}

std::string devices_of(const std::vector<BootEntry>& order) {
    std::string devices;
    for (const BootEntry& entry : order) {
        devices += (devices.empty() ? "" : ", ") + entry.device;
    }
    return devices;
}

void announce(const VmSpec& spec, const Plan& plan, ConsoleMode mode, Log& log) {
    for (const std::string& note : plan.notes) {
        log.warning(note);
    }
    const std::string first =
        plan.first_boot.empty() ? "" : fmt::format("{} once, then ", devices_of(plan.first_boot));
    log.info(fmt::format("starting {} ({}, {}); boot order: {}{}", plan.name, spec.machine,
                         spec.accelerator_reason, first, devices_of(plan.boot_order)));
    if (mode == ConsoleMode::attached) {
        log.info("attached to the console; Ctrl-] detaches");
    }
}

// A macvtap that could not be given a home of its own must be deleted at the end.
bool outlives_descriptors(const Plan& plan) {
    return std::any_of(plan.links.begin(), plan.links.end(), [](const net::Operation& operation) {
        const auto* macvtap = std::get_if<net::CreateMacvtap>(&operation);
        return macvtap != nullptr && macvtap->lifetime == net::Lifetime::until_reconcile;
    });
}

// What an earlier vm-launch left behind when it was killed.
void clean_up_after_others(const Plan& plan, Log& log) {
    if (!outlives_descriptors(plan)) {
        return;
    }
    net::NetlinkSocket socket;
    const net::Reconciled reconciled = net::reconcile(socket);
    for (const std::string& name : reconciled.deleted) {
        log.info(fmt::format("deleted {}, which a vm-launch that was killed had left behind", name));
    }
    for (const Fault& fault : reconciled.faults) {
        log.fault(fault);
    }
}

// The kernel makes a macvtap's namespace while we read what the host has: both take about as long.
net::KernelExecutor::Homes begin_macvtap_homes(const Settings& settings) {
    net::KernelExecutor::Homes homes;
    for (const NicSettings& nic : settings.nics) {
        if (kind_of(net_of(nic)).made_ahead && net::may_make_netns()) {
            homes.push_back(std::make_unique<net::MacvtapHome>());
        }
    }
    return homes;
}

// Does anything outlive the VM that the guest writes to a disk?
bool keeps_disks(const VmSpec& spec) {
    return std::any_of(spec.disks.begin(), spec.disks.end(),
                       [](const DiskSpec& disk) { return disk.image || disk.kept; });
}

int run_vm(const ReadResult& read, const Environment& environment, Log& log) {
    hold_signals();
    net::KernelExecutor::Homes homes = begin_macvtap_homes(read.settings);
    const VmSpec spec = decided(read, environment);
    const Plan plan = make_plan(spec);
    const ConsoleMode mode = console_mode(read.settings);
    announce(spec, plan, mode, log);
    clean_up_after_others(plan, log);
    const Settings& settings = read.settings;
    std::vector<ReportFile> reports = open_reports(settings.reports);
    RunningVm vm = apply(plan, std::move(homes));
    vm.reports = std::move(reports);
    return supervise_vm(
        plan, std::move(vm),
        {mode, settings.stop_timeout, settings.log_level, settings.log_format, settings.boot_timeout,
         spec.accelerator == Accelerator::kvm, settings.console_raw, outlives_descriptors(plan),
         description_of(spec), keeps_disks(spec), settings.on_io_error == OnIoError::resume},
        boot_story(settings, spec, plan));
}

int print_plan(const ReadResult& read, const Environment& environment) {
    const Plan plan = make_plan(decided(read, environment));
    switch (read.command.format.value_or(OutputFormat::text)) {
        case OutputFormat::text:
            print(plan_as_text(plan));
            break;
        case OutputFormat::json:
            print(plan_as_json(plan));
            break;
        case OutputFormat::sh:
            print(plan_as_shell(plan));
            break;
    }
    return 0;
}

int print_doctor(const ReadResult& read, const Environment& environment) {
    const Settings settings = or_network_boot(read.settings);
    const HostFacts facts = look(settings, environment);
    const Decision decision = decide(settings, read.origins, facts);
    print(doctor_report(facts, decision));
    const auto* faults = std::get_if<std::vector<Fault>>(&decision);
    return faults == nullptr ? 0 : static_cast<int>(faults->front().code);
}

int print_status(const CommandLine& command) {
    std::vector<RunningStatus> vms = with_told(running_vms(), told_by_vms());
    if (!command.words.empty()) {
        std::erase_if(vms, [&](const RunningStatus& vm) { return vm.name != command.words.front(); });
    }
    if (vms.empty()) {
        throw Error{{command.words.empty() ? "no VM of vm-launch runs here"
                                           : fmt::format("no VM named {} runs here", command.words.front()),
                     "", "a container's VM is seen from inside: docker exec NAME vm-launch status",
                     ExitCode::failed}};
    }
    print(command.format == OutputFormat::json ? status_as_json(vms) : status_as_text(vms));
    return 0;
}

// Every file is told of, also after one that cannot be read.
int print_roms(const CommandLine& command) {
    if (command.words.empty()) {
        throw Error{{"rom: name at least one file", "", "for example: vm-launch rom /usr/lib/ipxe/qemu/*.rom",
                     ExitCode::settings}};
    }
    std::vector<Fault> faults;
    nlohmann::json list = nlohmann::json::array();
    std::string text;
    for (const std::string& path : command.words) {
        try {
            const rom::OptionRom rom = rom::load_option_rom(path);
            list.push_back(rom::to_json(rom, path));
            text += (text.empty() ? "" : "\n") + rom::to_table(rom, path);
        } catch (const Error& error) {
            faults.insert(faults.end(), error.faults().begin(), error.faults().end());
        }
    }
    print(command.format == OutputFormat::json ? list.dump(2) + "\n" : text);
    if (!faults.empty()) {
        throw Error{std::move(faults)};
    }
    return 0;
}

// These are asked again and again, and the run itself has said what there is to say about the settings.
bool talks_to_vm(const std::string& subcommand) {
    static const std::set<std::string, std::less<>> all{"status",  "stop",       "reset",  "resume",
                                                        "console", "screenshot", "health", "exec"};
    return all.contains(subcommand);
}

// The subcommands for a VM that runs; nothing for another one.
std::optional<int> talk_to_vm(const ReadResult& read) {
    const CommandLine& command = read.command;
    if (command.subcommand == "stop") {
        print(stop_vm(command));
    } else if (command.subcommand == "reset") {
        reset_vm(command);
    } else if (command.subcommand == "resume") {
        resume_vm(command);
    } else if (command.subcommand == "console") {
        watch_console(command, read.settings.console_raw);
    } else if (command.subcommand == "screenshot") {
        take_screenshot(command);
    } else if (command.subcommand == "health") {
        print(check_health(command, read.settings.health_stage));
    } else if (command.subcommand == "exec") {
        return exec_in_guest(command);
    } else {
        return std::nullopt;
    }
    return 0;
}

int print_help(const CommandLine& command) {
    const std::string topic = command.words.empty() ? "" : command.words.front();
    if (topic == "man") {
        print(man_page());
    } else if (topic == "settings") {
        print(settings_page());
    } else if (topic.empty()) {
        print(help_text());
    } else {
        throw Error{{fmt::format("help: there is no topic '{}'", topic), "", "topics: man, settings",
                     ExitCode::settings}};
    }
    return 0;
}

}  // namespace

int run_command(const ReadResult& read, const Environment& environment, Log& log) {
    const CommandLine& command = read.command;
    if (command.version) {
        print(version_line() + "\n");
        return 0;
    }
    if (command.help) {
        print(help_text());
        return 0;
    }
    if (!talks_to_vm(command.subcommand)) {
        for (const std::string& warning : read.warnings) {
            log.warning(warning);
        }
    }
    if (!read.faults.empty()) {
        throw Error{read.faults};
    }
    if (command.subcommand == "rom") {
        return print_roms(command);
    }
    if (command.subcommand == "help") {
        return print_help(command);
    }
    if (command.subcommand == "doctor") {
        return print_doctor(read, environment);
    }
    if (command.subcommand == "status") {
        return print_status(command);
    }
    if (const std::optional<int> code = talk_to_vm(read)) {
        return *code;
    }
    return command.subcommand == "plan" ? print_plan(read, environment) : run_vm(read, environment, log);
}

std::string read_text_file(const std::string& path) {
    if (std::error_code ignored; std::filesystem::is_directory(path, ignored)) {
        throw Error{{fmt::format("cannot read {}", path), errno_text(EISDIR), "", ExitCode::settings}};
    }
    std::ifstream stream{path, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{stream}, {}};
    if (!stream.good() && !stream.eof()) {
        throw Error{{fmt::format("cannot read {}", path), errno_text(errno), "", ExitCode::settings}};
    }
    return text;
}

}  // namespace vml
