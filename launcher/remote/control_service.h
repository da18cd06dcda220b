// What a running VM answers over its control socket (docs/control.md): requests → what the event loop is
// asked to do, and its answers.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>
#include <sys/types.h>

#include "base/log.h"
#include "control/server.h"
#include "launcher/console/console_viewers.h"
#include "launcher/handles/handles.h"
#include "launcher/remote/guest_agent.h"
#include "launcher/remote/nic_addresses.h"
#include "launcher/remote/screenshots.h"
#include "qmp/client.h"

namespace vml {

// What changes while the VM runs.
struct VmSnapshot {
    std::string phase;                 // "starting", "running", "stopping"
    std::optional<std::string> stage;  // how far this boot got: a word of HEALTH_STAGE
    std::string stage_detail;
    std::vector<std::string> reached;  // the stages of this boot
    std::string pause;                 // QEMU's run state, where it makes the guest stand still; else empty
    double uptime = 0;                 // seconds since the guest began to run
    std::vector<NicAddress> leases{};  // of this boot
};

struct ControlVerb;

class ControlService {
  public:
    // The event loop's side.
    struct Vm {
        std::function<VmSnapshot()> snapshot;
        std::function<void()> stop;
        std::function<void()> resume;  // ControlService::resumed follows
        std::function<void()> reset;   // is about to come
        std::function<void(const qmp::Command&, qmp::Callback)> qmp;
        std::function<void(const control::Exchange&)> follow;  // makes it a stream of events
    };

    // `description` is what the VM is: an object that `status` answers with. Everything outlives the service.
    ControlService(Vm vm, nlohmann::json description, ToldFiles files, ConsoleViewers& viewers,
                   GuestAgent& agent);

    // Listens from now on, in the first of these folders that can be had. A VM whose name is taken, or that
    // has no folder for its socket, runs all the same, and hears nobody: that is a warning.
    void listen(boost::asio::io_context& io, const std::vector<control::Folder>& folders,
                const std::string& name, Log& log);

    // The guest goes on; or why it does not.
    void resumed(const std::string& why_not);

    // The VM's end: whoever waits for it is told.
    void ended(int exit_code, const std::string& summary);

  private:
    using Exchange = control::Exchange;

    friend const std::vector<ControlVerb>& control_verbs();

    void handle(const control::Request& request, const Exchange& exchange);
    // The verbs (control_verbs.h).
    void status(const control::Request& /*request*/, const Exchange& exchange);
    void health(const control::Request& /*request*/, const Exchange& exchange);
    void stop(const control::Request& /*request*/, const Exchange& exchange);
    void reset(const control::Request& /*request*/, const Exchange& exchange);
    void resume(const control::Request& /*request*/, const Exchange& exchange);
    void console(const control::Request& request, const Exchange& exchange);
    void screenshot(const control::Request& /*request*/, const Exchange& exchange);
    void events(const control::Request& /*request*/, const Exchange& exchange);
    void exec(const control::Request& request, const Exchange& exchange);

    Vm vm_;
    nlohmann::json description_;
    OwnedFd nvram_;
    Screenshots screenshots_;
    ConsoleViewers& viewers_;
    GuestAgent& agent_;
    std::vector<Exchange> waiting_for_end_;
    std::vector<Exchange> waiting_for_resume_;
    std::optional<control::Server> server_;
};

}  // namespace vml
