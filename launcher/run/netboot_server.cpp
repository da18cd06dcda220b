#include "launcher/run/netboot_server.h"

#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include <unistd.h>

#include "launcher/vm/offer_options.h"
#include "launcher/watch/guest_connections.h"

namespace vml {

namespace {

// Who is on a segment was let in there.
serve::Stranger nobody_is() {
    return [](const serve::Connection& /*connection*/) { return std::optional<std::string>{}; };
}

serve::FoundFile nothing_is_there(const std::string& /*name*/) {
    return {OwnedFd{}, 0, ENOENT};
}

Mac guest_of(const Plan& plan) {
    return mac_from_text(plan.offer->mac).value_or(Mac{});
}

serve::Stranger all_but_client(const Plan& plan, RunningVm& vm) {
    return plan.offers_on_link() ? all_but_guest(std::move(vm.connections), guest_of(plan))
                                 : serve::all_but_user(plan.run_user ? plan.run_user->uid : ::geteuid());
}

}  // namespace

NetbootServer::NetbootServer(boost::asio::io_context& io, const Plan& plan, RunningVm& vm, VmFiles& files,
                             OnRequest on_request)
    : io_{io},
      open_{[&files](const std::string& name) { return files.open_served(name); }},
      on_request_{std::move(on_request)} {
    if (vm.http) {
        serve_by_http(std::move(vm.http), all_but_client(plan, vm));
    }
    if (vm.tftp) {
        tap_tftp_ =
            std::make_unique<TapTftp>(io,
                                      TapTftp::Config{std::move(vm.tftp), guest_of(plan), plan.offer->from,
                                                      plan.offer->tftp_block, open_},
                                      on_request_);
    }
    for (std::size_t i = 0; i < plan.segments.size(); ++i) {
        serve_segment(plan.segments[i], std::move(vm.segments.at(i)));
    }
}

void NetbootServer::client_began_anew() {
    for (serve::HttpServer& http : http_) {
        http.client_began_anew();
    }
}

void NetbootServer::serve_by_http(OwnedFd socket, serve::Stranger stranger) {
    http_.emplace_back(io_, serve::HttpServer::Config{std::move(socket), open_, std::move(stranger)},
                       on_request_);
}

void NetbootServer::serve_segment(const PlannedSegment& planned, net::SegmentLink link) {
    using enum net::SegmentFd;
    serve_by_http(std::move(link.fd(http4)), nobody_is());
    const bool with_ip6 = static_cast<bool>(link.fd(http6));
    if (with_ip6) {
        serve_by_http(std::move(link.fd(http6)), nobody_is());
    }
    serve::SegmentSockets sockets{std::move(link.fd(frames)), std::move(link.fd(tftp4)),
                                  std::move(link.fd(tftp6)), std::move(link.fd(dns4)),
                                  std::move(link.fd(dns6))};
    segments_.emplace_back(
        io_, std::move(sockets),
        serve::SegmentGuest{mac_from_text(planned.mac).value_or(Mac{}), link.number, planned.script,
                            planned.program, options_for_offer(planned.options), with_ip6, planned.by_proxy,
                            planned.mtu == 0 ? serve::SegmentGuest{}.mtu : planned.mtu},
        planned.serves ? open_ : serve::OpenFile{nothing_is_there}, on_request_);
    doors_.push_back(std::make_unique<SegmentDoor>(io_, std::move(link)));
}

}  // namespace vml
