#include "netserve/segment_guest.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/url.h"

namespace vml::serve {

std::string text_of_ip(const Ip4& address) {
    std::array<char, INET_ADDRSTRLEN> text{};
    return ::inet_ntop(AF_INET, address.data(), text.data(), text.size());
}

std::string text_of_ip(const Ip6& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    return ::inet_ntop(AF_INET6, address.data(), text.data(), text.size());
}

std::string place_of(std::string_view scheme, const std::string& host, const std::string& name) {
    return is_url(name) ? name : fmt::format("{}://{}/{}", scheme, host, url_path(name));
}

}  // namespace vml::serve
