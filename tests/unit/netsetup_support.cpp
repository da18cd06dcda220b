#include "tests/unit/netsetup_support.h"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <stdexcept>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netsetup/netlink.h"

namespace vml::net::test {

namespace {

constexpr unsigned short experimental_type = 0x88B5;
constexpr std::size_t header_size = 12;

OwnedFd open_or_fail(const char* path) {
    OwnedFd fd{open(path, O_RDONLY | O_CLOEXEC)};
    REQUIRE(fd);
    return fd;
}

}  // namespace

PrivateHost::PrivateHost()
    : network_{open_or_fail("/proc/self/ns/net")}, mounts_{open_or_fail("/proc/self/ns/mnt")} {
    INFO("these tests need root and CAP_SYS_ADMIN: they make network namespaces");
    REQUIRE(unshare(CLONE_NEWNET | CLONE_NEWNS) == 0);
    REQUIRE(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
    REQUIRE(mount("sysfs", "/sys", "sysfs", 0, nullptr) == 0);
}

PrivateHost::~PrivateHost() {
    (void)setns(network_.get(), CLONE_NEWNET);
    (void)setns(mounts_.get(), CLONE_NEWNS);
}

void sh(const std::string& command) {
    INFO(command);
    REQUIRE(std::system(command.c_str()) == 0);
}

std::string output_of(const std::string& command) {
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe{popen(command.c_str(), "r"), pclose};
    std::string text;
    std::array<char, 4096> buffer{};
    while (pipe != nullptr && fgets(buffer.data(), static_cast<int>(buffer.size()), pipe.get()) != nullptr) {
        text += buffer.data();
    }
    return text;
}

std::vector<Link> links_now() {
    NetlinkSocket socket;
    return list_links(socket);
}

Link link_now(const std::string& name) {
    NetlinkSocket socket;
    const std::optional<Link> link = find_link(socket, name);
    INFO(name);
    REQUIRE(link);
    return *link;
}

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds deadline) {
    const auto end = std::chrono::steady_clock::now() + deadline;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) {
            return false;
        }
        (void)poll(nullptr, 0, 2);
    }
    return true;
}

bool lower_is_free() {
    return link_now("v0").promiscuity == 0;
}

void wait_until_forwarding(const std::string& port) {
    INFO(port);
    REQUIRE(eventually([&] { return link_now(port).port_state == PortState::forwarding; }));
}

void make_bridge(const std::string& options) {
    sh("ip link add br0 " + options + " type bridge");
    // A bridge shows the lowest address of its ports: a random one may be above a tap's (fe:…), and the
    // bridge's would change with the tap.
    sh("ip link add v0 address 02:00:00:00:00:10 type veth peer name v1");
    sh("ip link set v0 master br0");
    sh("ip link set br0 up && ip link set v0 up && ip link set v1 up");
    wait_until_forwarding("v0");
}

bool readable(int fd, std::chrono::milliseconds deadline) {
    pollfd wait{fd, POLLIN, 0};
    return poll(&wait, 1, static_cast<int>(deadline.count())) == 1;
}

Wire::Wire(const std::string& link)
    : fd_{socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(experimental_type))} {
    REQUIRE(fd_);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(experimental_type);
    address.sll_ifindex = static_cast<int>(if_nametoindex(link.c_str()));
    const void* const bytes = &address;
    REQUIRE(bind(fd_.get(), static_cast<const sockaddr*>(bytes), sizeof address) == 0);
}

void Wire::send(const Frame& frame) const {
    REQUIRE(write(fd_.get(), frame.data(), frame.size()) == static_cast<ssize_t>(frame.size()));
}

bool Wire::sees(const Frame& frame) const {
    while (readable(fd_.get(), std::chrono::seconds{5})) {
        Frame got(2048);
        const ssize_t size = read(fd_.get(), got.data(), got.size());
        got.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
        if (got == frame) {
            return true;
        }
    }
    return false;
}

Frame frame(const Mac& to, const Mac& from, const std::string& text) {
    Frame bytes(to.begin(), to.end());
    bytes.insert(bytes.end(), from.begin(), from.end());
    bytes.push_back(experimental_type >> 8);
    bytes.push_back(experimental_type & 0xFF);
    bytes.insert(bytes.end(), text.begin(), text.end());
    bytes.resize(60);
    return bytes;
}

bool queue_sees(const std::vector<OwnedFd>& queues, const Frame& frame) {
    std::vector<pollfd> waits;
    for (const OwnedFd& queue : queues) {
        waits.push_back({queue.get(), POLLIN, 0});
    }
    while (poll(waits.data(), waits.size(), 5000) > 0) {
        for (const pollfd& wait : waits) {
            Frame got(2048);
            const ssize_t size = (wait.revents & POLLIN) != 0 ? read(wait.fd, got.data(), got.size()) : 0;
            got.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
            if (got.size() >= header_size &&
                std::equal(got.begin() + header_size, got.end(), frame.begin(), frame.end())) {
                return true;
            }
        }
    }
    return false;
}

void queue_send(const OwnedFd& queue, const Frame& frame) {
    Frame bytes(header_size + frame.size());
    std::copy(frame.begin(), frame.end(), bytes.begin() + header_size);
    REQUIRE(write(queue.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
}

Child::Child(const std::function<void()>& task) {
    std::array<int, 2> pipe_fds{};
    REQUIRE(pipe2(pipe_fds.data(), O_CLOEXEC) == 0);
    done_.reset(pipe_fds[0]);
    OwnedFd say{pipe_fds[1]};
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ != 0) {
        return;
    }
    try {
        task();
        (void)!write(say.get(), "1", 1);
        pause();
    } catch (const std::exception& error) {
        std::cerr << "in the child: " << error.what() << '\n';
    }
    _exit(1);
}

bool Child::done() const {
    char byte = 0;
    return read(done_.get(), &byte, 1) == 1;
}

void Child::kill() {
    if (pid_ > 0) {
        (void)::kill(pid_, SIGKILL);
        (void)waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
}

bool in_child(const std::function<void()>& task) {
    return Child{task}.done();
}

void drop_capability(unsigned number) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
    demand(syscall(SYS_capget, &header, sets.data()) == 0, "capget");
    sets.at(number / 32).effective &= ~(1U << (number % 32));
    sets.at(number / 32).permitted &= ~(1U << (number % 32));
    demand(syscall(SYS_capset, &header, sets.data()) == 0, "capset");
}

void demand(bool holds, const std::string& text) {
    if (!holds) {
        throw std::runtime_error{text};
    }
}

}  // namespace vml::net::test

std::string Catch::StringMaker<vml::net::Link>::convert(const vml::net::Link& link) {
    return fmt::format(
        "\n{} {} {} '{}' up={} carrier={} mtu={} {} master={} port_of={} lower={} promiscuity={} state={}",
        link.index, link.name, link.kind, link.alias, link.up, link.carrier, link.mtu,
        vml::mac_text(link.mac), link.master, link.port_of_kind, link.lower, link.promiscuity,
        link.port_state ? vml::net::to_text(*link.port_state) : "none");
}
