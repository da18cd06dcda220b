// What a capture has of vm-launch's own questions to a network, which are asked in a machine's name and are
// none of its boot. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/mac.h"
#include "bootwatch/packet.h"
#include "capture/recent.h"

namespace vml::capture {

class Probes {
  public:
    // Is it such a question, or an answer to one? An answer is told by its number, which a client of the
    // machine's own has seldom, and then asked with.
    [[nodiscard]] bool takes(const boot::DhcpMessage& message);

    // Clients' own questions of such numbers that are remembered: the latest.
    static constexpr std::size_t most_questions = 4096;

  private:
    Recent<std::pair<Mac, std::uint32_t>> others_{most_questions};
};

}  // namespace vml::capture
