// What is to be known of a folder, and of a script, that the guest is served: whoever it is served to. Pure.
#pragma once

#include <vector>

#include "launcher/vm/decide_parts.h"
#include "launcher/vm/outside_links.h"
#include "launcher/vm/script_check.h"

namespace vml {

// Can QEMU's user read the folder, of which `user_error` tells? TFTP is QEMU's, HTTP vm-launch's own: where
// all comes by HTTP, the folder may be its owner's alone.
void check_folder_for_user(const DecideInput& in, const std::filesystem::path& folder, int user_error,
                           Netboot& netboot, Findings& findings);

void check_script(const DecideInput& in, const ScriptFacts& script, Findings& findings);

// What HTTP would refuse and TFTP serves must boot as before.
[[nodiscard]] bool all_links_stay_inside(const DecideInput& in, const std::vector<OutsideLink>& links,
                                         bool by_http, Findings& findings);

// HTTP does not follow a link out of the folder. Where the bootfile is one of `links`, what it leads to is
// served under its name, and it is none of them any more.
void serve_linked_bootfile(std::vector<OutsideLink>& links, Netboot& netboot);

[[nodiscard]] bool can_serve_by_http(const DecideInput& in, const NetbootFacts& found, Findings& findings);

// The folder is QEMU's TFTP server's, with what its links lead to.
void serve_by_tftp(const DecideInput& in, const NetbootFacts& found, Netboot& netboot);

// That --bootfile names one in the folder.
void check_bootfile(const DecideInput& in, Findings& findings);

}  // namespace vml
