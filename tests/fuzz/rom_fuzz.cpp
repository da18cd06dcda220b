// Any bytes at all as an option ROM: read, matched with every target and described. Only vml::Error may come
// out.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "rom/describe.h"
#include "rom/match.h"
#include "rom/option_rom.h"

namespace {

using namespace vml::rom;

void match_all(const OptionRom& rom) {
    for (const NicModel& model : nic_models()) {
        for (const Firmware firmware : {Firmware::bios, Firmware::uefi}) {
            for (const Arch arch : {Arch::x86_64, Arch::aarch64}) {
                for (const bool vga_present : {false, true}) {
                    (void)match(rom, {firmware, arch, model.ids, vga_present});
                }
            }
        }
    }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        const OptionRom rom = read_option_rom({data, size}, "fuzz");
        match_all(rom);
        if (rom.images.empty() || to_json(rom, "fuzz").dump().empty() || to_table(rom, "fuzz").empty()) {
            std::abort();
        }
    } catch (const vml::Error&) {
        return -1;  // no option ROM: not worth keeping in the corpus
    }
    return 0;
}
