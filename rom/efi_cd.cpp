#include "rom/efi_cd.h"

#include <cstddef>
#include <cstdint>

namespace vml::rom {

namespace {

constexpr std::size_t sector_size = 512;
constexpr std::size_t cd_sector_size = 2048;

// Little-endian bytes, one field after the other.
class Bytewise {
  public:
    Bytewise& u8(std::size_t value) { return number(value, 1); }
    Bytewise& u16(std::size_t value) { return number(value, 2); }
    Bytewise& u32(std::size_t value) { return number(value, 4); }
    Bytewise& text(std::string_view text) {
        bytes_ += text;
        return *this;
    }
    Bytewise& pad_to(std::size_t size, char with = '\0') {
        bytes_.resize(size, with);
        return *this;
    }
    [[nodiscard]] const std::string& bytes() const { return bytes_; }

  private:
    Bytewise& number(std::size_t value, unsigned size) {
        for (unsigned i = 0; i < size; ++i) {
            bytes_ += static_cast<char>(value >> 8 * i & 0xFFU);
        }
        return *this;
    }
    std::string bytes_;
};

std::string padded(std::string_view bytes, std::size_t unit) {
    std::string result{bytes};
    result.resize((bytes.size() + unit - 1) / unit * unit, '\0');
    return result;
}

// ---- FAT (Microsoft's FAT specification 1.03) ----

// With fewer clusters than this it is FAT12, whose entries have 12 bits.
constexpr std::size_t most_clusters = 4084;
constexpr std::size_t first_cluster = 2;
constexpr std::size_t efi_cluster = 2;   // the folder EFI
constexpr std::size_t boot_cluster = 3;  // the folder EFI/BOOT
constexpr std::size_t file_cluster = 4;
constexpr std::size_t end_of_chain = 0xFFF;
constexpr std::size_t media_byte = 0xF8;
constexpr std::size_t root_entries = 16;  // one sector of them

struct FatSizes {
    std::size_t cluster = sector_size;  // bytes
    std::size_t clusters = 0;
    std::size_t fat_sectors = 0;
};

FatSizes fat_sizes(std::size_t file_size) {
    FatSizes sizes;
    const auto clusters = [&] {
        return file_cluster - first_cluster + (file_size + sizes.cluster - 1) / sizes.cluster;
    };
    while (clusters() > most_clusters) {
        sizes.cluster *= 2;
    }
    sizes.clusters = clusters();
    const std::size_t fat_bytes = ((sizes.clusters + first_cluster) * 3 + 1) / 2;
    sizes.fat_sectors = (fat_bytes + sector_size - 1) / sector_size;
    return sizes;
}

std::string boot_sector(const FatSizes& sizes) {
    const std::size_t per_cluster = sizes.cluster / sector_size;
    const std::size_t total = 1 + sizes.fat_sectors + 1 + sizes.clusters * per_cluster;
    Bytewise sector;
    sector.text("\xEB\x3C\x90MSDOS5.0").u16(sector_size).u8(per_cluster).u16(1).u8(1).u16(root_entries);
    sector.u16(total > 0xFFFF ? 0 : total).u8(media_byte).u16(sizes.fat_sectors).u16(32).u16(2).u32(0);
    sector.u32(total > 0xFFFF ? total : 0);
    sector.u8(0x80).u8(0).u8(0x29).u32(0).text("VM-LAUNCH  ").text("FAT12   ");
    return sector.pad_to(sector_size - 2).u16(0xAA55).bytes();
}

// The first two entries are no clusters'; the folders have a cluster each, and the file has the rest.
std::string allocation_table(const FatSizes& sizes) {
    std::string table(sizes.fat_sectors * sector_size, '\0');
    const auto put = [&](std::size_t entry, std::size_t value) {
        const std::size_t at = entry * 3 / 2;
        const std::size_t shifted = entry % 2 == 0 ? value : value << 4U;
        table[at] = static_cast<char>(static_cast<std::uint8_t>(table[at]) | (shifted & 0xFFU));
        table[at + 1] = static_cast<char>(static_cast<std::uint8_t>(table[at + 1]) | shifted >> 8U);
    };
    const std::size_t end = first_cluster + sizes.clusters;
    put(0, 0xF00 | media_byte);
    put(1, end_of_chain);
    put(efi_cluster, end_of_chain);
    put(boot_cluster, end_of_chain);
    for (std::size_t cluster = file_cluster; cluster < end; ++cluster) {
        put(cluster, cluster + 1 < end ? cluster + 1 : end_of_chain);
    }
    return table;
}

// `name` is padded as FAT has it: eight characters and three.
std::string folder_entry(std::string_view name, std::size_t cluster) {
    return Bytewise{}.text(name).u8(0x10).pad_to(26).u16(cluster).u32(0).bytes();
}

std::string file_entry(std::string_view name, std::size_t cluster, std::size_t size) {
    return Bytewise{}.text(name).u8(0x20).pad_to(26).u16(cluster).u32(size).bytes();
}

std::string_view fat_name(Arch arch) {
    return arch == Arch::x86_64 ? "BOOTX64 EFI" : "BOOTAA64EFI";
}

std::string fat_volume(std::string_view program, Arch arch) {
    const FatSizes sizes = fat_sizes(program.size());
    return boot_sector(sizes) + allocation_table(sizes) +
           padded(folder_entry("EFI        ", efi_cluster), sector_size) +
           padded(folder_entry(".          ", efi_cluster) + folder_entry("..         ", 0) +
                      folder_entry("BOOT       ", boot_cluster),
                  sizes.cluster) +
           padded(folder_entry(".          ", boot_cluster) + folder_entry("..         ", efi_cluster) +
                      file_entry(fat_name(arch), program.empty() ? 0 : file_cluster, program.size()),
                  sizes.cluster) +
           padded(program, sizes.cluster);
}

// ---- El Torito ----

constexpr std::size_t system_area = 16;  // CD sectors, before the volume descriptors (ECMA-119, 6.2.1)
constexpr std::size_t catalogue_sector = system_area + 3;
constexpr std::size_t volume_sector = catalogue_sector + 1;
constexpr std::size_t efi_platform = 0xEF;

// The sum of its 16-bit words is 0.
std::string validation_entry() {
    const auto entry = [](std::size_t checksum) {
        return Bytewise{}
            .u8(1)
            .u8(efi_platform)
            .u16(0)
            .text("vm-launch")
            .pad_to(28)
            .u16(checksum)
            .u16(0xAA55)
            .bytes();
    };
    const std::string without = entry(0);
    std::size_t sum = 0;
    for (std::size_t i = 0; i < without.size(); i += 2) {
        sum += static_cast<std::uint8_t>(without[i]) +
               static_cast<std::size_t>(static_cast<std::uint8_t>(without[i + 1])) * 256;
    }
    return entry(0x10000 - sum % 0x10000);
}

// Bootable, without emulating a drive. A length of 0 reaches to the end of the medium.
std::string initial_entry(std::size_t sectors) {
    return Bytewise{}
        .u8(0x88)
        .u8(0)
        .u16(0)
        .u8(0)
        .u8(0)
        .u16(sectors > 0xFFFF ? 0 : sectors)
        .u32(volume_sector)
        .bytes();
}

std::string volume_descriptor(std::size_t type, std::string_view system) {
    return padded(Bytewise{}.u8(type).text("CD001").u8(1).text(system).bytes(), cd_sector_size);
}

std::string boot_record() {
    std::string record = volume_descriptor(0, "EL TORITO SPECIFICATION");
    const std::string pointer = Bytewise{}.u32(catalogue_sector).bytes();
    record.replace(0x47, pointer.size(), pointer);
    return record;
}

}  // namespace

std::string removable_name(Arch arch) {
    return arch == Arch::x86_64 ? "EFI/BOOT/BOOTX64.EFI" : "EFI/BOOT/BOOTAA64.EFI";
}

std::string efi_cd(std::string_view program, Arch arch) {
    constexpr std::size_t primary = 1;
    constexpr std::size_t terminator = 255;
    const std::string volume = fat_volume(program, arch);
    return std::string(system_area * cd_sector_size, '\0') + volume_descriptor(primary, "") + boot_record() +
           volume_descriptor(terminator, "") +
           padded(validation_entry() + initial_entry(volume.size() / sector_size), cd_sector_size) +
           padded(volume, cd_sector_size);
}

}  // namespace vml::rom
