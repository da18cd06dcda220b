// Starts QEMU. Makes system calls; the only place that forks.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "launcher/vm/confinement.h"
#include "launcher/vm/facts.h"

namespace vml {

// A descriptor of ours, and the number at which the child has it: from 3 on.
struct Inherited {
    int ours = -1;
    int childs = -1;
};

struct SpawnRequest {
    std::filesystem::path program;               // absolute
    std::vector<std::string> args;               // without argv[0]
    std::vector<Inherited> inherited{};          // what the child keeps
    int output = -1;                             // becomes the child's standard output and standard error
    std::optional<RunUser> user = std::nullopt;  // whose rights it gets; none: the caller's user
    std::optional<Confinement> confinement =
        std::nullopt;  // as far as the kernel has Landlock; none: no domain
};

// The child runs in a session of its own with standard input from /dev/null, no signal blocked or ignored,
// no core file and a limit of open files (and, where its user is its own, of threads), no more of the
// environment than it needs (child_environment.h), no_new_privs set, no capability (nor any to be had by
// exec, where the caller may take that away), no descriptor but those named, and dies by SIGKILL when the
// calling thread ends: call it from the main thread. Returns once exec has happened. The caller reaps it:
// this never waits. Throws Error (ExitCode::qemu) that names the step that failed.
[[nodiscard]] pid_t spawn(const SpawnRequest& request);

}  // namespace vml
