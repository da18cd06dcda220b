// `vm-launch guest-exec`: a command in the guest whose output comes as it is written. The guest agent gives a
// command's output once it has ended (QEMU qga/qapi-schema.json, guest-exec-status), so the command writes to
// files in the guest, of which the agent is asked for what is new: a fraction of a second late, standard
// output and error each in its order, with no terminal. A guest without /bin/sh runs the command as `exec`
// does. Makes system calls.
#pragma once

#include "launcher/remote/control_verbs.h"

namespace vml {

// Gives the command's exit status: 128+n when signal n killed it. With CommandLine::wait, first waits for a
// VM and its guest's agent. Throws Error (ExitCode::exec_failed).
[[nodiscard]] int guest_exec(const ReadResult& read, std::string_view runtime_dir);

}  // namespace vml
