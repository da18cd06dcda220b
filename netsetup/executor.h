// Carrying out operations: the door to the kernel, with a dry run as another door, and the list of what is to
// be undone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "netsetup/operation.h"

namespace vml::net {

class LinkWatcher;

class Executor {
  public:
    Executor() = default;
    Executor(const Executor&) = delete;
    Executor& operator=(const Executor&) = delete;
    Executor(Executor&&) = delete;
    Executor& operator=(Executor&&) = delete;
    virtual ~Executor() = default;

    // Does it wholly, or throws Error and has done nothing.
    virtual void carry_out(const Operation& operation) = 0;

    // The NIC's queues, to be passed to QEMU; the caller owns them from now on. The link goes when the last
    // copy is closed.
    [[nodiscard]] virtual std::vector<OwnedFd> take_queues(unsigned nic) = 0;

    // The link's name, as the kernel chose it.
    [[nodiscard]] virtual std::string link_name(unsigned nic) const = 0;
};

// Notes what it is told, and does nothing.
class DryRun : public Executor {
  public:
    void carry_out(const Operation& operation) override { noted_.push_back(operation); }
    [[nodiscard]] std::vector<OwnedFd> take_queues(unsigned) override { return {}; }
    [[nodiscard]] std::string link_name(
        unsigned nic) const override;  // the name or pattern that was asked for

    [[nodiscard]] const std::vector<Operation>& noted() const noexcept { return noted_; }

  private:
    std::vector<Operation> noted_;
};

// What was applied, and is undone at the end. One for each run.
class AppliedLinks {
  public:
    explicit AppliedLinks(Executor& executor) : executor_{executor} {}
    AppliedLinks(const AppliedLinks&) = delete;
    AppliedLinks& operator=(const AppliedLinks&) = delete;
    AppliedLinks(AppliedLinks&&) = delete;
    AppliedLinks& operator=(AppliedLinks&&) = delete;
    ~AppliedLinks() { (void)undo(); }

    // In order. When one fails, everything that was applied here is undone in reverse, and Error says why,
    // followed by what could not be undone.
    void apply(const std::vector<Operation>& operations);

    // Undoes in reverse; a second call does nothing. Says what could not be undone. With QEMU gone and its
    // queues closed this needs no privilege, except for links of Lifetime::until_reconcile.
    [[nodiscard]] std::vector<Fault> undo() noexcept;

    // What undo would do now.
    [[nodiscard]] std::vector<Operation> undo_list() const { return inverses(done_); }

  private:
    Executor& executor_;
    std::vector<Operation> done_;
};

}  // namespace vml::net
