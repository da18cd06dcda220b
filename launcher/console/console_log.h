// The file of --console-log: every byte of the guest's console, as it came. Makes system calls.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/fd.h"

namespace vml {

class ConsoleLog {
  public:
    // Told once of each kind of trouble, which ends nothing else.
    using OnTrouble = std::function<void(const std::string& what)>;

    // Without a descriptor nothing is kept. `file` gets bytes at its end; where it is a pipe or a device it
    // does not block, and what its reader is too slow for is lost.
    ConsoleLog(OwnedFd file, OnTrouble on_trouble, std::size_t most = most_bytes);

    void add(std::string_view bytes);

    // A guest may write for ever: then the host's disk shall not be full.
    static constexpr std::size_t most_bytes = std::size_t{1} << 30;

  private:
    void end(const std::string& why);

    OwnedFd file_;
    OnTrouble on_trouble_;
    std::size_t room_;
    bool lost_told_ = false;
};

}  // namespace vml
