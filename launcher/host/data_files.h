// What is kept of a VM between runs, and the templates of it. Reads the system.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "launcher/settings/settings.h"
#include "launcher/vm/facts.h"

namespace vml {

// The path as it is there, and whether it can be opened with these flags.
[[nodiscard]] PathFacts look_at(const std::filesystem::path& path, int flags);

// The data folder and what a VM has in it; nothing where there is none.
[[nodiscard]] std::optional<DataFacts> look_for_data(const Settings& settings,
                                                     const std::string& default_name);

// The template of the firmware that the machine gets, where its format is known.
[[nodiscard]] std::optional<StoreFacts> look_at_template(const UefiFirmware& firmware);

}  // namespace vml
