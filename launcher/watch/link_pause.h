// UEFI that was told to boot by PXE tries HTTP over the same NIC when that has failed, for a minute, before
// it goes on to the disk. It does not on a NIC whose link is down (edk2 NetworkPkg/Library/DxeNetLib,
// NetLibDetectMediaWaitTimeout), so the link is down in between. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vml {

struct LinkSwitch {
    std::string nic;  // "net0"
    bool up = true;
    bool operator==(const LinkSwitch&) const = default;
};

class LinkPause {
  public:
    struct Nic {
        std::string id;
        std::string mac;  // "52:54:00:12:34:56"
    };

    // Without NICs nothing is ever switched.
    explicit LinkPause(std::vector<Nic> nics = {}) : nics_{std::move(nics)} {}

    // A line of the console; what is to be switched now. The firmware's error comes a moment before its word
    // that the boot option failed, and HTTP right after that.
    std::vector<LinkSwitch> line(std::string_view line);
    // In one run: a guest may write the firmware's lines without end, and each switch is QEMU's work.
    static constexpr unsigned most_pauses = 1000;
    // Should the firmware's next line never come: longer than its look at a link that is down takes.
    static constexpr double longest_s = 10;
    // Every link is up again.
    std::vector<LinkSwitch> reset();

  private:
    [[nodiscard]] std::vector<std::string> named_in(std::string_view text) const;
    std::vector<LinkSwitch> down(std::vector<std::string> wanted);

    std::vector<Nic> nics_;
    std::vector<std::string> trying_;  // those whose PXE runs
    std::vector<std::string> down_;
    unsigned pauses_ = 0;
};

}  // namespace vml
