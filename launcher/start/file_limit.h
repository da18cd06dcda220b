// The limit of open files, which many queues exceed. Makes system calls.
#pragma once

#include <vector>

#include "launcher/plan/plan.h"

namespace vml {

// Raises the soft limit so far that a child can be given these. Throws Error where the hard one is too low.
void allow_open_files(const std::vector<PlannedFd>& fds);

}  // namespace vml
