#include "control/client.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/folder.h"

namespace vml::control {

namespace {

using Clock = std::chrono::steady_clock;

Error failed(std::string what, std::string why, std::string hint = {}) {
    return Error{{std::move(what), std::move(why), std::move(hint), ExitCode::failed}};
}

Error unreachable(const Address& address, const std::string& why) {
    return failed(fmt::format("cannot reach the VM {}", address.name), why,
                  "has it just ended? `vm-launch status` lists those that run");
}

// The socket itself, whatever becomes of its name: no link is followed, and no path is too long.
OwnedFd socket_of(const Address& address) {
    const OpenFolder folder = open_folder(address.folder);
    if (!folder.fd) {
        throw unreachable(address, folder.obstacle);
    }
    OwnedFd file{
        ::openat(folder.fd.get(), socket_file(address.name).c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0) {
        throw unreachable(address, errno_text(errno));
    }
    if (!S_ISSOCK(status.st_mode)) {
        throw unreachable(address, errno_text(ENOTSOCK));
    }
    return file;
}

// A server that takes no connections, or no bytes, does not hold us up for longer.
void limit_waits(int socket) {
    constexpr timeval longest{5, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);
}

OwnedFd connected(const Address& address) {
    const OwnedFd file = socket_of(address);
    const std::string path = fmt::format("/proc/self/fd/{}", file.get());
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    std::copy(path.begin(), path.end(), std::begin(where.sun_path));
    OwnedFd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    limit_waits(socket.get());
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): connect(2) takes every kind of address so
    if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) {
        throw unreachable(address, errno == EAGAIN ? "it takes no connections" : errno_text(errno));
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
    if (!peer || peer->uid != address.folder.owner) {
        throw failed(fmt::format("this is not the VM {}", name_),
                     "another user listens on its control socket",
                     fmt::format("see who: ss -xlp | grep {}", socket_file(name_)));
    }
    peer_ = *peer;
}

nlohmann::json Client::ask(const Request& request, std::optional<Seconds> limit, std::size_t most) {
    const auto until = end_of(limit);
    send(format_request(request));
    std::size_t end = 0;
    while ((end = received_.find('\n')) == std::string::npos) {
        receive(until, most);
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
        receive(until, longest_output);
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

void Client::receive(std::optional<Clock::time_point> until, std::size_t most) {
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
    if (received_.size() > most) {
        throw failed(fmt::format("the reply of the VM {} is too large", name_), "");
    }
}

}  // namespace vml::control
