// Which of a boot's marks are told as they come. Guest and network may repeat everything without end, and
// what they repeat must not silence what comes at last. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "bootwatch/record.h"

namespace vml::boot {

class Told {
  public:
    // Is it told? What proves a stage and what does not have a number each, of those that are new and of
    // those that repeat another one. However much was told already, a stage that is new is told too, and a
    // proof after what was none.
    [[nodiscard]] bool takes(const Mark& mark, bool new_stage);

  private:
    struct Share {
        std::vector<std::size_t> kinds{};  // the latest, by hash
        std::size_t fresh = 0;
        std::size_t repeats = 0;
    };
    std::map<std::pair<Stage, bool>, Share> shares_;  // by stage, and whether it is proved
    std::map<Stage, bool> proved_;                    // did the one that was told last prove it?
};

}  // namespace vml::boot
