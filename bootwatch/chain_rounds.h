// How often a boot program was fetched in one boot, each time after a new address: a loader that loads
// itself. It is counted as the fetches end, so that the bounds of the record's lists are none of the count.
// Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace vml::boot {

class ChainRounds {
  public:
    // A DHCP server acknowledged an address to the guest.
    void address(double at);
    // Something that may be a program was fetched whole.
    void fetched(const std::string& url, double began);

    // Of the program that was fetched most often: 0 or 1 in every boot that is no loop; a script may be
    // fetched again and again, to wait for its server, and a program may read its own file again.
    [[nodiscard]] unsigned most() const { return most_; }

  private:
    struct Program {
        unsigned count = 0;
        double began = 0;  // the latest fetch
    };
    std::vector<double> addresses_;            // the latest ones
    std::map<std::string, Program> programs_;  // by URL
    unsigned most_ = 0;
};

}  // namespace vml::boot
