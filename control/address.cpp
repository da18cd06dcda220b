#include "control/address.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/text.h"

namespace vml::control {

namespace {

constexpr std::string_view prefix = "vm-launch/";
// sun_path holds the NUL byte in front too.
constexpr std::size_t longest_name = sizeof(sockaddr_un::sun_path) - 1;
// __SO_ACCEPTCON of include/linux/net.h, as /proc/net/unix prints the flags.
constexpr std::string_view listening = "00010000";

// The words of a line of /proc/net/unix up to the path, which may hold blanks.
std::optional<Address> address_in_line(const std::string& line) {
    std::istringstream words{line};
    std::string number;
    std::string references;
    std::string protocol;
    std::string flags;
    std::string type;
    std::string state;
    std::string inode;
    std::string path;
    words >> number >> references >> protocol >> flags >> type >> state >> inode >> path;
    if (flags != listening || !path.starts_with('@')) {
        return std::nullopt;
    }
    return parse_socket_name(std::string_view{path}.substr(1));
}

}  // namespace

std::string socket_name(const Address& address) {
    std::string name = fmt::format("{}{}/{}/{}", prefix, address.space, address.uid, address.name);
    return name.size() <= longest_name ? name : std::string{};
}

std::optional<Address> parse_socket_name(std::string_view name) {
    if (!name.starts_with(prefix)) {
        return std::nullopt;
    }
    name.remove_prefix(prefix.size());
    const std::size_t first = name.find('/');
    const std::size_t second = first == std::string_view::npos ? first : name.find('/', first + 1);
    if (second == std::string_view::npos || second + 1 == name.size()) {
        return std::nullopt;
    }
    const auto space = whole_number<std::uint64_t>(name.substr(0, first));
    const auto uid = whole_number<uid_t>(name.substr(first + 1, second - first - 1));
    if (!space || !uid) {
        return std::nullopt;
    }
    return Address{*space, *uid, std::string{name.substr(second + 1)}};
}

std::vector<Address> listening_addresses(std::string_view proc_net_unix) {
    std::vector<Address> found;
    std::istringstream lines{std::string{proc_net_unix}};
    for (std::string line; std::getline(lines, line);) {
        if (auto address = address_in_line(line)) {
            found.push_back(std::move(*address));
        }
    }
    std::sort(found.begin(), found.end(), [](const Address& left, const Address& right) {
        return std::pair{left.name, left.uid} < std::pair{right.name, right.uid};
    });
    return found;
}

std::uint64_t own_space() {
    struct stat status {};
    return ::stat("/proc/self/ns/pid", &status) == 0 ? status.st_ino : 0;
}

}  // namespace vml::control
