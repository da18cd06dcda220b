#include "rom/option_rom.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/error.h"
#include "rom/efi_compression.h"
#include "rom/foreign.h"
#include "rom/ipxe_text.h"

namespace vml::rom {

namespace {

constexpr std::string_view rom_signature = "\x55\xAA";  // PCI Firmware Specification 3.x, 5.1.1
constexpr std::size_t unit = 512;                       // sizes in ROM headers count units of 512 bytes

// More images than any ROM holds; keeps hostile files from growing the lists without end.
constexpr std::size_t most_images = 64;
constexpr std::size_t most_devices = 256;
constexpr std::size_t most_pnp_headers = 16;
constexpr std::size_t longest_text = 80;

// Image header, offsets in the image (5.1.1 for x86; UEFI specification, "EFI PCI expansion ROM header";
// ROM.pm).
namespace header {
constexpr std::size_t init_units = 0x02;       // u8 for x86, u16 for EFI
constexpr std::size_t efi_signature = 0x04;    // u32
constexpr std::size_t efi_subsystem = 0x08;    // u16
constexpr std::size_t efi_machine = 0x0A;      // u16
constexpr std::size_t efi_compression = 0x0C;  // u16
constexpr std::size_t efi_image = 0x16;        // u16
constexpr std::size_t ipxe = 0x10;             // u16, pointer to the "iPXE" header (romprefix.S)
constexpr std::size_t undi = 0x16;             // u16, pointer to the UNDI ROM ID (PXE 2.1, 4.2.1)
constexpr std::size_t pcir = 0x18;             // u16, pointer to the PCI data structure
constexpr std::size_t pnp = 0x1A;  // u16, pointer to $PnP (BIOS Boot Specification 1.01, appendix B)
}  // namespace header

// PCI data structure, offsets in it (PCI Firmware Specification 3.x, 5.1.2).
namespace pcir {
constexpr std::string_view signature = "PCIR";
constexpr std::size_t size = 0x18;         // of revision 0, without the later fields
constexpr std::size_t vendor = 0x04;       // u16
constexpr std::size_t device = 0x06;       // u16
constexpr std::size_t device_list = 0x08;  // u16, relative to the structure; revision 3
constexpr std::size_t revision = 0x0C;     // u8
constexpr std::size_t class_code = 0x0D;   // u8 each: interface, sub class, base class
constexpr std::size_t image_units = 0x10;  // u16
constexpr std::size_t code_type = 0x14;    // u8
constexpr std::size_t indicator = 0x15;    // u8, bit 7: last image
constexpr std::size_t max_runtime = 0x16;  // u16, in units; revision 3
constexpr std::uint8_t list_revision = 3;
}  // namespace pcir

// Expansion header for Plug and Play, offsets in it (BIOS Boot Specification 1.01, appendix B; ROM.pm).
namespace pnp {
constexpr std::string_view signature = "$PnP";
constexpr std::size_t size = 0x20;
constexpr std::size_t paragraphs = 0x05;    // u8, length in 16 bytes
constexpr std::size_t next = 0x06;          // u16, relative to the image
constexpr std::size_t manufacturer = 0x0E;  // u16, relative to the image
constexpr std::size_t product = 0x10;       // u16, relative to the image
constexpr std::size_t bcv = 0x16;           // u16
constexpr std::size_t bev = 0x1A;           // u16
}  // namespace pnp

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

// One sentence for each thing that is wrong with an image, gathered with the image's name in front.
class Complaints {
  public:
    Complaints(std::vector<std::string>& problems, std::size_t index)
        : problems_{problems}, label_{image_label(index)} {}
    void add(bool wrong, std::string_view sentence) {
        if (wrong) {
            problems_.push_back(fmt::format("{} {}.", label_, sentence));
        }
    }

  private:
    std::vector<std::string>& problems_;
    std::string label_;
};

std::string pcir_complaint(const Bytes& bytes, const Image& image) {
    const std::size_t pointer = bytes.u16(image.offset + header::pcir);
    if (pointer == 0) {
        return "has no PCI data structure: an ISA option ROM, which no PCI device runs";
    }
    const bool outside = !bytes.has(image.offset + pointer, pcir::size);
    return fmt::format("points to a PCI data structure at 0x{:x}, {}", pointer,
                       outside ? "which is past the end of the file" : "where there is none");
}

void complain_of_sizes(const Bytes& bytes, const Image& image, Complaints& complaints) {
    const std::size_t end = image.offset + std::max(image.length, image.init_size);
    complaints.add(image.truncated, fmt::format("is cut short: {} bytes are missing at the end of the file",
                                                end - std::min(end, bytes.size())));
    complaints.add(image.length == 0 && image.code_type != CodeType::none,
                   "says that its length is 0, so that no image after it can be found");
    complaints.add(image.init_size > image.length && image.length > 0,
                   fmt::format("overlaps what follows it: initialisation size {}, image length {} bytes",
                               image.init_size, image.length));
}

void complain_of_pcir(const Bytes& bytes, const Image& image, Complaints& complaints) {
    if (image.code_type == CodeType::none) {
        complaints.add(true, pcir_complaint(bytes, image));
        return;
    }
    complaints.add(image.pcir_offset % 4 != 0,
                   "has its PCI data structure at an offset that is no multiple of 4");
    complaints.add(image.length > 0 && image.pcir_offset + pcir::size > image.length,
                   "has its PCI data structure outside itself");
    complaints.add(image.devices.size() == most_devices, "has a device list without an end");
}

void complain_of_x86(const Image& image, Complaints& complaints) {
    complaints.add(image.init_size == 0, "has an initialisation size of 0");
    complaints.add(!image.truncated && image.init_size > 0 && !image.checksum_ok,
                   "has a bad checksum: its initialisation bytes do not sum up to 0");
    complaints.add(image.pnp && !image.pnp->checksum_ok, "has a $PnP header with a bad checksum");
    complaints.add(image.pnp && image.pnp->endless, "has a chain of $PnP headers without an end");
}

void complain_of_efi(const Efi& efi, Complaints& complaints) {
    complaints.add(!efi.signature_ok, "is marked as EFI code but lacks the EFI signature 0x0ef1");
    complaints.add(!efi.packed_fault.empty(), fmt::format("cannot be unpacked: {}", efi.packed_fault));
    complaints.add(!efi.pe_ok && efi.packed_fault.empty(),
                   efi.unpacked_size ? "is packed, and what it unpacks to is no PE program"
                                     : fmt::format("has no PE program at 0x{:x}", efi.image_offset));
}

void complain(OptionRom& rom, const Bytes& bytes, std::size_t index) {
    const Image& image = rom.images[index];
    Complaints complaints{rom.problems, index};
    complain_of_pcir(bytes, image, complaints);
    complain_of_sizes(bytes, image, complaints);
    if (image.efi) {
        complain_of_efi(*image.efi, complaints);
    } else if (image.code_type == CodeType::x86 || image.code_type == CodeType::none) {
        complain_of_x86(image, complaints);
    }
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

std::string to_string(PciId id) {
    return fmt::format("{:04x}:{:04x}", id.vendor, id.device);
}

std::string to_string(CodeType type) {
    switch (type) {
        case CodeType::x86:
            return "x86";
        case CodeType::open_firmware:
            return "Open Firmware";
        case CodeType::pa_risc:
            return "PA-RISC";
        case CodeType::efi:
            return "EFI";
        case CodeType::none:
            return "no PCIR";
    }
    return fmt::format("code type 0x{:02x}", static_cast<unsigned>(type));
}

// Microsoft PE/COFF specification, "Machine Types".
std::string machine_name(std::uint16_t machine) {
    switch (machine) {
        case 0x014C:
            return "IA-32";
        case 0x01C2:
            return "ARM";
        case 0x0EBC:
            return "EBC";
        case 0x5064:
            return "RISC-V 64";
        case 0x6264:
            return "LoongArch 64";
        case 0x8664:
            return "x86-64";
        case 0xAA64:
            return "AArch64";
        default:
            return fmt::format("machine 0x{:04x}", machine);
    }
}

bool calls_itself_ipxe(const Image& image) {
    return image.ipxe || (image.pnp && image.pnp->product.starts_with("iPXE"));
}

std::string image_label(std::size_t index) {
    return fmt::format("image {}", index + 1);
}

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
