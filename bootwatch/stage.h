// How far a boot can get, in the order of a network boot. Pure.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace vml::boot {

// Each implies that the earlier ones are over.
enum class Stage {
    machine,     // QEMU built it and runs it
    firmware,    // SeaBIOS or UEFI speaks
    option_rom,  // iPXE runs
    link,        // the NIC's link is up, or carries frames
    discover,    // a DHCP client looks for a server
    offer,       // a DHCP server answers
    address,     // the client has an address
    fetch,       // something was fetched
    script,      // an iPXE script runs
    kernel,      // an operating system's kernel was started
    os,          // the operating system runs
    agent,       // the guest agent listens
};

// As people read it: "option ROM".
[[nodiscard]] std::string_view title_of(Stage stage);
// As programs read it, in reports and settings: "rom".
[[nodiscard]] std::string_view name_of(Stage stage);
// All of them, in order.
[[nodiscard]] std::vector<std::string_view> stage_names();
[[nodiscard]] std::optional<Stage> stage_named(std::string_view name);

}  // namespace vml::boot
