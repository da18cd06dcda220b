#include "bootwatch/own_server.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "bootwatch/own_offer.h"
#include "bootwatch/timeline.h"

namespace vml::boot {

namespace {

// "http://10.0.2.2:8080/boot.ipxe" → "http://10.0.2.2:8080/"; empty: it is no URL.
std::string_view root_of(std::string_view url) {
    const std::size_t server = url.find("://");
    return server == std::string_view::npos ? std::string_view{}
                                            : url.substr(0, url.find('/', server + 3) + 1);
}

// A name without a server leads to a TFTP server that serves the same folder: in user mode QEMU's, else
// vm-launch's own.
bool is_own(const Scene& scene, const Fetch& fetch) {
    const std::string named = scene.named_file();
    const std::string_view root = root_of(named);
    if (!scene.about.serves) {
        return false;
    }
    if (!root.empty()) {
        return root_of(fetch.url) == root;
    }
    const DhcpTalk* const dhcp = scene.talk();
    return fetch.protocol == "tftp" &&
           (scene.about.network == Network::nat || scene.about.network == Network::isolated ||
            (dhcp != nullptr && is_own_offer_taken(*dhcp) &&
             root_of(fetch.url) == fmt::format("tftp://{}/", to_string(dhcp->own->message.next_server))));
}

// Where vm-launch's offer to the firmware's PXE client was of itself, it answers TFTP at that address to this
// guest, whoever asks and whatever for (net::KeepDatagrams).
bool is_in_place_of_the_hosts(const Scene& scene, const Fetch& fetch) {
    const auto& talks = scene.boot.dhcp;
    return scene.about.serves && fetch.protocol == "tftp" &&
           std::any_of(talks.begin(), talks.end(), [&](const DhcpTalk& talk) {
               return talk.client == Client::firmware && talk.own &&
                      talk.own->message.vendor_class.starts_with("PXEClient") &&
                      talk.own->message.next_server == fetch.server.address;
           });
}

}  // namespace

std::string hint_for_own_server(const Scene& scene, const Fetch& fetch) {
    if (!is_own(scene, fetch)) {
        return !is_in_place_of_the_hosts(scene, fetch)
                   ? ""
                   : fmt::format(
                         "TFTP at {} is vm-launch's for this guest{}; a server of the host's own there "
                         "is not reached",
                         to_string(fetch.server.address),
                         scene.about.serves->empty() ? "" : ", and gives what is in " + *scene.about.serves);
    }
    if (scene.about.serves->empty()) {
        return "vm-launch serves the script alone, and what that named literally of its own folder when the "
               "VM started: "
               "--netboot-dir DIR serves all of a folder";
    }
    return fmt::format("is the name right, upper and lower case too, and is the file in {}?",
                       *scene.about.serves);
}

}  // namespace vml::boot
