// Command line, environment and configuration file → settings → VM → plan, with whatever a user may write.
// The input's parts, cut at NUL bytes, are the configuration file, the environment's variables ("NAME=value")
// and, behind an empty part, the words of the command line.
//
// Holds that nothing is thrown, that every fault is one of settings and says something, that what was
// accepted can be decided and planned, and that a word quoted for a shell is read back.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/shell.h"
#include "launcher/commands/subcommands.h"
#include "launcher/plan/make_plan.h"
#include "launcher/plan/plan_text.h"
#include "launcher/settings/disk_options.h"
#include "launcher/settings/settings_reader.h"
#include "launcher/settings/shell_words.h"
#include "launcher/vm/image_content.h"
#include "launcher/vm/nvram_store.h"
#include "launcher/vm/qcow2_header.h"
#include "launcher/vm/spec.h"
#include "launcher/vm/tpm_state.h"
#include "tests/fuzz/require.h"

namespace {

using namespace vml;

std::vector<std::string> parts_of(std::string_view input) {
    std::vector<std::string> parts;
    while (!input.empty()) {
        const std::size_t end = std::min(input.find('\0'), input.size());
        parts.emplace_back(input.substr(0, end));
        input.remove_prefix(std::min(end + 1, input.size()));
    }
    return parts;
}

struct Input {
    std::string config;
    Environment environment;
    std::vector<std::string> words;
};

Input input_of(std::string_view bytes) {
    Input input;
    bool words = false;
    for (std::string& part : parts_of(bytes)) {
        const std::size_t equals = part.find('=');
        if (input.config.empty() && !words && equals == std::string::npos) {
            input.config = std::move(part);
        } else if (words) {
            input.words.push_back(std::move(part));
        } else if (part.empty()) {
            words = true;
        } else if (equals != std::string::npos) {
            input.environment.emplace(part.substr(0, equals), part.substr(equals + 1));
        }
    }
    return input;
}

void check_fault(const Fault& fault) {
    require(!fault.what.empty());
    require(fault.code != ExitCode::ok);
}

HostFacts made_up_host(const Settings& settings) {
    HostFacts facts;
    facts.working_folder = "/home/user";
    facts.qemu_program = "qemu";
    facts.qemu = "/usr/bin/qemu";
    facts.memory_mib = 1024;
    const PathFacts file{PathFacts::Kind::file, 0, 0};
    if (settings.netboot_dir) {
        const auto bootfile = settings.bootfile ? std::optional{file} : std::nullopt;
        facts.netboot = NetbootFacts{{PathFacts::Kind::folder, 0, 0}, true, bootfile};
    }
    facts.network = net::HostNetworkFacts{};
    facts.roms.resize(settings.nics.size());
    facts.disks.resize(settings.disks.size(), DiskFacts{file, ImageFacts{}});
    for (std::size_t index = 0; index < facts.disks.size(); ++index) {
        DiskFacts& disk = facts.disks[index];
        disk.content.magic = stated_format(settings, index).value_or("");
        disk.backing = {{{"/d/base", file}, "raw"}};
    }
    facts.iso = file;
    facts.uefi = {{"/d", "x", "/code", "raw", "/vars", "raw", {{"x86_64", {"*"}}, {"aarch64", {"*"}}}, {}}};
    return facts;
}

void plan(const ReadResult& read) {
    const Decision decision = decide(read.settings, read.origins, made_up_host(read.settings));
    if (const auto* faults = std::get_if<std::vector<Fault>>(&decision)) {
        require(!faults->empty());
        for (const Fault& fault : *faults) {
            check_fault(fault);
        }
        return;
    }
    const Plan made = make_plan(std::get<VmSpec>(decision));
    require(!argv_of(made.args, 1).empty());
    require(!plan_as_text(made).empty() && !plan_as_json(made).empty() && !plan_as_shell(made).empty());
}

void check_quoting(const std::string& word) {
    require(parse_shell_words(shell_quoted(word)) == std::vector<std::string>{word});
}

// What a guest or its owner may have written to the files that are looked into.
void read_as_files(std::string_view bytes) {
    const auto header = read_qcow2_header(bytes_of(bytes));
    if (header && header->backing_file) {
        (void)file_meant("/d/image", *header->backing_file);
    }
    if (const auto tables = read_qcow2_tables(bytes_of(bytes))) {
        (void)farthest_table(bytes_of(bytes));
        (void)farthest_data(bytes_of(bytes), *tables);
    }
    (void)fault_of_content(content_of_image(bytes_of(bytes), bytes.size()), "", "/d/image");
    (void)parse_nvram_origin(bytes);
    (void)why_no_tpm_state({bytes.size(), std::string{bytes.substr(0, most_of_a_tpm_header)}});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    read_as_files(bytes);
    const Input input = input_of(bytes);
    const ReadFile read_file = [&](const std::string& /*path*/) { return input.config; };
    const ReadResult read = read_settings(input.words, input.environment, read_file, subcommands());
    for (const Fault& fault : read.faults) {
        check_fault(fault);
        require(fault.code == ExitCode::settings);
    }
    if (read.faults.empty()) {
        plan(read);
    }
    for (const std::string& word : input.words) {
        check_quoting(word);
    }
    return 0;
}
