// The ports of the host that lead to a guest, as `status` tells them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace vml {

struct ToldForward {
    std::string protocol;  // "tcp" or "udp"
    std::string address;   // of the host, where a client there finds it: never 0.0.0.0
    std::uint16_t host_port = 0;
    std::uint16_t guest_port = 0;

    bool operator==(const ToldForward&) const = default;
};

inline constexpr std::uint16_t ssh_port_of_guest = 22;

// Of a NIC, or of all in a list of NICs. What is not as docs/control.md has it is left out.
[[nodiscard]] std::vector<ToldForward> forwards_of(const nlohmann::json& nic);
[[nodiscard]] std::vector<ToldForward> all_forwards(const nlohmann::json& nics);

// What a user of the guest types or pastes: "ssh -p 2222 127.0.0.1", "http://127.0.0.1:8080/"; empty where
// the port tells nothing.
[[nodiscard]] std::string way_by(const ToldForward& forward);
// A line for each, up to a number that a screen has room for.
[[nodiscard]] std::string forward_lines(const nlohmann::json& nic);
// "2222→22, udp 69→69".
[[nodiscard]] std::string short_forwards(const nlohmann::json& nics);

}  // namespace vml
