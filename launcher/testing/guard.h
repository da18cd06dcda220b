// What ends the VMs of a test when the test itself is killed. Makes system calls; forks.
#pragma once

#include <filesystem>

#include <sys/types.h>

#include "base/fd.h"

namespace vml {

// A process that leads the process group of the test's VMs, and does nothing until the test is gone, however
// it went: then it has them stop (SIGTERM), and takes the folder of their reports away after them. A change
// of user, which each of them may make, would clear what prctl(2) calls a parent-death signal. Make it before
// the process has threads. Throws Error.
class TestGuard {
  public:
    // `folder` goes with the test where it is killed; empty: nothing does.
    explicit TestGuard(const std::filesystem::path& folder);
    ~TestGuard();
    TestGuard(const TestGuard&) = delete;
    TestGuard& operator=(const TestGuard&) = delete;
    TestGuard(TestGuard&&) = delete;
    TestGuard& operator=(TestGuard&&) = delete;

    // No VM runs any more: nothing is left for it to do.
    void dismiss();

    // The group's number.
    [[nodiscard]] pid_t group() const { return pid_; }

  private:
    OwnedFd life_;  // it ends when no process has this end any more
    pid_t pid_ = -1;
};

}  // namespace vml
