// What `vm-launch rom FILE` says about a ROM, for programs and for people.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "rom/option_rom.h"

namespace vml::rom {

// The JSON format "vm-launch-rom", version 1; keys are only ever added. Sizes and offsets are numbers in
// bytes, IDs are "vvvv:dddd", an absent part is null.
//
//   format, version, path, file_size, trailing_bytes, is_ipxe, ipxe_version
//   images[]   offset, length, init_size, code_type ("x86", "efi", "open-firmware", "pa-risc", "none",
//   "other"), code,
//              id, devices[], class ("020000"), pcir_revision, last, max_runtime_size, truncated,
//              checksum_ok (null for code that has none), pnp {bev, bcv, manufacturer, product, checksum_ok},
//              undi {version}, ipxe {shrunk_size, build_id}, efi {machine, machine_name, subsystem,
//              compression, unpacked_size (null for what is not packed, or damaged), image_offset, role}
//   runs_on[]  firmware ("bios", "uefi"), arch ("x86_64", "aarch64"), runs, image (index in images[], null
//   when it does
//              not run), role ("ipxe": iPXE itself boots, "driver": it is a network driver alone, and the
//              firmware's own PXE boots on it, null: not known), ids[] (BIOS: the IDs that the NIC must show
//              one of; UEFI: those that the driver is made for, the firmware ignores them), nic_models[]
//              (vm-launch's names), reasons[] (why not), notes[]
//   problems[] sentences
[[nodiscard]] nlohmann::json to_json(const OptionRom& rom, std::string_view path);

// Plain text with a newline at the end; at most 100 columns wide, the path apart.
[[nodiscard]] std::string to_table(const OptionRom& rom, std::string_view path);

}  // namespace vml::rom
