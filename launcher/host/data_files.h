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

// By what a VM is called where the settings do not say it.
struct DefaultName {
    std::string text;
    bool lasting = false;  // it stands for a container's random name, and takes over what one of those left
};
// The data folder and what a VM has in it; nothing where there is none.
[[nodiscard]] std::optional<DataFacts> look_for_data(const Settings& settings,
                                                     const DefaultName& default_name);

// The template of the firmware that the machine gets, where its format is known.
[[nodiscard]] std::optional<StoreFacts> look_at_template(const UefiFirmware& firmware);

}  // namespace vml
