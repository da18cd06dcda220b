// `vm-launch console`: this terminal on a running VM's serial console.
#pragma once

#include "control/client.h"

namespace vml {

// Shows the console until Ctrl-], the VM's end or a signal that ends this process; keys go to the guest when
// standard input is a terminal of ours and nobody else writes. `raw`: every byte as it comes. The terminal is
// put back. Throws Error.
void attach_console(control::Client client, bool raw);

}  // namespace vml
