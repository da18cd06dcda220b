// How this library says that the system refused something.
#pragma once

#include <string>

#include "base/error.h"
#include "netsetup/hint.h"

namespace vml::net {

// The fault for a refused step: `detail` is the kernel's extended-ack text, if it gave one.
[[nodiscard]] Fault failure(Step step, std::string what, int error_number, const std::string& detail = {});
[[noreturn]] void throw_failure(Step step, std::string what, int error_number);

}  // namespace vml::net
