// What a plan says of the guest's networks: what is served there, who is offered what, who is asked.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "launcher/plan/plan.h"

namespace vml {

[[nodiscard]] std::string served_as_text(const Netboot& netboot);
[[nodiscard]] std::string offer_as_text(const PlannedOffer& offer);
// Comments of a shell: what vm-launch does in a run, and nobody by hand.
[[nodiscard]] std::string missing_by_hand(const Plan& plan);
[[nodiscard]] std::string segments_as_text(const Plan& plan);
[[nodiscard]] std::string probe_as_text(const PlannedProbe& probe);

// Null: the plan has none.
[[nodiscard]] nlohmann::ordered_json served_of(const Plan& plan);
[[nodiscard]] nlohmann::ordered_json offer_of(const Plan& plan);
[[nodiscard]] nlohmann::ordered_json probe_of(const Plan& plan);
[[nodiscard]] nlohmann::ordered_json segment_of(const PlannedSegment& segment);

}  // namespace vml
