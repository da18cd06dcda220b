// UEFI's variable store as edk2 keeps it in flash: what it says of Secure Boot. Pure: any bytes may come.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "base/bytes.h"

namespace vml::rom {

// What stands in a store that Secure Boot depends on.
struct VariableStore {
    bool blank = false;         // nothing is in it yet, not even its header: the firmware makes that
    bool platform_key = false;  // PK is enrolled; without it the firmware is in its setup mode
    bool published_key =
        false;  // PK is Debian's "SnakeOil", for tests: its private half is in the package ovmf
    std::optional<bool> secure_boot_enable = std::nullopt;  // SecureBootEnable; none: as the firmware has it

    // Of firmware that has Secure Boot at all. With a platform key, and unless it was switched off (edk2
    // SecurityPkg/Library/AuthVariableLib/AuthService.c, AuthVariableLibInitialize).
    [[nodiscard]] bool secure_boot() const { return platform_key && secure_boot_enable.value_or(true); }
    bool operator==(const VariableStore&) const = default;
};

// The store's first firmware volume begins with the variables and is well below this, in bytes.
inline constexpr std::size_t most_of_a_store = std::size_t{1} << 20;

// From the beginning of a flash image (edk2 MdeModulePkg/Include/Guid/VariableFormat.h,
// MdePkg/Include/Pi/PiFirmwareVolume.h), or the reason why it is none.
[[nodiscard]] std::variant<VariableStore, std::string> read_variable_store(const Bytes& flash);

}  // namespace vml::rom
