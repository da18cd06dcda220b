// How far a boot got, as the console and QEMU's events tell it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vml::boot {

// In the order of a network boot; a later one implies that the earlier ones are over.
enum class Stage { machine, firmware, option_rom, dhcp, fetch, kernel, os };

// The stage's name in reports and on the screen: "option ROM".
[[nodiscard]] std::string_view name_of(Stage stage);

// A stage seen, and what showed it: "iPXE 1.0.0+git-20190125.36a4c85-5.1".
struct Sighting {
    Stage stage = Stage::machine;
    std::string detail;
    bool operator==(const Sighting&) const = default;
};

// What one whole line of the serial console shows, if anything: texts of SeaBIOS (src/fw, "SeaBIOS
// (version"), edk2 (BdsDxe), iPXE (src/usr/autoboot.c, src/usr/ifmgmt.c, src/core/downloader.c) and Linux
// (init/main.c, linux_banner).
[[nodiscard]] std::optional<Sighting> sighting_in_line(std::string_view line);

// What a QEMU event shows: the guest's driver setting the NIC's receive filter is an operating system (no
// firmware and no iPXE does it), a real-time clock change is OVMF's early start.
[[nodiscard]] std::optional<Sighting> sighting_in_event(std::string_view event);

// Keeps the stage monotone within one boot; a reset starts a new one.
class Progress {
  public:
    // The sighting again, if it tells something new: a later stage, or another fetch.
    std::optional<Sighting> see(const Sighting& sighting);
    void reset() { stage_.reset(); }

    [[nodiscard]] std::optional<Stage> stage() const { return stage_; }
    // Does an operating system run, so that the power button means something?
    [[nodiscard]] bool os_runs() const { return stage_ && *stage_ >= Stage::kernel; }

  private:
    std::optional<Stage> stage_;
    std::string detail_;
};

}  // namespace vml::boot
