#include <optional>
#include <vector>

#include <fmt/format.h>

#include "rom/describe.h"
#include "rom/runs_on.h"

namespace vml::rom {

namespace {

using nlohmann::json;

// A path may hold any byte; JSON text may not.
json valid_utf8(std::string_view text) {
    return json::parse(json(std::string{text}).dump(-1, ' ', false, json::error_handler_t::replace));
}

std::string code_type_token(CodeType type) {
    switch (type) {
        case CodeType::x86:
            return "x86";
        case CodeType::efi:
            return "efi";
        case CodeType::open_firmware:
            return "open-firmware";
        case CodeType::pa_risc:
            return "pa-risc";
        case CodeType::none:
            return "none";
    }
    return "other";
}

json pnp_json(const std::optional<Pnp>& pnp) {
    if (!pnp) {
        return nullptr;
    }
    return {{"bev", pnp->bev},
            {"bcv", pnp->bcv},
            {"manufacturer", pnp->manufacturer},
            {"product", pnp->product},
            {"checksum_ok", pnp->checksum_ok}};
}

json undi_json(const std::optional<Undi>& undi) {
    return undi ? json{{"version", fmt::format("{}.{}", undi->major, undi->minor)}} : json(nullptr);
}

json ipxe_json(const std::optional<IpxeHeader>& ipxe) {
    if (!ipxe) {
        return nullptr;
    }
    return {{"shrunk_size", ipxe->shrunk_size}, {"build_id", fmt::format("0x{:08x}", ipxe->build_id)}};
}

json role_json(IpxeRole role) {
    return role == IpxeRole::unknown ? json(nullptr) : json(role == IpxeRole::whole ? "ipxe" : "driver");
}

json efi_json(const std::optional<Efi>& efi) {
    if (!efi) {
        return nullptr;
    }
    return {{"machine", efi->machine},
            {"machine_name", machine_name(efi->machine)},
            {"subsystem", efi->subsystem},
            {"compression", efi->compression},
            {"unpacked_size", efi->unpacked_size ? json(*efi->unpacked_size) : json(nullptr)},
            {"image_offset", efi->image_offset},
            {"role", role_json(efi->role)}};
}

json ids_json(const std::vector<PciId>& ids) {
    json list = json::array();
    for (const PciId id : ids) {
        list.push_back(to_string(id));
    }
    return list;
}

std::vector<PciId> listed_ids(const Image& image) {
    std::vector<PciId> ids;
    for (const std::uint16_t device : image.devices) {
        ids.push_back({image.id.vendor, device});
    }
    return ids;
}

json image_json(const Image& image) {
    const bool pcir = image.code_type != CodeType::none;
    return {{"offset", image.offset},
            {"length", image.length},
            {"init_size", image.init_size},
            {"code_type", code_type_token(image.code_type)},
            {"code", pcir ? json(static_cast<unsigned>(image.code_type)) : json(nullptr)},
            {"id", pcir ? json(to_string(image.id)) : json(nullptr)},
            {"devices", ids_json(listed_ids(image))},
            {"class", pcir ? json(fmt::format("{:06x}", image.class_code)) : json(nullptr)},
            {"pcir_revision", pcir ? json(image.pcir_revision) : json(nullptr)},
            {"last", image.last},
            {"max_runtime_size", image.max_runtime_size},
            {"truncated", image.truncated},
            {"checksum_ok", has_checksum(image) ? json(image.checksum_ok) : json(nullptr)},
            {"pnp", pnp_json(image.pnp)},
            {"undi", undi_json(image.undi)},
            {"ipxe", ipxe_json(image.ipxe)},
            {"efi", efi_json(image.efi)}};
}

json runs_on_json(const RunsOn& verdict) {
    return {{"firmware", verdict.firmware == Firmware::bios ? "bios" : "uefi"},
            {"arch", std::string{to_string(verdict.arch)}},
            {"runs", verdict.image_index.has_value()},
            {"image", verdict.image_index ? json(*verdict.image_index) : json(nullptr)},
            {"role", role_json(verdict.role)},
            {"ids", ids_json(verdict.ids)},
            {"nic_models", verdict.nic_models},
            {"reasons", verdict.reasons},
            {"notes", verdict.notes}};
}

}  // namespace

json to_json(const OptionRom& rom, std::string_view path) {
    json images = json::array();
    for (const Image& image : rom.images) {
        images.push_back(image_json(image));
    }
    json runs_on = json::array();
    for (const RunsOn& verdict : where_it_runs(rom)) {
        runs_on.push_back(runs_on_json(verdict));
    }
    return {{"format", "vm-launch-rom"},
            {"version", 1},
            {"path", valid_utf8(path)},
            {"file_size", rom.file_size},
            {"trailing_bytes", rom.trailing_bytes},
            {"is_ipxe", rom.is_ipxe},
            {"ipxe_version", rom.ipxe_version ? json(*rom.ipxe_version) : json(nullptr)},
            {"images", std::move(images)},
            {"runs_on", std::move(runs_on)},
            {"problems", rom.problems}};
}

}  // namespace vml::rom
