#include "launcher/commands/inspect.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/output.h"
#include "launcher/commands/doctor.h"
#include "launcher/commands/run_vm.h"
#include "launcher/host/host.h"
#include "launcher/plan/make_plan.h"
#include "launcher/plan/plan_text.h"
#include "launcher/vm/boot_sources.h"
#include "rom/describe.h"
#include "rom/rom_file.h"

namespace vml {

int print_plan(const ReadResult& read, const Environment& environment) {
    const HostFacts facts = look(read.settings, environment, Moment::does_not);
    const Plan plan = make_plan(decided(read, facts));
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

namespace {

void tell_of_wait(const NicSpec& nic, Log& log) {
    constexpr std::chrono::seconds noticed{2};
    const auto* port = std::get_if<BridgePort>(&nic.net);
    if (port != nullptr && nic.unprobed.empty() && port->forwards_after >= noticed) {
        log.info(fmt::format("{} is asked once a port for that forwards: about {} s", port->bridge,
                             std::chrono::ceil<std::chrono::seconds>(port->forwards_after).count()));
    }
}

// Of the first NIC that boots, where it is to be asked.
std::optional<NetworkAnswer> network_of(const Decision& decision, Log& log) {
    if (const auto* spec = std::get_if<VmSpec>(&decision)) {
        for (const NicSpec& nic : spec->nics) {
            if (nic.probe || !nic.unprobed.empty()) {
                tell_of_wait(nic, log);
                return ask_network(nic);
            }
        }
    }
    return std::nullopt;
}

}  // namespace

int print_doctor(const ReadResult& read, const Environment& environment, Log& log) {
    const Settings settings = or_network_boot(read.settings);
    const HostFacts facts = look(settings, environment);
    const Decision decision = worded(decide(settings, read.origins, facts), read);
    const std::optional<NetworkAnswer> network = network_of(decision, log);
    const std::vector<DoctorLine> lines = doctor_lines(facts, decision, network);
    print(read.command.format == OutputFormat::json ? doctor_as_json(lines, network) : doctor_as_text(lines));
    const auto* faults = std::get_if<std::vector<Fault>>(&decision);
    return faults == nullptr ? 0 : static_cast<int>(faults->front().code);
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

}  // namespace vml
