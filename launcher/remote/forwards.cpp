#include "launcher/remote/forwards.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/json.h"
#include "launcher/remote/nic_addresses.h"

namespace vml {

namespace {

using nlohmann::json;

constexpr std::string_view loopback = "127.0.0.1";

}  // namespace

std::vector<ToldForward> forwards_of(const json& nic) {
    std::vector<ToldForward> forwards;
    const auto list = nic.find("forwards");
    if (list == nic.end() || !list->is_array()) {
        return forwards;
    }
    for (const json& each : *list) {
        const auto port = number_at<std::uint16_t>(each, "host_port");
        const auto guest_port = number_at<std::uint16_t>(each, "guest_port");
        const std::string address = text_at(each, "address");
        if (port && guest_port && is_ip_address(address)) {
            forwards.push_back({text_at(each, "protocol"),
                                address == "0.0.0.0" ? std::string{loopback} : address, *port, *guest_port});
        }
    }
    return forwards;
}

std::vector<ToldForward> all_forwards(const json& nics) {
    std::vector<ToldForward> forwards;
    for (const json& nic : nics) {
        const auto of_nic = forwards_of(nic);
        forwards.insert(forwards.end(), of_nic.begin(), of_nic.end());
    }
    return forwards;
}

std::string way_by(const ToldForward& forward) {
    constexpr std::uint16_t http = 80;
    constexpr std::uint16_t https = 443;
    if (forward.protocol != "tcp") {
        return {};
    }
    switch (forward.guest_port) {
        case ssh_port_of_guest:
            return fmt::format("ssh -p {} {}", forward.host_port, forward.address);
        case http:
            return fmt::format("http://{}:{}/", forward.address, forward.host_port);
        case https:
            return fmt::format("https://{}:{}/", forward.address, forward.host_port);
        default:
            return {};
    }
}

std::string forward_lines(const json& nic) {
    constexpr std::size_t most_lines = 8;
    const std::vector<ToldForward> forwards = forwards_of(nic);
    std::string text;
    for (std::size_t index = 0; index < std::min(forwards.size(), most_lines); ++index) {
        const ToldForward& forward = forwards[index];
        const std::string way = way_by(forward);
        text += fmt::format("  {:<10} {}:{} leads to the guest's {} port {}{}\n", "forward", forward.address,
                            forward.host_port, forward.protocol, forward.guest_port,
                            way.empty() ? "" : ": " + way);
    }
    if (forwards.size() > most_lines) {
        text += fmt::format("  {:<10} and {} more\n", "forward", forwards.size() - most_lines);
    }
    return text;
}

std::string short_forwards(const json& nics) {
    constexpr std::size_t most_in_table = 4;
    const std::vector<ToldForward> forwards = all_forwards(nics);
    std::string text;
    for (std::size_t index = 0; index < std::min(forwards.size(), most_in_table); ++index) {
        const ToldForward& forward = forwards[index];
        text += fmt::format(
            "{}{}{}{}→{}", text.empty() ? "" : ", ", forward.protocol == "tcp" ? "" : forward.protocol + " ",
            forward.address == loopback ? "" : forward.address + ":", forward.host_port, forward.guest_port);
    }
    if (forwards.size() > most_in_table) {
        text += fmt::format(", {} more", forwards.size() - most_in_table);
    }
    return text;
}

}  // namespace vml
