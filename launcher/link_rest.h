// UEFI that was told to boot by PXE tries HTTP over the same NIC when that has failed, for a minute, before
// it goes on to the disk. It does not on a NIC whose link is down (edk2 NetworkPkg/Library/DxeNetLib,
// NetLibDetectMediaWaitTimeout), so the link rests in between. Pure.
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

class LinkRest {
  public:
    struct Nic {
        std::string id;
        std::string mac;  // "52:54:00:12:34:56"
    };

    // Without NICs nothing is ever switched.
    explicit LinkRest(std::vector<Nic> nics = {}) : nics_{std::move(nics)} {}

    // A line of the console; what is to be switched now.
    std::vector<LinkSwitch> line(std::string_view line);
    // Every link is up again.
    std::vector<LinkSwitch> reset();

  private:
    std::vector<Nic> nics_;
    std::vector<std::string> down_;
};

}  // namespace vml
