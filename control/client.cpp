#include "control/client.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "control/peer.h"

namespace vml::control {

namespace {

using Clock = std::chrono::steady_clock;

// What a guest's command may have written (guest-exec keeps 16 MiB of each stream, and base64 adds a third),
// and a screenshot: more than that is no answer.
constexpr std::size_t longest_answer = std::size_t{64} << 20;

Error failed(std::string what, std::string why, std::string hint = {}) {
    return Error{{std::move(what), std::move(why), std::move(hint), ExitCode::failed}};
}

OwnedFd connected(const Address& address) {
    const std::string name = socket_name(address);
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    std::copy(name.begin(), name.end(), std::next(std::begin(where.sun_path)));  // behind the NUL byte
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    OwnedFd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): connect(2) takes every kind of address so
    if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&where), length) != 0) {
        throw failed(fmt::format("cannot reach the VM {}", address.name), errno_text(errno),
                     "has it just ended? `vm-launch status` lists those that run");
    }
    return socket;
}

// The milliseconds left, as poll(2) takes them.
int left(std::optional<Clock::time_point> until) {
    if (!until) {
        return -1;
    }
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(*until - Clock::now()).count();
    return static_cast<int>(std::max<long>(0, ms));
}

std::optional<Clock::time_point> end_of(std::optional<std::chrono::seconds> limit) {
    return limit ? std::optional{Clock::now() + *limit} : std::nullopt;
}

}  // namespace

Client::Client(const Address& address) : name_{address.name}, socket_{connected(address)} {
    const auto peer = peer_of(socket_.get());
    if (!peer || peer->uid != address.uid) {
        throw failed(fmt::format("this is not the VM {}", name_),
                     "somebody else took its control socket's name", "see who: ss -xlp | grep vm-launch");
    }
}

nlohmann::json Client::ask(const Request& request, std::optional<Seconds> limit) {
    const auto until = end_of(limit);
    send(format_request(request));
    std::size_t end = 0;
    while ((end = received_.find('\n')) == std::string::npos) {
        receive(until);
    }
    auto answer = parse_answer(std::string_view{received_}.substr(0, end));
    received_.erase(0, end + 1);
    if (auto* fault = std::get_if<Fault>(&answer)) {
        throw Error{std::move(*fault)};
    }
    return std::get<nlohmann::json>(std::move(answer));
}

std::string Client::read_bytes(std::size_t count, Seconds limit) {
    const auto until = end_of(limit);
    while (received_.size() < count) {
        receive(until);
    }
    std::string bytes = received_.substr(0, count);
    received_.erase(0, count);
    return bytes;
}

void Client::send(std::string_view bytes) const {
    while (!bytes.empty()) {
        const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count < 0 && (errno == EPIPE || errno == ECONNRESET)) {
            return;  // what the other end said before it hung up tells more
        }
        if (count < 0 && errno != EINTR) {
            throw failed(fmt::format("cannot talk to the VM {}", name_), errno_text(errno));
        }
        bytes.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
    }
}

void Client::receive(std::optional<Clock::time_point> until) {
    pollfd ready{socket_.get(), POLLIN, 0};
    if (::poll(&ready, 1, left(until)) == 0) {
        throw failed(fmt::format("the VM {} does not answer", name_), "vm-launch or QEMU hangs",
                     "end it by a signal: SIGTERM, then SIGKILL, to its vm-launch");
    }
    std::array<char, 65536> chunk{};
    const ssize_t count = ::recv(socket_.get(), chunk.data(), chunk.size(), 0);
    if (count == 0 || (count < 0 && errno != EINTR)) {
        throw failed(fmt::format("the VM {} ended before it answered", name_),
                     count == 0 ? "" : errno_text(errno));
    }
    received_.append(chunk.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
    if (received_.size() > longest_answer) {
        throw failed(fmt::format("the reply of the VM {} is too large", name_), "");
    }
}

std::vector<Address> reachable_vms() {
    std::vector<Address> found = listening_addresses(read_file("/proc/net/unix").value_or(""));
    const uid_t own = ::geteuid();
    std::erase_if(found, [space = own_space(), own](const Address& address) {
        return address.space != space || (own != 0 && address.uid != own);
    });
    return found;
}

}  // namespace vml::control
