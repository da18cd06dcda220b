// Hand-made option ROM images for tests: right by default, wrong where a test says so.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

#include "rom/option_rom.h"

namespace vml::rom::test {

using Data = std::vector<std::uint8_t>;

inline void put16(Data& data, std::size_t at, unsigned value) {
    data.at(at) = static_cast<std::uint8_t>(value & 0xFFU);
    data.at(at + 1) = static_cast<std::uint8_t>(value >> 8U);
}

inline void put_text(Data& data, std::size_t at, std::string_view text) {
    for (const char c : text) {
        data.at(at++) = static_cast<std::uint8_t>(c);
    }
}

// Makes the `count` bytes from `from` sum up to 0 by the byte at `at`.
inline void fix_sum(Data& data, std::size_t from, std::size_t count, std::size_t at) {
    unsigned sum = 0;
    for (std::size_t i = from; i < from + count; ++i) {
        sum += data.at(i);
    }
    data.at(at) = static_cast<std::uint8_t>(data.at(at) - sum);
}

struct X86 {
    PciId id{0x1AF4, 0x1041};
    std::vector<std::uint16_t> devices{};
    unsigned units = 4;  // of 512 bytes: image length and initialisation size
    bool pnp = true;
    std::uint16_t bev = 0x385;
    std::uint16_t bcv = 0;
    bool last = true;
};

constexpr std::size_t pcir_at = 0x1C;
constexpr std::size_t pnp_at = 0x40;
constexpr std::size_t device_list_at = 0x100;

inline void put_pcir(Data& data, PciId id, unsigned units, unsigned code_type, bool last) {
    put16(data, 0x18, pcir_at);
    put_text(data, pcir_at, "PCIR");
    put16(data, pcir_at + 4, id.vendor);
    put16(data, pcir_at + 6, id.device);
    put16(data, pcir_at + 0x0A, 0x1C);
    data.at(pcir_at + 0x0C) = 3;
    data.at(pcir_at + 0x0F) = 2;  // network
    put16(data, pcir_at + 0x10, units);
    data.at(pcir_at + 0x14) = static_cast<std::uint8_t>(code_type);
    data.at(pcir_at + 0x15) = last ? 0x80 : 0x00;
}

inline void put_pnp(Data& data, const X86& made) {
    put16(data, 0x1A, pnp_at);
    put_text(data, pnp_at, "$PnP");
    data.at(pnp_at + 4) = 1;
    data.at(pnp_at + 5) = 2;
    put16(data, pnp_at + 0x0E, 0x80);
    put16(data, pnp_at + 0x10, 0x90);
    put16(data, pnp_at + 0x16, made.bcv);
    put16(data, pnp_at + 0x1A, made.bev);
    put_text(data, 0x80, "maker");
    put_text(data, 0x90, "product");
    fix_sum(data, pnp_at, 0x20, pnp_at + 9);
}

inline Data make(const X86& made) {
    Data data(std::size_t{made.units} * 512);
    put16(data, 0, 0xAA55);
    data.at(2) = static_cast<std::uint8_t>(made.units);
    put_pcir(data, made.id, made.units, 0, made.last);
    if (!made.devices.empty()) {
        put16(data, pcir_at + 8, device_list_at - pcir_at);
        for (std::size_t i = 0; i < made.devices.size(); ++i) {
            put16(data, device_list_at + 2 * i, made.devices[i]);
        }
    }
    if (made.pnp) {
        put_pnp(data, made);
    }
    fix_sum(data, 0, data.size(), 6);
    return data;
}

struct EfiImage {
    PciId id{0x1AF4, 0x1041};
    unsigned units = 3;
    unsigned machine = 0x8664;
    unsigned subsystem = 0x0B;
    unsigned compression = 0;
    bool last = true;
};

inline Data make(const EfiImage& made) {
    Data data(std::size_t{made.units} * 512);
    put16(data, 0, 0xAA55);
    put16(data, 2, made.units);
    put16(data, 4, 0x0EF1);
    put16(data, 8, made.subsystem);
    put16(data, 0x0A, made.machine);
    put16(data, 0x0C, made.compression);
    put16(data, 0x16, 0x38);
    put_pcir(data, made.id, made.units, 3, made.last);
    put_text(data, 0x38, "MZ");
    return data;
}

// An EFI image that holds this program: packed data when `packed`.
inline Data make(EfiImage made, const Data& contents, bool is_packed = true) {
    constexpr std::size_t program_at = 0x38;
    made.units = static_cast<unsigned>((program_at + contents.size() + 511) / 512);
    made.compression = is_packed ? 1 : 0;
    Data data = make(made);
    std::copy(contents.begin(), contents.end(), data.begin() + program_at);
    return data;
}

inline Data text_data(std::string_view text) {
    return {text.begin(), text.end()};
}

// What iPXE's drivers show in plain text.
inline Data driver_program() {
    using namespace std::string_view_literals;
    return text_data("MZ program iPXE\0virtio-net.efidrv\0001.21.1+git1\0Firmware driver\0"sv);
}

inline Data operator+(Data first, const Data& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

inline Data whole_program() {
    return driver_program() + text_data("No more network devices\nNothing to boot: %s");
}

inline Data file_bytes(const std::filesystem::path& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

}  // namespace vml::rom::test
