#include "rom/option_rom_complaints.h"

#include <algorithm>

#include "rom/option_rom_fields.h"

namespace vml::rom {

namespace {

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

}  // namespace

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

}  // namespace vml::rom
