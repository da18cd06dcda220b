// What every part of the step "plan" writes with: QEMU's options and the descriptors that they name. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "launcher/plan/plan.h"

namespace vml {

// Builds "driver,key=value,…", with QEMU's doubling of commas.
class Properties {
  public:
    explicit Properties(std::string_view head);

    Properties& add(std::string_view key, std::string_view value);
    // Goes on with the last value.
    Properties& more(std::string_view value);
    Properties& bootindex(const std::optional<int>& index);
    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    std::string text_;
};

class PlanWriter {
  public:
    explicit PlanWriter(Plan begun) : plan_{std::move(begun)} {}

    void add(std::string option, std::string value, std::string reason = {},
             std::optional<std::string> by_hand = std::nullopt);

    void add(PlannedArg arg) { plan_.args.push_back(std::move(arg)); }

    // The number at which QEMU gets it.
    int fd(PlannedFd planned);

    // A block node over a file that QEMU need not be able to open: it comes as a descriptor (QEMU's -add-fd).
    // `access` is the node's own properties.
    void file_node(const std::string& node, PlannedFd planned, const std::string& path_by_hand,
                   const std::string& access, const std::string& reason);

    // What is neither an argument nor a descriptor.
    [[nodiscard]] Plan& plan() { return plan_; }
    [[nodiscard]] Plan finished() && { return std::move(plan_); }

  private:
    Plan plan_;
};

}  // namespace vml
