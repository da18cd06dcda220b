#include "launcher/run/run_status.h"

#include <string>
#include <vector>

namespace vml {

std::optional<BootStatus> status_of(BootWatch& watch) {
    using boot::Stage;
    const BootObserver& observer = watch.observer();
    if (observer.has_reached(Stage::os)) {
        return std::nullopt;
    }
    BootStatus status;
    for (const Stage stage :
         {Stage::firmware, Stage::option_rom, Stage::address, Stage::script, Stage::kernel}) {
        if (observer.has_reached(stage)) {
            status.reached.emplace_back(boot::name_of(stage));
        }
    }
    const std::vector<boot::Fetch>& fetches = observer.fetches();
    if (!fetches.empty() && !fetches.back().ended && !fetches.back().bare) {
        const boot::Fetch& fetch = fetches.back();
        status.fetch = {std::string{boot::base_name(fetch.url)}, fetch.received, fetch.expected,
                        boot::speed_of(fetch), fetch.state == boot::FetchState::receiving};
    }
    status.elapsed_s = watch.now();
    return status;
}

}  // namespace vml
