// What iPXE's console says of its fetches, where their packets were not seen: QEMU's dump rests while a large
// file comes (uneventful_s), and on a busy host it may rest for too long.
#include <algorithm>

#include "bootwatch/fetches.h"
#include "bootwatch/ipxe_error.h"

namespace vml::boot {

namespace {

std::string_view without_query(std::string_view url) {
    return url.substr(0, url.find('?'));
}

FetchFault fault_of(std::uint32_t number) {
    // iPXE src/include/errno.h, by the names' order.
    enum : std::uint8_t {
        eacces = 0x02,
        econnrefused = 0x0E,
        econnreset = 0x0F,
        enoent = 0x2D,
        eperm = 0x41,
        etimedout = 0x4C
    };
    switch (split_ipxe_error(number).posix) {
        case eacces:
        case eperm:
            return FetchFault::access_denied;
        case econnrefused:
        case econnreset:
            return FetchFault::refused;
        case enoent:
            return FetchFault::not_found;
        case etimedout:
            return FetchFault::no_answer;
        default:
            return FetchFault::other_error;
    }
}

}  // namespace

// The name as a URL, where no packet of it was seen and that can be so; else empty.
std::string Fetches::missed(std::string_view name) const {
    constexpr std::uint64_t lets_the_dump_rest = 1000000;
    if (fetches_.empty() || fetches_.back().received < lets_the_dump_rest) {
        return {};
    }
    const bool seen = std::any_of(fetches_.begin(), fetches_.end(), [&](const Fetch& fetch) {
        return base_name(without_query(fetch.url)) == base_name(without_query(name));
    });
    const auto script = std::find_if(fetches_.rbegin(), fetches_.rend(), [](const Fetch& fetch) {
        return fetch.content == Content::ipxe_script;
    });
    std::string url{name};
    if (name.find("://") == std::string_view::npos && script != fetches_.rend()) {
        const std::size_t server = script->url.find("://") + 3;
        const std::size_t folder =
            name.starts_with('/') ? script->url.find('/', server) : script->url.rfind('/') + 1;
        url = script->url.substr(0, folder).append(name);
    }
    const bool plain = url.starts_with("tftp://") || url.starts_with("http://");
    return seen || !plain ? std::string{} : url;
}

std::optional<std::size_t> Fetches::begin_missed(double at, std::string_view name) {
    const std::string url = missed(name);
    if (url.empty()) {
        return std::nullopt;
    }
    Fetch fetch;
    fetch.protocol = url.substr(0, url.find(':'));
    fetch.url = cut_to(url, longest_url);
    const Fetch& before = fetches_.back();
    const std::size_t path = url.find('/', url.find("://") + 3);
    if (before.url.starts_with(url.substr(0, path + 1))) {
        fetch.server = before.server;
    }
    fetch.by_console = true;
    return begin(at, fetch);
}

std::optional<std::size_t> Fetches::said_to_be_done(double at, std::string_view name) {
    if (!fetches_.empty() && fetches_.back().state == FetchState::receiving &&
        base_name(fetches_.back().url) == base_name(name)) {
        Fetch& fetch = fetches_.back();
        fetch.received = fetch.expected.value_or(fetch.received);
        return end(fetches_.size() - 1, at, FetchState::done, FetchFault::none);
    }
    const auto index = begin_missed(at, name);
    return index ? end(*index, at, FetchState::done, FetchFault::none) : std::nullopt;
}

std::optional<std::size_t> Fetches::said_to_have_failed(double at, std::string_view name,
                                                        std::uint32_t number) {
    const auto index = begin_missed(at, name);
    if (!index) {
        return std::nullopt;
    }
    fetches_[*index].words = explain_ipxe_error(number);
    return end(*index, at, FetchState::failed, fault_of(number));
}

}  // namespace vml::boot
