// What stands in the way of a VM, and what its user should know of it: gathered by the parts of "decide".
// Pure.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace vml {

class Findings {
  public:
    void settings_fault(std::string what, std::string why, std::string hint);
    void host_fault(std::string what, std::string why, std::string hint);
    void add(Fault fault);
    // Two NICs may suffer from the same lack; it is reported once.
    void once(Fault fault);

    void note(std::string text);
    void note_once(std::string text);

    [[nodiscard]] bool no_fault() const { return faults_.empty(); }
    [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }
    // The settings' faults first: they decide the exit code.
    [[nodiscard]] std::vector<Fault> sorted_faults() const;

  private:
    std::vector<Fault> faults_;
    std::vector<std::string> notes_;
};

}  // namespace vml
