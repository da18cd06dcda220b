// The executor that changes the kernel's links.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "netsetup/executor.h"
#include "netsetup/netlink.h"
#include "netsetup/private_netns.h"
#include "netsetup/reconcile.h"
#include "netsetup/uevent.h"
#include "netsetup/watch.h"

namespace vml::net {

// The private namespace of a macvtap of Lifetime::with_its_queues, with the sockets inside that are needed to
// make the link there. It is being made from its construction on; see PrivateNetns.
struct MacvtapHome {
    std::unique_ptr<UeventSocket> events{};
    std::unique_ptr<NetlinkSocket> socket{};
    PrivateNetns netns{[this] {
        events = std::make_unique<UeventSocket>();
        socket = std::make_unique<NetlinkSocket>();
    }};
};

// Works in the network namespace in which it was made. Destroying it closes what it holds, which deletes the
// links whose queues nobody else holds; to undo in order is the business of AppliedLinks.
class KernelExecutor : public Executor {
  public:
    // `ahead`: homes that are being made already; what is missing is made when it is needed. Throws Error.
    using Homes = std::vector<std::unique_ptr<MacvtapHome>>;
    explicit KernelExecutor(Homes ahead = {}) : ahead_{std::move(ahead)} {}

    void carry_out(const Operation& operation) override;
    [[nodiscard]] std::vector<OwnedFd> take_queues(unsigned nic) override;
    [[nodiscard]] std::string link_name(unsigned nic) const override;

    // Watches the NIC's link, in whichever network namespace it is. To be made before privileges are dropped.
    // Throws Error.
    [[nodiscard]] LinkWatcher watch(unsigned nic) const;

    // A view of the frames on the NIC's link, and the link's index, wherever it is. Before privileges are
    // dropped. Throws Error.
    [[nodiscard]] OwnedFd capture(unsigned nic) const;
    [[nodiscard]] int link_index(unsigned nic) const { return made_.at(nic).index; }

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
        std::unique_ptr<MacvtapHome> home{};
        // of one with Lifetime::until_reconcile
        std::optional<OwnerLock> lock{};
    };

    // In the network namespace where the link is.
    static void run_beside(const Made& made, const std::function<void()>& what);
    void run(const CreateTap& operation);
    void run(const SetMaster& operation);
    void run(const SetUp& operation);
    void run(const KeepDatagrams& operation);
    void run(const CreateMacvtap& operation);
    void run(const OpenMacvtap& operation);
    void run(const CloseQueues& operation);
    void run(const DeleteLink& operation);

    [[nodiscard]] Made create_private(const CreateMacvtap& operation, const Link& lower);
    [[nodiscard]] Made create_tagged(const CreateMacvtap& operation, const Link& lower);
    void delete_made(Made& made);
    [[nodiscard]] NetlinkSocket& socket_of(const Made& made) {
        return made.home ? *made.home->socket : socket_;
    }
    [[nodiscard]] int free_index();

    [[nodiscard]] std::unique_ptr<MacvtapHome> take_home();

    NetlinkSocket socket_;
    Homes ahead_;
    std::map<unsigned, Made> made_;
};

}  // namespace vml::net
