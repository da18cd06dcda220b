// The user that QEMU runs as. Makes system calls.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "launcher/vm/facts.h"

namespace vml {

// Root hands QEMU to the wanted user, or without one to the first of libvirt-qemu, qemu and nobody that
// exists.
[[nodiscard]] RunUserFacts look_for_run_user(const std::optional<std::string>& wanted);

struct AccessQuestion {
    std::filesystem::path path;
    int flags = 0;  // as for open(2)
};
// For each question the errno of opening the path with this user's rights; 0: it opens. Asked in a thread of
// its own, whose rights alone are changed.
[[nodiscard]] std::vector<int> open_errors_as(const RunUser& user,
                                              const std::vector<AccessQuestion>& questions);

}  // namespace vml
