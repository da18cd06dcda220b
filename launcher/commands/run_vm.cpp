#include "launcher/commands/run_vm.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <unistd.h>

#include "launcher/commands/commands.h"
#include "launcher/commands/files_of_settings.h"
#include "launcher/commands/help.h"
#include "launcher/console/terminal.h"
#include "launcher/host/host.h"
#include "launcher/host/system_facts.h"
#include "launcher/keeper/file_keeper.h"
#include "launcher/plan/make_plan.h"
#include "launcher/remote/shown_bytes.h"
#include "launcher/run/run_inputs.h"
#include "launcher/run/run_loop.h"
#include "launcher/run/signals.h"
#include "launcher/settings/notation.h"
#include "launcher/start/apply.h"
#include "launcher/start/event_target.h"
#include "launcher/start/identity_file.h"
#include "launcher/start/own_user.h"
#include "launcher/start/report_file.h"
#include "launcher/start/shared_files.h"
#include "launcher/vm/description.h"
#include "launcher/vm/link_kind.h"
#include "netsetup/netlink.h"
#include "netsetup/reconcile.h"

namespace vml {

Decision worded(Decision decision, const ReadResult& read) {
    if (!read.in_variables) {
        return decision;
    }
    if (auto* spec = std::get_if<VmSpec>(&decision)) {
        std::transform(spec->notes.begin(), spec->notes.end(), spec->notes.begin(), with_variables);
    } else {
        for (Fault& fault : std::get<std::vector<Fault>>(decision)) {
            fault.what = with_variables(fault.what);  // of a setting that has its default
            fault.hint = with_variables(fault.hint);
        }
    }
    return decision;
}

VmSpec decided(const ReadResult& read, const HostFacts& facts) {
    Decision decision = worded(decide(read.settings, read.origins, facts), read);
    if (auto* faults = std::get_if<std::vector<Fault>>(&decision)) {
        throw Error{std::move(*faults)};
    }
    return std::get<VmSpec>(std::move(decision));
}

namespace {

bool is_on_standard_output(const std::optional<EventTarget>& events) {
    return events && events->fd == STDOUT_FILENO;
}

ConsoleMode console_mode(const Settings& settings, ConsoleView view) {
    if (view == ConsoleView::quiet || is_on_standard_output(settings.events)) {
        return ConsoleMode::silent;
    }
    return is_our_terminal(STDIN_FILENO) ? ConsoleMode::attached : ConsoleMode::shown;
}

// On the terminal of a user who sits there, and who wants what suits it, or nothing of the guest's.
bool wants_status_row(const Settings& settings, ConsoleView view, const Environment& environment) {
    const std::string term = value_of(environment, "TERM");
    const bool suits = view != ConsoleView::plain && view != ConsoleView::raw;
    return is_our_terminal(STDOUT_FILENO) && !term.empty() && term != "dumb" && suits &&
           !is_on_standard_output(settings.events) && settings.log_format == LogFormat::text;
}

std::string devices_of(const std::vector<BootEntry>& order) {
    std::string devices;
    for (const BootEntry& entry : order) {
        devices += (devices.empty() ? "" : ", ") + entry.device;
    }
    return devices;
}

void announce(const ReadResult& read, const VmSpec& spec, const Plan& plan, ConsoleMode mode, Log& log) {
    const Settings& settings = read.settings;
    for (const std::string& note : plan.notes) {
        log.warning(note);
    }
    const std::string first =
        plan.first_boot.empty() ? "" : fmt::format("{} once, then ", devices_of(plan.first_boot));
    log.info(fmt::format("starting {} ({}, {}); boot order: {}{}", plan.name, spec.machine,
                         spec.accelerator_reason, first, devices_of(plan.boot_order)));
    if (spec.vnc) {
        const std::string place = fmt::format("{}:{}", spec.vnc->address, spec.vnc->port);
        log.info(spec.vnc->password.empty()
                     ? fmt::format("the screen is on {} (VNC, without a password)", place)
                     : fmt::format("the screen is on {} (VNC); its password: vm-launch status {}", place,
                                   plan.name));
    }
    if (is_on_standard_output(settings.events) &&
        console_view(settings, read.origins) != ConsoleView::quiet) {
        log.info(
            fmt::format("the serial console is not shown: the events are on standard output; "
                        "vm-launch console {} shows it",
                        plan.name));
    }
    if (mode == ConsoleMode::attached) {
        log.info("attached to the console; Ctrl-] detaches");
    }
}

// What an earlier vm-launch left behind when it was killed.
void clean_up_after_others(const Plan& plan, Log& log) {
    if (!net::outlives_descriptors(plan.links)) {
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

std::optional<OwnUser> own_user_for(const Settings& settings) {
    return settings.run_as ? std::nullopt : claim_own_user(settings.name.value_or(""));
}

// None: it is not kept.
OwnedFd console_log_of(const ReadResult& read) {
    const auto& path = read.settings.console_log;
    return path ? open_console_log(*path, origin_of(read.origins, "console-log")) : OwnedFd{};
}

// Does anything outlive the VM that the guest writes to a disk?
bool keeps_disks(const VmSpec& spec) {
    return std::any_of(spec.disks.begin(), spec.disks.end(),
                       [](const DiskSpec& disk) { return disk.image || disk.kept; });
}

// Of how the run began, what the report has to know.
void tell_beginning(const ReadResult& read, boot::ReportHead& head) {
    head.command = read.given;
    head.versions.vm_launch = own_version();
    head.versions.kernel = kernel_version();
}

}  // namespace

int run_vm(const ReadResult& read, const Environment& environment, Log& log) {
    const auto began = std::chrono::steady_clock::now();
    hold_signals();
    const std::optional<EventTarget>& target = read.settings.events;
    const std::string events_origin = origin_of(read.origins, "events");
    OwnedFd events = target && target->fd ? given_descriptor(*target->fd, events_origin) : OwnedFd{};
    std::unique_ptr<VmFiles> files;  // the last to go: it takes away what the others have closed
    net::KernelExecutor::Homes homes = begin_macvtap_homes(read.settings);
    std::optional<OwnUser> own = own_user_for(read.settings);
    const VmSpec spec = decided(read, look(read.settings, environment, Moment::counts,
                                           own ? std::optional{own->user} : std::nullopt));
    refuse_shared_files(files_written(read), files_read(read, spec));
    const Plan plan = make_plan(spec);
    const ConsoleView view = console_view(read.settings, read.origins);
    const ConsoleMode mode = console_mode(read.settings, view);
    announce(read, spec, plan, mode, log);
    clean_up_after_others(plan, log);
    const Settings& settings = read.settings;
    std::vector<ReportFile> reports = open_reports(settings.reports, origin_of(read.origins, "report"));
    OwnedFd console_log = console_log_of(read);
    if (target && !target->fd) {
        events = open_event_file(target->file, events_origin);
    }
    if (spec.identity) {
        keep_identity(*spec.identity);
    }
    RunningVm vm = apply(plan, std::move(homes), [&](const std::string& segment) {
        log.info(fmt::format("waiting for the segment {}: nobody on it has answered yet", segment));
    });
    const std::optional<RunUser> becomes =
        plan.run_user && plan.run_user->uid != 0 ? plan.run_user : std::nullopt;
    files = vm_files({std::move(reports), std::move(vm.served), std::move(vm.state_folder)},
                     becomes.has_value(), value_of(environment, "XDG_RUNTIME_DIR"),
                     own ? std::optional{std::move(own->systemd)} : std::nullopt);
    RunInputs inputs = run_inputs(settings, spec, plan);
    inputs.events = std::move(events);
    inputs.console_log = std::move(console_log);
    inputs.quiet = view == ConsoleView::quiet;
    tell_beginning(read, inputs.head);
    inputs.vm_launch_began = began;
    return supervise_vm(
        plan, std::move(vm), *files,
        {mode, settings.stop_timeout, settings.log_level, settings.log_format, settings.boot_timeout,
         spec.accelerator == Accelerator::kvm, console_bytes(view), net::outlives_descriptors(plan.links),
         becomes, settings.reports, description_of(spec), keeps_disks(spec),
         settings.on_io_error == OnIoError::resume, value_of(environment, "XDG_RUNTIME_DIR"),
         wording_for(read), is_in_colour(settings.colour, environment),
         wants_status_row(settings, view, environment)},
        std::move(inputs));
}

}  // namespace vml
