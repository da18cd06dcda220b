// The events of a run, as a VM tells them → has its boot come to the stage that somebody waits for? Pure.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace vml::events {

class StageWait {
  public:
    // `vm` and `stage`: their names.
    StageWait(std::string vm, std::string stage) : vm_{std::move(vm)}, stage_{std::move(stage)} {}

    struct Result {
        std::string detail{};          // of the stage that was reached
        std::optional<Fault> fault{};  // or why it will not be; its code is never 0
    };
    // The next event, which may be anybody's words. Nothing: wait on.
    [[nodiscard]] std::optional<Result> take(const nlohmann::json& event);

    // "rom: iPXE 1.21.1"; empty: none was reached.
    [[nodiscard]] const std::string& latest() const { return latest_; }

  private:
    std::string vm_;
    std::string stage_;
    std::string latest_;
};

// An event as people read it, without its newline; empty: nobody but programs wants it. No text in it
// commands a terminal.
[[nodiscard]] std::string sentence_of(const nlohmann::json& event);

}  // namespace vml::events
