// The Landlock domains of QEMU and of what runs beside it. Pure.
#pragma once

#include "launcher/vm/confinement.h"
#include "launcher/vm/spec.h"

namespace vml {

// What QEMU opens by name once disks, firmware, ROMs, sockets and links are descriptors (seen with strace,
// QEMU 7.2 and 10.0): its libraries, modules and option ROMs; what the host's CPUs, clock and name servers
// are; the folder that it serves by TFTP.
[[nodiscard]] Confinement confinement_of_qemu(const VmSpec& spec);

// swtpm opens its state by the name of a descriptor, and OpenSSL its configuration.
[[nodiscard]] Confinement confinement_of_swtpm(const TpmSpec& tpm);

}  // namespace vml
