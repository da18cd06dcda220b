#include "launcher/vm/findings.h"

#include <algorithm>
#include <utility>

namespace vml {

void Findings::settings_fault(std::string what, std::string why, std::string hint) {
    faults_.push_back({std::move(what), std::move(why), std::move(hint), ExitCode::settings});
}

void Findings::host_fault(std::string what, std::string why, std::string hint) {
    faults_.push_back({std::move(what), std::move(why), std::move(hint), ExitCode::host});
}

void Findings::add(Fault fault) {
    faults_.push_back(std::move(fault));
}

void Findings::once(Fault fault) {
    if (std::find(faults_.begin(), faults_.end(), fault) == faults_.end()) {
        faults_.push_back(std::move(fault));
    }
}

void Findings::note(std::string text) {
    notes_.push_back(std::move(text));
}

void Findings::note_once(std::string text) {
    if (std::find(notes_.begin(), notes_.end(), text) == notes_.end()) {
        notes_.push_back(std::move(text));
    }
}

std::vector<Fault> Findings::sorted_faults() const {
    std::vector<Fault> sorted = faults_;
    std::stable_partition(sorted.begin(), sorted.end(),
                          [](const Fault& fault) { return fault.code == ExitCode::settings; });
    return sorted;
}

}  // namespace vml
