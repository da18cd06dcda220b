#include "launcher/run/netboot_server.h"

#include <string>
#include <utility>

#include <unistd.h>

#include "launcher/watch/guest_connections.h"

namespace vml {

serve::HttpServer::Config netboot_server(const Plan& plan, RunningVm& vm, VmFiles& files) {
    return {std::move(vm.http), [&files](const std::string& name) { return files.open_served(name); },
            plan.offers_on_link()
                ? all_but_guest(std::move(vm.connections), mac_from_text(plan.offer->mac).value_or(Mac{}))
                : serve::all_but_user(plan.run_user ? plan.run_user->uid : ::geteuid())};
}

}  // namespace vml
