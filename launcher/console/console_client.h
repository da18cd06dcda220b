// `vm-launch console`: this terminal on a running VM's serial console.
#pragma once

#include "base/log.h"
#include "control/client.h"
#include "launcher/console/terminal.h"

namespace vml {

// Shows the console until Ctrl-], the VM's end or a signal that ends this process; keys go to the guest when
// standard input is a terminal of ours and nobody else writes, which is told. The terminal is put back.
// Throws Error.
void attach_console(control::Client client, ConsoleBytes bytes, Log& log);

}  // namespace vml
