// What VMs' identities are derived from, kept in the data folder.
#pragma once

#include "launcher/vm/spec.h"

namespace vml {

// Written once. Throws Error.
void keep_identity(const IdentityToKeep& identity);

}  // namespace vml
