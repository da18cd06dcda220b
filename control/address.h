// Where a VM's control socket is: a name in the kernel's abstract namespace of Unix sockets (unix(7)), which
// belongs to a network namespace as a port does. Such a socket has no file: however vm-launch ends, SIGKILL
// included, nothing is left behind, and a name that is taken is taken by a VM that runs. What a private
// folder would guard with its mode is guarded by the peer's credentials (server.h, client.h). Pure but for
// own_space().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace vml::control {

struct Address {
    std::uint64_t space = 0;  // the PID namespace's inode: containers that share a network do not meet here
    uid_t uid = 0;            // whose VM it is
    std::string name;         // the VM's

    bool operator==(const Address&) const = default;
};

// "vm-launch/4026531836/0/web", without the NUL byte that makes it abstract; empty where it would be too
// long.
[[nodiscard]] std::string socket_name(const Address& address);
[[nodiscard]] std::optional<Address> parse_socket_name(std::string_view name);

// Every control socket that listens, from the text of /proc/net/unix (net/unix/af_unix.c, unix_seq_show).
[[nodiscard]] std::vector<Address> listening_addresses(std::string_view proc_net_unix);

// The PID namespace that we live in, 0 where /proc does not tell.
[[nodiscard]] std::uint64_t own_space();

}  // namespace vml::control
