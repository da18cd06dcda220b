#include "bootwatch/stage.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace vml::boot {

namespace {

// The text between two marks of a line, if both are there.
std::optional<std::string_view> between(std::string_view line, std::string_view before,
                                        std::string_view after) {
    const std::size_t start = line.find(before);
    if (start == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view rest = line.substr(start + before.size());
    const std::size_t end = rest.find(after);
    return end == std::string_view::npos ? std::nullopt : std::optional{rest.substr(0, end)};
}

std::optional<Sighting> firmware_in(std::string_view line) {
    if (const auto version = between(line, "SeaBIOS (version ", ")")) {
        return Sighting{Stage::firmware, fmt::format("SeaBIOS {}", *version)};
    }
    if (line.starts_with("BdsDxe: ")) {
        return Sighting{Stage::firmware, fmt::format("UEFI: {}", line)};
    }
    if (line.starts_with(">>Start ")) {  // edk2 NetworkPkg/UefiPxeBcDxe, HttpBootDxe
        return Sighting{Stage::firmware,
                        fmt::format("the firmware's own network boot, not iPXE: {}", line.substr(2))};
    }
    return std::nullopt;
}

std::optional<Sighting> option_rom_in(std::string_view line) {
    if (const auto version = between(line, "iPXE ", " -- Open Source Network Boot Firmware")) {
        return Sighting{Stage::option_rom, fmt::format("iPXE {} runs", *version)};
    }
    if (line.starts_with("iPXE (http")) {  // iPXE src/arch/x86/prefix/romprefix.S: the ROM's init code
        return Sighting{Stage::option_rom, "the firmware found iPXE's ROM"};
    }
    return std::nullopt;
}

// "net0: 10.0.2.15/255.255.255.0 gw 10.0.2.2" (iPXE src/usr/route_ipv4.c)
std::optional<Sighting> address_in(std::string_view line) {
    if (!line.starts_with("net")) {
        return std::nullopt;
    }
    const std::size_t digits = line.find_first_not_of("0123456789", 3);
    if (digits == std::string_view::npos || digits == 3 || !line.substr(digits).starts_with(": ")) {
        return std::nullopt;
    }
    const std::string_view address = line.substr(digits + 2);
    const std::size_t slash = address.find('/');
    const bool ipv4 = slash != std::string_view::npos &&
                      address.substr(0, slash).find_first_not_of("0123456789.") == std::string_view::npos;
    return ipv4 ? std::optional{Sighting{Stage::dhcp, fmt::format("address {}", address)}} : std::nullopt;
}

// "tftp://10.0.2.2/boot.ipxe... ok", "vmlinuz... ok" (iPXE src/usr/imgmgmt.c with src/core/monojob.c)
std::optional<Sighting> fetch_in(std::string_view line) {
    constexpr std::string_view done = "... ok";
    if (!line.ends_with(done) || line.starts_with("Configuring (")) {
        return std::nullopt;
    }
    const std::string_view name = line.substr(0, line.size() - done.size());
    if (name.empty() || name.find(' ') != std::string_view::npos) {
        return std::nullopt;
    }
    return Sighting{Stage::fetch, fmt::format("{} fetched", name)};
}

std::optional<Sighting> system_in(std::string_view line) {
    if (const std::size_t at = line.find("Linux version "); at != std::string_view::npos) {
        const std::string_view rest = line.substr(at);
        return Sighting{Stage::kernel, std::string{rest.substr(0, rest.find(" ("))}};
    }
    if (const auto program = between(line, "Run ", " as init process")) {
        return Sighting{Stage::os, fmt::format("Linux runs {}", *program)};
    }
    return std::nullopt;
}

}  // namespace

std::string_view name_of(Stage stage) {
    switch (stage) {
        case Stage::machine:
            return "machine";
        case Stage::firmware:
            return "firmware";
        case Stage::option_rom:
            return "option ROM";
        case Stage::dhcp:
            return "DHCP";
        case Stage::fetch:
            return "fetch";
        case Stage::kernel:
            return "kernel";
        case Stage::os:
            return "operating system";
    }
    return "";
}

std::optional<Sighting> sighting_in_line(std::string_view line) {
    for (const auto& look : {firmware_in, option_rom_in, address_in, fetch_in, system_in}) {
        if (auto sighting = look(line)) {
            return sighting;
        }
    }
    return std::nullopt;
}

std::optional<Sighting> sighting_in_event(std::string_view event) {
    if (event == "NIC_RX_FILTER_CHANGED") {
        return Sighting{Stage::os, "the guest's own NIC driver is up"};
    }
    if (event == "RTC_CHANGE") {
        return Sighting{Stage::firmware, "UEFI set the clock"};
    }
    return std::nullopt;
}

std::optional<Sighting> Progress::see(const Sighting& sighting) {
    if (stage_ && (sighting.stage < *stage_ || (sighting.stage == *stage_ && sighting.detail == detail_))) {
        return std::nullopt;
    }
    stage_ = sighting.stage;
    detail_ = sighting.detail;
    return sighting;
}

}  // namespace vml::boot
