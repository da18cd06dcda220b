// How far a boot can get, in the order of a network boot. Pure.
//
// A stage is reached by its own evidence alone: no stage stands for an earlier one, which may have been
// passed over (a system that boots from disk never asks DHCP) or not been seen. One observation can be
// evidence of several stages; the timeline then marks each of them:
//
// | observation                                                            | evidence of        |
// |------------------------------------------------------------------------|--------------------|
// | Linux's first line; its EFI stub's last one, "Exiting boot services"   | kernel             |
// | a DHCP client that names itself and is neither firmware nor iPXE        | kernel             |
// | "Run /init as init process"; a login prompt; the guest's own NIC driver | kernel, os         |
// | the answer to guest-sync, with the number that was sent                | kernel, os, agent  |
// | a whole iPXE script that iPXE fetched, or has on its console            | script             |
// | a whole file, on the wire or in iPXE's words                           | fetch              |
//
// No evidence: an open virtio serial port (UEFI opens it too); any other line of the EFI stub, which is a
// program of the firmware until it has left it, and may fail; a fetch that failed, or was redirected; a
// script that the firmware fetched, which cannot run it.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace vml::boot {

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
    agent,       // the guest agent answers
};

// As people read it: "option ROM".
[[nodiscard]] std::string_view title_of(Stage stage);
// As programs read it, in reports and settings: "rom".
[[nodiscard]] std::string_view name_of(Stage stage);
// What reaching it says: one sentence, no full stop.
[[nodiscard]] std::string_view meaning_of(Stage stage);
// All of them, in order.
[[nodiscard]] std::vector<std::string_view> stage_names();
[[nodiscard]] std::optional<Stage> stage_named(std::string_view name);

}  // namespace vml::boot
