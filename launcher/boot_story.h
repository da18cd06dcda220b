// What the observer and the report have to know of a machine before it boots. Pure.
#pragma once

#include "bootwatch/report.h"
#include "launcher/boot_observer.h"
#include "launcher/link_rest.h"
#include "launcher/plan.h"
#include "launcher/settings.h"
#include "launcher/shortcuts.h"
#include "launcher/spec.h"

namespace vml {

struct BootStory {
    ObserverConfig observer;
    boot::ReportHead head;
    ShortcutsConfig shortcuts;
    std::vector<LinkRest::Nic> resting_nics;  // see link_rest.h
};

[[nodiscard]] BootStory boot_story(const Settings& settings, const VmSpec& spec, const Plan& plan);

}  // namespace vml
