// `vm-launch doctor`: what these settings need of the host, and whether it is there. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/host/host.h"
#include "launcher/probe/ask_network.h"
#include "launcher/vm/spec.h"

namespace vml {

struct DoctorLine {
    std::string_view verdict;  // "ok", "warning", "fault"
    std::string text;
};

// One for each thing that is there, each warning and each fault with its fix. `network`: what the network
// said; none: it was not asked.
[[nodiscard]] std::vector<DoctorLine> doctor_lines(const HostFacts& facts, const Decision& decision,
                                                   const std::optional<NetworkAnswer>& network = {});

// The same with a closing line.
[[nodiscard]] std::string doctor_as_text(const std::vector<DoctorLine>& lines);
// docs/doctor-format.md describes it.
[[nodiscard]] std::string doctor_as_json(const std::vector<DoctorLine>& lines,
                                         const std::optional<NetworkAnswer>& network);

}  // namespace vml
