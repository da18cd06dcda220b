// Any bytes at all as an option ROM: read, matched with every target and described. Only vml::Error may come
// out. Bytes that do not begin as a ROM are unpacked instead: never to more than they say, or than is
// allowed; and read as UEFI's variable store.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "rom/describe.h"
#include "rom/efi_compression.h"
#include "rom/match.h"
#include "rom/option_rom.h"
#include "rom/variable_store.h"

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

constexpr std::size_t limit = std::size_t{1} << 20U;

void unpack(const vml::Bytes& packed) {
    const auto result = unpack_efi(packed, limit);
    const auto* data = std::get_if<std::vector<std::uint8_t>>(&result);
    if (data != nullptr && (data->size() != packed.u32(4) || data->size() > limit)) {
        std::abort();
    }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const vml::Bytes bytes{{data, size}};
    if (!bytes.starts(0, "\x55\xAA")) {
        unpack(bytes);
        (void)read_variable_store(bytes);
        return 0;
    }
    try {
        const OptionRom rom = read_option_rom({data, size}, "fuzz");
        match_all(rom);
        if (rom.images.empty() || to_json(rom, "fuzz").dump().empty() || to_table(rom, "fuzz").empty()) {
            std::abort();
        }
    } catch (const vml::Error&) {
        return -1;  // not worth keeping in the corpus
    }
    return 0;
}
