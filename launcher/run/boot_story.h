// What the observer and the report have to know of a machine before it boots. Pure.
#pragma once

#include "bootwatch/report.h"
#include "launcher/plan/plan.h"
#include "launcher/settings/settings.h"
#include "launcher/vm/spec.h"
#include "launcher/watch/boot_observer.h"
#include "launcher/watch/link_rest.h"
#include "launcher/watch/shortcuts.h"

namespace vml {

struct BootStory {
    ObserverConfig observer;
    boot::ReportHead head;
    ShortcutsConfig shortcuts;
    std::vector<LinkRest::Nic> resting_nics;  // see link_rest.h
};

[[nodiscard]] BootStory boot_story(const Settings& settings, const VmSpec& spec, const Plan& plan);

}  // namespace vml
