#include "rom/variable_store.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/text.h"

namespace vml::rom {

namespace {

using namespace std::string_view_literals;

// GUIDs as they lie in memory: the first three parts are little-endian.
constexpr auto nv_data_volume = "\x8D\x2B\xF1\xFF\x96\x76\x8B\x4C\xA9\x85\x27\x47\x07\x5B\x4F\x50"sv;
constexpr auto authenticated_store = "\x78\x2C\xF3\xAA\x7B\x94\x9A\x43\xA1\x80\x2E\x14\x4E\xC3\x77\x92"sv;
constexpr auto plain_store = "\x16\x36\xCF\xDD\x75\x32\x64\x41\x98\xB6\xFE\x85\x70\x7F\xFE\x7D"sv;
constexpr auto global_variable = "\x61\xDF\xE4\x8B\xCA\x93\xD2\x11\xAA\x0D\x00\xE0\x98\x03\x2B\x8C"sv;
constexpr auto secure_boot_enable_disable =
    "\xC7\x0B\xA3\xF0\x08\xAF\x56\x45\x99\xC4\x00\x10\x09\xC9\x3A\x44"sv;

// EFI_FIRMWARE_VOLUME_HEADER.
namespace volume {
constexpr std::size_t file_system = 0x10;
constexpr std::size_t length = 0x20;
constexpr std::size_t signature = 0x28;
constexpr std::size_t header_length = 0x30;
}  // namespace volume

// VARIABLE_STORE_HEADER.
namespace store {
constexpr std::size_t size = 16;
constexpr std::size_t format = 20;
constexpr std::size_t state = 21;
constexpr std::size_t header = 28;
constexpr std::uint8_t formatted = 0x5A;
constexpr std::uint8_t healthy = 0xFE;
}  // namespace store

// AUTHENTICATED_VARIABLE_HEADER.
namespace variable {
constexpr std::size_t state = 2;
constexpr std::size_t name_size = 36;
constexpr std::size_t data_size = 40;
constexpr std::size_t vendor = 44;
constexpr std::size_t header = 60;
constexpr std::uint8_t added = 0x3F;
constexpr std::uint8_t being_replaced = 0x3E;  // valid until the new one is written
}  // namespace variable

struct Variable {
    Bytes name;
    Bytes data;
    std::string_view vendor;
    std::uint8_t state = 0;

    // The name is UCS-2 with its terminator.
    [[nodiscard]] bool is(std::string_view guid, std::string_view wanted) const {
        if (vendor != guid || name.size() != (wanted.size() + 1) * 2) {
            return false;
        }
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            if (name.u16(i * 2) != static_cast<std::uint8_t>(wanted[i])) {
                return false;
            }
        }
        return true;
    }
};

// A variable's old value may stand beside its new one.
void note(const Variable& variable, VariableStore& found, bool replaced_too) {
    const bool counts =
        variable.state == variable::added || (replaced_too && variable.state == variable::being_replaced);
    if (!counts) {
        return;
    }
    if (variable.is(global_variable, "PK")) {
        found.platform_key = variable.data.size() > 0;
        found.published_key = lower(variable.data.chars()).find("snakeoil") != std::string::npos;
    } else if (variable.is(secure_boot_enable_disable, "SecureBootEnable")) {
        found.secure_boot_enable = variable.data.u8(0) != 0;
    }
}

void walk(const Bytes& variables, VariableStore& found, bool replaced_too) {
    constexpr std::size_t alignment = 4;
    std::size_t at = 0;
    while (variables.has(at, variable::header) && variables.starts(at, "\xAA\x55")) {
        const std::size_t name = at + variable::header;
        const std::size_t name_size = variables.u32(at + variable::name_size);
        const std::size_t data_size = variables.u32(at + variable::data_size);
        if (!variables.has(name, name_size) || !variables.has(name + name_size, data_size)) {
            return;
        }
        note({variables.part(name, name_size), variables.part(name + name_size, data_size),
              variables.part(at + variable::vendor, global_variable.size()).chars(),
              variables.u8(at + variable::state)},
             found, replaced_too);
        at = (name + name_size + data_size + alignment - 1) / alignment * alignment;
    }
}

// Flash that nobody wrote to: erased, or the zeros of a file that was only made long.
bool is_blank(const Bytes& flash) {
    constexpr std::size_t looked_at = 4096;
    const std::string_view begin = flash.part(0, looked_at).chars();
    return begin.size() == looked_at && (begin.front() == '\0' || begin.front() == '\xFF') &&
           std::all_of(begin.begin(), begin.end(), [&](char c) { return c == begin.front(); });
}

bool header_adds_up(const Bytes& header) {
    std::uint16_t sum = 0;
    for (std::size_t at = 0; at < header.size(); at += 2) {
        sum = static_cast<std::uint16_t>(sum + header.u16(at));
    }
    return sum == 0;
}

}  // namespace

std::variant<VariableStore, std::string> read_variable_store(const Bytes& flash) {
    VariableStore found;
    if (is_blank(flash)) {
        found.blank = true;
        return found;
    }
    if (!flash.starts(volume::signature, "_FVH") || !flash.starts(volume::file_system, nv_data_volume)) {
        return "it is no variable store of UEFI";
    }
    const std::size_t header = flash.u16(volume::header_length);
    if (!flash.has(0, header) || flash.u32(volume::length) < header ||
        !header_adds_up(flash.part(0, header))) {
        return "the header of its firmware volume is damaged";
    }
    const Bytes store = flash.from(header);
    const bool authenticated = store.starts(0, authenticated_store);
    if ((!authenticated && !store.starts(0, plain_store)) || store.u8(store::format) != store::formatted ||
        store.u8(store::state) != store::healthy || !store.has(0, store.u32(store::size)) ||
        store.u32(store::size) < store::header) {
        return "the header of its variables is damaged";
    }
    if (authenticated) {  // keys are in no other kind
        const Bytes variables = store.part(0, store.u32(store::size)).from(store::header);
        walk(variables, found, true);
        walk(variables, found, false);
    }
    return found;
}

}  // namespace vml::rom
