#include "launcher/host/ports.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <sstream>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "launcher/vm/link_kind.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
    return read_file(file).value_or("");
}

bool holds_socket(const fs::path& process, const std::string& inode) {
    const std::string wanted = fmt::format("socket:[{}]", inode);
    std::error_code error;
    for (fs::directory_iterator fd{process / "fd", error}; !error && fd != fs::directory_iterator{};
         fd.increment(error)) {
        std::error_code gone;
        if (fs::read_symlink(fd->path(), gone) == wanted) {
            return true;
        }
    }
    return false;
}

std::string owner_of(PortProtocol protocol, std::uint16_t port) {
    const std::string table = fmt::format("/proc/net/{}", to_string(protocol));
    std::optional<std::string> inode = inode_of_port(text_of(table), port);
    inode = inode ? inode : inode_of_port(text_of(table + "6"), port);
    std::error_code error;
    for (fs::directory_iterator process{"/proc", error};
         inode && !error && process != fs::directory_iterator{}; process.increment(error)) {
        const auto pid = whole_number<unsigned>(process->path().filename().string());
        if (pid && holds_socket(process->path(), *inode)) {
            const std::string name = text_of(process->path() / "comm");
            return fmt::format("{} (process {})", trimmed(name), *pid);
        }
    }
    return "";
}

// Binds as QEMU does (libslirp's udp_listen and tcp_listen, QEMU's inet_listen), and lets it go.
int bind_error(PortProtocol protocol, const std::string& address, std::uint16_t port) {
    const bool tcp = protocol == PortProtocol::tcp;
    const OwnedFd fd{::socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0)};
    if (!fd) {
        return errno;
    }
    const int on = 1;
    if (tcp) {
        ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    }
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(port);
    if (::inet_pton(AF_INET, address.c_str(), &name.sin_addr) != 1) {
        return EADDRNOTAVAIL;
    }
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets API's own idiom
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
        return errno;
    }
    return tcp && ::listen(fd.get(), 1) != 0 ? errno : 0;
}

// QEMU runs without the capability that vm-launch may have.
bool is_too_low(std::uint16_t port, const HostFacts& facts) {
    constexpr unsigned usual_start = 1024;
    const bool unprivileged =
        facts.run_user.can_change && facts.run_user.user && facts.run_user.user->uid != 0;
    const std::string start = text_of("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    return unprivileged && port < whole_number<unsigned>(trimmed(start)).value_or(usual_start);
}

std::vector<PortForward> wanted_ports(const Settings& settings, const HostFacts& facts) {
    std::vector<PortForward> ports;
    if (std::any_of(settings.nics.begin(), settings.nics.end(),
                    [](const NicSettings& nic) { return nic.network == NetworkMode::nat; })) {
        ports = settings.port_forwards;
        if (settings.ssh_port) {
            ports.push_back({*settings.ssh_port, 0, PortProtocol::tcp, ""});
        }
    }
    if (settings.graphics != Graphics::none) {
        ports.push_back({settings.vnc_port, 0, PortProtocol::tcp, ""});
    }
    for (PortForward& port : ports) {
        if (port.address.empty()) {
            port.address = facts.in_container ? "0.0.0.0" : "127.0.0.1";
        }
    }
    return ports;
}

}  // namespace

std::vector<PortObstacle> look_at_ports(const Settings& settings, const HostFacts& facts) {
    std::vector<PortObstacle> obstacles;
    for (const PortForward& port : wanted_ports(settings, facts)) {
        const int error = is_too_low(port.host_port, facts)
                              ? EACCES
                              : bind_error(port.protocol, port.address, port.host_port);
        if (error != 0) {
            obstacles.push_back({port.protocol, port.address, port.host_port, error,
                                 error == EADDRINUSE ? owner_of(port.protocol, port.host_port) : ""});
        }
    }
    return obstacles;
}

std::optional<std::string> inode_of_port(std::string_view table, std::uint16_t port) {
    std::istringstream lines{std::string{table}};
    std::string line;
    std::getline(lines, line);  // the heading
    while (std::getline(lines, line)) {
        std::istringstream stream{line};
        const std::vector<std::string> words{std::istream_iterator<std::string>{stream}, {}};
        constexpr std::size_t inode = 9;
        constexpr std::string_view listening = "0A";
        constexpr std::string_view unconnected = "07";
        if (words.size() > inode && (words[3] == listening || words[3] == unconnected) &&
            whole_number<std::uint16_t>(std::string_view{words[1]}.substr(words[1].find(':') + 1), 16) ==
                port) {
            return words[inode];
        }
    }
    return std::nullopt;
}

}  // namespace vml
