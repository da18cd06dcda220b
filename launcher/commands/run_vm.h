// `vm-launch run`: settings → plan → a VM that is supervised until it ends.
#pragma once

#include "base/log.h"
#include "launcher/settings/settings_reader.h"
#include "launcher/vm/spec.h"

namespace vml {

// With notes and hints in the notation that the user used.
[[nodiscard]] Decision worded(Decision decision, const ReadResult& read);

// What is decided for these settings on this host; throws Error with every fault.
[[nodiscard]] VmSpec decided(const ReadResult& read, const HostFacts& facts);

// Gives the process's exit code.
[[nodiscard]] int run_vm(const ReadResult& read, const Environment& environment, Log& log);

}  // namespace vml
