// What a capture has of vm-launch's own questions to a network, which are asked in a machine's name and are
// none of its boot. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>

#include "base/mac.h"
#include "bootwatch/packet.h"

namespace vml::capture {

class Probes {
  public:
    // Is it such a question, or an answer to one that was seen? An answer is told by the question's number
    // and address.
    [[nodiscard]] bool takes(const boot::DhcpMessage& message);

    // Questions that are remembered; what answers others is taken for an answer to the machine.
    static constexpr std::size_t most_questions = 4096;

  private:
    std::set<std::pair<Mac, std::uint32_t>> asked_;
};

}  // namespace vml::capture
