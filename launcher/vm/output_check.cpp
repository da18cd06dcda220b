// What vm-launch is to write to: each file once.
#include <fmt/format.h>

#include "base/file.h"
#include "launcher/vm/decide_parts.h"

namespace vml {

void check_outputs(const DecideInput& in, Findings& findings) {
    const auto& events = in.settings.events;
    if (!events || events->fd) {
        return;
    }
    const std::filesystem::path file = in.absolute(events->file);
    for (const std::filesystem::path& report : in.settings.reports) {
        std::filesystem::path unfinished = in.absolute(report);
        unfinished += unfinished_suffix;
        if (file == in.absolute(report) || file == unfinished) {
            findings.settings_fault(fmt::format("{} and {} both name {}", in.origin("events"),
                                                in.origin("report"), events->file.string()),
                                    "the report would take the place of the events",
                                    "name a file for each of them");
        }
    }
}

}  // namespace vml
