#include "rom/option_rom.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/error.h"
#include "rom/efi_compression.h"
#include "rom/foreign.h"
#include "rom/ipxe_text.h"
#include "rom/option_rom_complaints.h"
#include "rom/option_rom_fields.h"

namespace vml::rom {

namespace {

constexpr std::uint32_t efi_signature = 0x0EF1;
constexpr std::uint16_t efi_compressed = 1;  // UEFI specification, "EFI PCI expansion ROM header"

Image read_pcir(const Bytes& bytes, std::size_t offset, const Bytes& from_image) {
    Image image;
    image.offset = offset;
    const std::size_t at = from_image.u16(header::pcir);
    if (!from_image.has(at, pcir::size) || !from_image.starts(at, pcir::signature)) {
        return image;
    }
    const Bytes data = from_image.part(at, bytes.size());
    image.pcir_offset = at;
    image.pcir_revision = data.u8(pcir::revision);
    image.id = {data.u16(pcir::vendor), data.u16(pcir::device)};
    image.class_code = data.u32(pcir::class_code) & 0xFFFFFFU;
    image.length = data.u16(pcir::image_units) * unit;
    image.code_type = static_cast<CodeType>(data.u8(pcir::code_type));
    image.last = (data.u8(pcir::indicator) & 0x80U) != 0;
    image.max_runtime_size =
        image.pcir_revision >= pcir::list_revision ? data.u16(pcir::max_runtime) * unit : 0;
    return image;
}

// The list ends with a 0; one that does not end inside the file is cut.
std::vector<std::uint16_t> read_device_list(const Bytes& from_image, const Image& image) {
    std::vector<std::uint16_t> devices;
    const std::size_t pointer = from_image.u16(image.pcir_offset + pcir::device_list);
    if (image.pcir_revision < pcir::list_revision || pointer == 0) {
        return devices;
    }
    std::size_t at = image.pcir_offset + pointer;
    while (devices.size() < most_devices && from_image.u16(at) != 0) {
        devices.push_back(from_image.u16(at));
        at += 2;
    }
    return devices;
}

Pnp read_pnp_header(const Bytes& image, std::size_t at) {
    Pnp found;
    found.bev = image.u16(at + pnp::bev);
    found.bcv = image.u16(at + pnp::bcv);
    const std::size_t manufacturer = image.u16(at + pnp::manufacturer);
    const std::size_t product = image.u16(at + pnp::product);
    found.manufacturer = manufacturer == 0 ? "" : image.text(manufacturer, longest_text);
    found.product = product == 0 ? "" : image.text(product, longest_text);
    const std::size_t length = image.u8(at + pnp::paragraphs) * std::size_t{16};
    found.checksum_ok = length >= pnp::size && image.has(at, length) && image.sum(at, length) == 0;
    return found;
}

// SeaBIOS (optionroms.c, optionrom_setup) follows the chain as long as each header has a BEV or a BCV.
std::optional<Pnp> read_pnp(const Bytes& image) {
    std::optional<Pnp> chosen;
    std::size_t at = image.u16(header::pnp);
    for (std::size_t count = 0; image.has(at, pnp::size) && image.starts(at, pnp::signature); ++count) {
        const Pnp found = read_pnp_header(image, at);
        if (!chosen || (chosen->bev == 0 && found.bev != 0)) {
            chosen = found;
        }
        if (count == most_pnp_headers) {
            chosen->endless = true;
            break;
        }
        at = image.u16(at + pnp::next);
        if (at == 0 || (found.bev == 0 && found.bcv == 0)) {
            break;
        }
    }
    return chosen;
}

// UNDI ROM ID structure: PXE 2.1, 4.2.1; the version is three bytes, the major one last.
std::optional<Undi> read_undi(const Bytes& image) {
    const std::size_t at = image.u16(header::undi);
    if (!image.has(at, 0x16) || !image.starts(at, "UNDI")) {
        return std::nullopt;
    }
    return Undi{image.u8(at + 0x09), image.u8(at + 0x08)};
}

// romprefix.S, "ipxeheader": signature, u8 length, u8 checksum, u8 shrunk length in units, u8, u32 build ID.
std::optional<IpxeHeader> read_ipxe_header(const Bytes& image) {
    const std::size_t at = image.u16(header::ipxe);
    if (!image.has(at, 0x0C) || !image.starts(at, "iPXE")) {
        return std::nullopt;
    }
    return IpxeHeader{image.u8(at + 0x06) * unit, image.u32(at + 0x08)};
}

void add_x86_parts(Image& image, const Bytes& from_image) {
    image.init_size = from_image.u8(header::init_units) * unit;
    const Bytes copied = from_image.part(0, image.init_size);  // a BIOS copies no more than this
    image.checksum_ok =
        image.init_size > 0 && from_image.has(0, image.init_size) && copied.sum(0, image.init_size) == 0;
    image.pnp = read_pnp(copied);
    image.undi = read_undi(copied);
    image.ipxe = read_ipxe_header(copied);
}

void add_efi_part(Image& image, const Bytes& from_image) {
    Efi efi;
    image.init_size = from_image.u16(header::init_units) * unit;
    efi.signature_ok = from_image.u32(header::efi_signature) == efi_signature;
    efi.machine = from_image.u16(header::efi_machine);
    efi.subsystem = from_image.u16(header::efi_subsystem);
    efi.compression = from_image.u16(header::efi_compression);
    efi.image_offset = from_image.u16(header::efi_image);
    image.efi = efi;
}

// What the firmware starts of an EFI image: in a vector of its own where it is packed. `budget` is what may
// be unpacked yet, in all images.
class EfiContents {
  public:
    EfiContents(Efi& efi, const Image& image, const Bytes& from_image, std::size_t& budget)
        : plain_{from_image.part(0, image.init_size).from(efi.image_offset)} {
        if (efi.compression == efi_compressed) {
            unpack(efi, budget);
        }
    }

    [[nodiscard]] Bytes bytes() const { return unpacked_ ? Bytes{*unpacked_} : plain_; }

  private:
    void unpack(Efi& efi, std::size_t& budget) {
        auto result = unpack_efi(plain_, budget);
        if (const auto* fault = std::get_if<CompressionFault>(&result)) {
            efi.packed_fault = to_string(*fault);
            plain_ = Bytes{{}};
            return;
        }
        unpacked_ = std::get<std::vector<std::uint8_t>>(std::move(result));
        efi.unpacked_size = unpacked_->size();
        budget -= unpacked_->size();
    }

    Bytes plain_;
    std::optional<std::vector<std::uint8_t>> unpacked_;
};

// The name and the version stand in the image's text.
void look_into(Image& image, const Bytes& from_image, OptionRom& rom, std::size_t& budget) {
    Efi& efi = *image.efi;
    const EfiContents contents{efi, image, from_image, budget};
    const Bytes bytes = contents.bytes();
    const bool unknown_kind = efi.compression > efi_compressed;
    efi.pe_ok = unknown_kind || bytes.starts(0, "MZ");
    if (unknown_kind || !names_ipxe(bytes)) {
        return;
    }
    efi.role = ipxe_role(bytes);
    rom.is_ipxe = true;
    if (!rom.ipxe_version) {
        rom.ipxe_version = ipxe_version(bytes);
    }
}

Image read_image(const Bytes& bytes, std::size_t offset) {
    const Bytes from_image = bytes.part(offset, bytes.size());
    Image image = read_pcir(bytes, offset, from_image);
    if (image.code_type == CodeType::efi) {
        add_efi_part(image, from_image);
    } else if (image.code_type == CodeType::x86 || image.code_type == CodeType::none) {
        add_x86_parts(image, from_image);
    }
    if (image.code_type == CodeType::none) {
        image.length = image.init_size;
    } else {
        image.devices = read_device_list(from_image, image);
    }
    image.truncated = !from_image.has(0, std::max(image.length, image.init_size));
    return image;
}

// The next 55 AA on a 512-byte step, as UEFI firmware looks for it (PciOptionRomSupport.c, LoadOpRomImage).
std::optional<std::size_t> find_image(const Bytes& bytes, std::size_t from) {
    for (std::size_t at = from; at < bytes.size(); at += unit) {
        if (bytes.starts(at, rom_signature)) {
            return at;
        }
    }
    return std::nullopt;
}

// Where the image after the last one read begins; records a gap or a missing end.
std::optional<std::size_t> next_image(const Bytes& bytes, OptionRom& rom) {
    const Image& image = rom.images.back();
    if (image.last || image.length == 0 || image.code_type == CodeType::none) {
        return std::nullopt;
    }
    const std::size_t expected = image.offset + image.length;
    const auto found = find_image(bytes, expected);
    Complaints complaints{rom.problems, rom.images.size() - 1};
    complaints.add(!found, "lacks the last-image flag, and no image follows it");
    complaints.add(found && *found != expected, fmt::format("is followed by {} bytes that belong to no image",
                                                            found.value_or(0) - expected));
    return found;
}

void read_images(const Bytes& bytes, OptionRom& rom) {
    std::optional<std::size_t> at = 0;
    std::size_t budget = largest_unpacked;
    while (at && rom.images.size() < most_images) {
        rom.images.push_back(read_image(bytes, *at));
        if (rom.images.back().efi) {
            look_into(rom.images.back(), bytes.from(*at), rom, budget);
        }
        complain(rom, bytes, rom.images.size() - 1);
        at = next_image(bytes, rom);
    }
    if (at) {
        rom.problems.push_back(
            fmt::format("There are more than {} images; the rest is not looked at.", most_images));
    }
}

std::size_t bytes_after_images(const OptionRom& rom) {
    const Image& image = rom.images.back();
    const std::size_t end = image.offset + std::max(image.length, image.init_size);
    return rom.file_size - std::min(rom.file_size, end);
}

std::string hint_for_no_rom(const Bytes& bytes) {
    constexpr std::string_view rom =
        "give a PCI option ROM, such as pxe-virtio.rom (BIOS) or efi-virtio.rom (BIOS and UEFI) of the "
        "package "
        "ipxe-qemu";
    return is_pe_program(bytes) ? fmt::format(
                                      "--firmware uefi --ipxe-rom takes iPXE's program ipxe.efi in place "
                                      "of a ROM; else {}",
                                      rom)
                                : std::string{rom};
}

}  // namespace

OptionRom read_option_rom(std::span<const std::uint8_t> data, std::string_view name) {
    const Bytes bytes{data};
    if (!bytes.starts(0, rom_signature)) {
        throw Error{Fault{fmt::format("cannot read {} as an option ROM", name), what_it_is(bytes),
                          hint_for_no_rom(bytes), ExitCode::host}};
    }
    OptionRom rom;
    rom.file_size = data.size();
    read_images(bytes, rom);
    rom.trailing_bytes = bytes_after_images(rom);
    rom.is_ipxe = rom.is_ipxe || std::any_of(rom.images.begin(), rom.images.end(), calls_itself_ipxe);
    return rom;
}

}  // namespace vml::rom
