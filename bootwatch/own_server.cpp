#include "bootwatch/own_server.h"

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

}  // namespace

std::string hint_for_own_server(const Scene& scene, const Fetch& fetch) {
    if (!is_own(scene, fetch)) {
        return {};
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
