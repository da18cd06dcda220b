// Parts of the step "plan" beside disks and NICs: SMBIOS, cloud-init's seed, the TPM, and what of the
// firmware's own network clients may run. Pure.
#pragma once

#include "launcher/plan/plan_writer.h"
#include "launcher/vm/spec.h"

namespace vml {

void plan_smbios(const VmSpec& spec, PlanWriter& writer);
void plan_seed(const VmSpec& spec, PlanWriter& writer);
void plan_tpm(const VmSpec& spec, PlanWriter& writer);
void plan_firmware_clients(const VmSpec& spec, PlanWriter& writer);
void plan_ipxe_program(const VmSpec& spec, PlanWriter& writer);
void plan_ipxe_cd(const VmSpec& spec, PlanWriter& writer);

}  // namespace vml
