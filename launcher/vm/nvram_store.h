// A VM's UEFI variable store, and where it came from: a store is of use only to the firmware that it was made
// for. Pure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "launcher/vm/uefi_choice.h"
#include "rom/variable_store.h"

namespace vml {

// The files in a VM's state folder.
inline constexpr const char* nvram_file = "nvram.fd";
inline constexpr const char* nvram_origin_file = "nvram.json";

// A store, or a template of one, as it lies on the host.
struct StoreFacts {
    int open_error = 0;      // errno of opening it for reading and writing (a template: for reading)
    std::uint64_t size = 0;  // bytes
    // What is in it; a text: why that cannot be told.
    std::variant<rom::VariableStore, std::string> content{};
    std::string digest{};  // of a template's content: tells one that is the same from others
    bool operator==(const StoreFacts&) const = default;
};

// What a store was made for, as nvram.json beside it has it.
struct NvramOrigin {
    std::string arch;  // as QEMU names it
    std::filesystem::path code;
    std::filesystem::path vars_template;
    std::string template_digest{};  // of the template when the store was last used; empty: not known
    bool operator==(const NvramOrigin&) const = default;
};

[[nodiscard]] NvramOrigin origin_of_store(const UefiFirmware& firmware, rom::Arch arch,
                                          const std::optional<StoreFacts>& of_template);
[[nodiscard]] std::string to_text(const NvramOrigin& origin);

// Nothing where the text is none of ours: then the store is judged by what is in it. A text: why not.
[[nodiscard]] std::variant<std::monostate, NvramOrigin, std::string> parse_nvram_origin(
    std::string_view text);

// Why the store must not be used with this firmware; nothing: it may. `origin` and `of_template`: what is
// known of them.
struct StoreQuestion {
    const StoreFacts& store;
    const std::optional<std::string>& origin;
    const std::optional<StoreFacts>& of_template;
    const UefiFirmware& firmware;
    rom::Arch arch = rom::Arch::x86_64;
};
[[nodiscard]] std::optional<std::string> why_not_this_store(const StoreQuestion& question);

// Is Secure Boot on? Nothing where it cannot be told.
[[nodiscard]] std::optional<bool> secure_boot_of(const std::optional<StoreFacts>& store,
                                                 const UefiFirmware& firmware);
[[nodiscard]] std::string_view secure_boot_words(std::optional<bool> secure_boot);

}  // namespace vml
