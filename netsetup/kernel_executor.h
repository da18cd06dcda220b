// The executor that changes the kernel's links.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "netsetup/executor.h"
#include "netsetup/netlink.h"
#include "netsetup/private_netns.h"
#include "netsetup/reconcile.h"
#include "netsetup/watch.h"

namespace vml::net {

// Works in the network namespace in which it was made. Destroying it closes what it holds, which deletes the
// links whose queues nobody else holds; to undo in order is the business of AppliedLinks.
class KernelExecutor : public Executor {
  public:
    KernelExecutor() = default;  // throws Error

    void carry_out(const Operation& operation) override;
    [[nodiscard]] std::vector<OwnedFd> take_queues(unsigned nic) override;
    [[nodiscard]] std::string link_name(unsigned nic) const override;

    // Watches the NIC's link, in whichever network namespace it is. To be made before privileges are dropped.
    // Throws Error.
    [[nodiscard]] LinkWatcher watch(unsigned nic) const;

  private:
    // A link that we made.
    struct Made {
        std::string kind;
        std::string name{};
        int index = 0;
        dev_t device = 0;    // of a macvtap
        std::string mark{};  // of a macvtap: its token
        std::vector<OwnedFd> queues{};
        // of a macvtap with Lifetime::with_its_queues
        std::unique_ptr<PrivateNetns> home{};
        std::unique_ptr<NetlinkSocket> home_socket{};
        // of one with Lifetime::until_reconcile
        std::optional<OwnerLock> lock{};
    };

    void run(const CreateTap& operation);
    void run(const SetMaster& operation);
    void run(const SetUp& operation);
    void run(const CreateMacvtap& operation);
    void run(const OpenMacvtap& operation);
    void run(const CloseQueues& operation);
    void run(const DeleteLink& operation);

    [[nodiscard]] Made create_private(const CreateMacvtap& operation, const Link& lower);
    [[nodiscard]] Made create_tagged(const CreateMacvtap& operation, const Link& lower);
    void delete_made(Made& made);
    [[nodiscard]] NetlinkSocket& socket_of(const Made& made) {
        return made.home_socket ? *made.home_socket : socket_;
    }
    [[nodiscard]] int free_index();

    NetlinkSocket socket_;
    std::map<unsigned, Made> made_;
};

}  // namespace vml::net
