#include "launcher/run/netboot_server.h"

#include <utility>

#include <unistd.h>

#include "launcher/watch/guest_connections.h"

namespace vml {

namespace {

Mac guest_of(const Plan& plan) {
    return mac_from_text(plan.offer->mac).value_or(Mac{});
}

serve::Stranger strangers(const Plan& plan, RunningVm& vm) {
    return plan.offers_on_link() ? all_but_guest(std::move(vm.connections), guest_of(plan))
                                 : serve::all_but_user(plan.run_user ? plan.run_user->uid : ::geteuid());
}

}  // namespace

NetbootServers netboot_servers(boost::asio::io_context& io, const Plan& plan, RunningVm& vm, VmFiles& files,
                               const std::function<void(const std::string&)>& on_request) {
    const serve::OpenFile open = [&files](const std::string& name) { return files.open_served(name); };
    NetbootServers servers;
    if (vm.http) {
        servers.http.emplace(io, serve::HttpServer::Config{std::move(vm.http), open, strangers(plan, vm)},
                             on_request);
    }
    if (vm.tftp) {
        servers.tftp =
            std::make_unique<GuestTftp>(io,
                                        GuestTftp::Config{std::move(vm.tftp), guest_of(plan),
                                                          plan.offer->from, plan.offer->tftp_block, open},
                                        on_request);
    }
    return servers;
}

}  // namespace vml
