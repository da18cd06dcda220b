// Descriptors and a text that pass from one process of this user to another, over a socket of packets
// (unix(7), SCM_RIGHTS). Makes system calls.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"

namespace vml::net {

struct Passed {
    std::string text;  // not empty; at most longest_passed bytes
    std::vector<OwnedFd> fds;
};
inline constexpr std::size_t longest_passed = 4096;
inline constexpr std::size_t most_passed = 16;

// Whether it was sent; a socket that has no room blocks, unless it is told not to.
bool pass(int socket, const std::string& text, const std::vector<int>& fds) noexcept;

// Waits for it. Nothing: the other side has gone, or what it sent is nothing that pass() sends.
[[nodiscard]] std::optional<Passed> take_passed(int socket);

}  // namespace vml::net
