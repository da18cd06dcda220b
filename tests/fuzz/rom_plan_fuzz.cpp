// Any file as the option ROM of --ipxe-rom → what is in it → what the machine is decided to be → its plan.
// The first byte says the NIC's model, the firmware and the architecture, the rest is the file.
//
// Holds that every file is either refused for a reason that is the host's, or used for one that is given: the
// very bytes that were judged, with an ID that the NIC can show; and that what is said of it is bounded.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "launcher/plan/make_plan.h"
#include "launcher/plan/plan_text.h"
#include "launcher/settings/settings_reader.h"
#include "launcher/vm/spec.h"
#include "rom/efi_program.h"
#include "tests/fuzz/require.h"

namespace {

using namespace vml;
using Words = std::vector<std::string>;

constexpr const char* path = "/d/file.rom";
constexpr std::size_t longest_plan = std::size_t{64} << 10U;
constexpr std::size_t longest_fault = std::size_t{16} << 10U;

struct Machine {
    const rom::NicModel& model;
    std::string firmware;
    Arch arch;
};

Machine machine_of(std::uint8_t choice) {
    constexpr std::size_t models = 16;
    const auto& all = rom::nic_models();
    return {all.at(choice % models % all.size()),
            choice < 64    ? "legacy"
            : choice < 128 ? "secure"
                           : "uefi",
            choice < 192 ? Arch::x86_64 : Arch::aarch64};
}

ReadResult settings_for(const Machine& machine) {
    const Words words{"--arch",
                      std::string{rom::to_string(machine.arch)},
                      "--ipxe",
                      "--ipxe-rom",
                      path,
                      "--nic-model",
                      machine.model.name,
                      "--firmware",
                      machine.firmware};
    const std::vector<Subcommand> run{{"run", "", "", false, true, "", "", "", nullptr}};
    ReadResult read = read_settings(
        words, {}, [](const std::string& /*file*/) { return std::string{}; }, run);
    require(read.faults.empty());
    return read;
}

RomCandidate candidate_of(std::span<const std::uint8_t> file) {
    try {
        auto bytes = std::make_shared<const std::vector<std::uint8_t>>(file.begin(), file.end());
        rom::OptionRom rom = rom::read_option_rom(*bytes, path);
        return {path, std::move(rom), std::nullopt, std::move(bytes)};
    } catch (const Error& error) {
        return {path, std::nullopt, error.faults().front()};
    }
}

std::vector<EfiProgram> programs_of(std::string_view file) {
    const auto head = rom::efi_program_head(file.substr(0, rom::efi_head_size));
    return head ? std::vector<EfiProgram>{{path, head->arch, head->is_signed, rom::needs_network(file)}}
                : std::vector<EfiProgram>{};
}

UefiFirmware firmware(const char* arch, bool secure) {
    return {"/d",
            "x",
            "/code",
            "raw",
            "/vars",
            "raw",
            {{arch, {"*"}}},
            secure ? std::vector<std::string>{"secure-boot", "enrolled-keys"} : std::vector<std::string>{}};
}

HostFacts host_with(std::span<const std::uint8_t> file, Arch arch) {
    HostFacts facts;
    facts.working_folder = "/home/user";
    facts.arch = arch;
    facts.qemu_program = "qemu";
    facts.qemu = "/usr/bin/qemu";
    facts.memory_mib = 16384;
    facts.roms = {{candidate_of(file)}};
    const void* const bytes = file.data();
    facts.ipxe_programs = programs_of({static_cast<const char*>(bytes), file.size()});
    facts.uefi = {firmware("x86_64", false), firmware("x86_64", true), firmware("aarch64", false)};
    return facts;
}

void check_faults(const std::vector<Fault>& faults) {
    require(!faults.empty());
    for (const Fault& fault : faults) {
        require(fault.code == ExitCode::host && !fault.what.empty() && !fault.why.empty());
        require(fault.what.size() + fault.why.size() + fault.hint.size() <= longest_fault);
    }
}

void check_plan(const Machine& machine, const HostFacts& facts, const VmSpec& spec) {
    const Plan plan = make_plan(spec);
    require(plan_as_text(plan).size() <= longest_plan && plan_as_json(plan).size() <= longest_plan);
    const std::optional<RomSpec>& rom = spec.nics.front().rom;
    require(rom.has_value() != spec.ipxe_program.has_value());
    const bool copied = std::any_of(plan.fds.begin(), plan.fds.end(), [&](const PlannedFd& fd) {
        return fd.purpose == FdPurpose::rom && fd.content != nullptr &&
               fd.content == facts.roms.front().front().bytes;
    });
    require(rom.has_value() == copied);
    if (rom) {
        const auto& ids = machine.model.ids;
        require(!rom->reason.empty() && std::find(ids.begin(), ids.end(), rom->id) != ids.end());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const Machine machine = machine_of(data[0]);
    const ReadResult read = settings_for(machine);
    const HostFacts facts = host_with({data + 1, size - 1}, machine.arch);
    const Decision decision = decide(read.settings, read.origins, facts);
    if (const auto* faults = std::get_if<std::vector<Fault>>(&decision)) {
        check_faults(*faults);
    } else {
        check_plan(machine, facts, std::get<VmSpec>(decision));
    }
    return 0;
}
