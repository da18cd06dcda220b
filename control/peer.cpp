#include "control/peer.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <sys/socket.h>

#include "base/file.h"

namespace vml::control {

namespace {

// One number for each PID namespace that the process is in, from that of /proc on.
std::string_view pids_in(std::string_view status) {
    constexpr std::string_view key = "\nNSpid:";
    const std::size_t line = status.find(key);
    if (line == std::string_view::npos) {
        return {};
    }
    status.remove_prefix(line + key.size());
    return status.substr(0, status.find('\n'));
}

// A peer that is gone cannot be told from one that was in there; but one that is not shown, because /proc is
// mounted with hidepid (proc(5)), can only be judged by its user.
bool is_deeper(pid_t pid) {
    const auto ours = read_file("/proc/self/status");
    const auto its = read_file(fmt::format("/proc/{}/status", pid));
    if (!its) {
        return read_file("/proc/1/status").has_value();  // else others are hidden
    }
    const auto depth = [](std::string_view pids) { return std::count(pids.begin(), pids.end(), '\t'); };
    return !ours || depth(pids_in(*ours)) != depth(pids_in(*its));
}

}  // namespace

std::optional<Peer> peer_of(int socket) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
        return std::nullopt;
    }
    return Peer{credentials.pid, credentials.uid, credentials.pid != 0 && is_deeper(credentials.pid)};
}

bool may_command(const Peer& peer, uid_t owner) {
    return peer.pid != 0 && !peer.deeper && (peer.uid == 0 || peer.uid == owner);
}

}  // namespace vml::control
