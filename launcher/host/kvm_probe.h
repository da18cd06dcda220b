// Can this host's KVM run firmware? Makes system calls.
#pragma once

#include <string_view>

#include "launcher/vm/facts.h"

namespace vml {

// What the CPU flags say; pure. A nested KVM can open /dev/kvm, even create a VM, and then dies in firmware
// when its CPU shows neither vmx nor svm. `cpuinfo` is /proc/cpuinfo's text.
[[nodiscard]] bool cpu_shows_virtualisation(std::string_view cpuinfo);

// Opens /dev/kvm read-write, asks for API version 12 (Documentation/virt/kvm/api.rst, 4.1), creates a VM and
// lets it go again, and on x86 looks at the CPU's flags.
[[nodiscard]] KvmFacts probe_kvm();

}  // namespace vml
