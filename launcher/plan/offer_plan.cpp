#include "launcher/plan/offer_plan.h"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/url.h"
#include "launcher/plan/by_hand.h"
#include "launcher/vm/link_kind.h"
#include "netserve/tftp_transfer.h"
#include "netserve/udp_frame.h"

namespace vml {

namespace {

// As vm-launch's own HTTP server has it.
struct OwnUrl {
    std::string text;
    HttpPort port;
};

OwnUrl own_url(const Netboot& netboot, const std::string& file) {
    OwnUrl url{fmt::format("http://{}:", net::to_text(netboot.offered_from)), {}};
    url.port = {url.text.size()};
    url.text += "/" + url_path(file);
    return url;
}

// What a block leaves of a frame on the tap: the headers of the datagram, and TFTP's of 4 bytes.
std::size_t tftp_block_on(const BridgePort& port) {
    constexpr std::size_t tftp_header = 4;
    std::size_t block = serve::TftpTransfer::usual_block;
    for (const net::Operation& operation : port.made.operations) {
        if (const auto* tap = std::get_if<net::CreateTap>(&operation);
            tap != nullptr && tap->mtu > block + serve::udp4_overhead + tftp_header) {
            block = tap->mtu - serve::udp4_overhead - tftp_header;
        }
    }
    return block;
}

void plan_offer_to_firmware(const Netboot& netboot, PlannedOffer& offer) {
    offer.firmware = netboot.firmware_fetch;
    if (offer.firmware == FirmwareFetch::none) {
        return;
    }
    offer.firmware_file = netboot.firmware_file.value_or(*netboot.bootfile);
    if (offer.firmware == FirmwareFetch::http && !is_url(offer.firmware_file)) {
        OwnUrl url = own_url(netboot, offer.firmware_file);
        offer.firmware_file = std::move(url.text);
        offer.firmware_http_port = url.port;
    }
    if (!netboot.firmware_file) {  // the loader goes on by itself
        offer.bootfile.clear();
        offer.http_port.reset();
    }
}

}  // namespace

void plan_offer(const NicSpec& nic, unsigned number, PlanWriter& writer) {
    const Netboot& netboot = nic.netboot;
    if (!netboot.is_offered()) {
        return;
    }
    PlannedOffer offer{number, nic.id, nic.mac, netboot.offered_from, *netboot.bootfile};
    offer.options = netboot.options;
    offer.in_user_mode = std::holds_alternative<Nat>(nic.net);
    if (netboot.http && !netboot.is_elsewhere()) {
        OwnUrl url = own_url(netboot, *netboot.bootfile);
        offer.bootfile = std::move(url.text);
        offer.http_port = url.port;
    }
    plan_offer_to_firmware(netboot, offer);
    if (const auto* port = std::get_if<BridgePort>(&nic.net);
        port != nullptr && offer.firmware == FirmwareFetch::tftp) {
        offer.tftp_block = tftp_block_on(*port);
    }
    if (netboot.http) {
        writer.plan().http = netboot;
    }
    if (netboot.http && !offer.in_user_mode && !netboot.files.empty()) {
        writer.plan().http_by_hand = serving_by_hand(netboot, writer.plan().name);
    }
    writer.plan().offer = std::move(offer);
}

}  // namespace vml
