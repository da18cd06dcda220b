// What the tests of netsetup/ share: a network namespace of their own, frames on a wire, children that are
// killed.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/fd.h"
#include "netsetup/links.h"
#include "netsetup/mac.h"
#include "tests/unit/catch.h"

namespace vml::net::test {

using Frame = std::vector<unsigned char>;

// Puts the calling thread into a new network and mount namespace, with a sysfs of it, and back at the end.
// Fails the test when that is refused: these tests need root, and never skip.
class PrivateHost {
  public:
    PrivateHost();
    ~PrivateHost();
    PrivateHost(const PrivateHost&) = delete;
    PrivateHost& operator=(const PrivateHost&) = delete;
    PrivateHost(PrivateHost&&) = delete;
    PrivateHost& operator=(PrivateHost&&) = delete;

  private:
    OwnedFd network_;
    OwnedFd mounts_;
};

// Runs a shell command (iproute2, to set things up and to look from outside) and fails the test if it fails.
void sh(const std::string& command);
[[nodiscard]] std::string output_of(const std::string& command);

[[nodiscard]] std::vector<Link> links_now();
[[nodiscard]] Link link_now(const std::string& name);  // fails the test when there is none

// Whether it became true before the deadline; for what the kernel tells nobody.
[[nodiscard]] bool eventually(const std::function<bool()>& condition,
                              std::chrono::milliseconds deadline = std::chrono::seconds{10});

// Is nothing on the test's lower device? A veth has no filter of its own: it listens to everything as long as
// a macvtap with another address is on it.
[[nodiscard]] bool lower_is_free();

// The kernel tells a bridge of its port's carrier a moment later (net/core/link_watch.c): waits until the
// port forwards, so that nothing changes by itself between two looks at the links.
void wait_until_forwarding(const std::string& port);

// Makes br0 with the port v0, whose other end is v1; waits until the port forwards.
void make_bridge(const std::string& options = {});

// Whether the descriptor became readable before the deadline.
[[nodiscard]] bool readable(int fd, std::chrono::milliseconds deadline);

// The raw frames of one link: a packet socket.
class Wire {
  public:
    explicit Wire(const std::string& link);
    void send(const Frame& frame) const;
    // Waits for a frame that equals this one.
    [[nodiscard]] bool sees(const Frame& frame) const;

  private:
    OwnedFd fd_;
};

// An Ethernet frame of the local experimental type 0x88B5 with `text` in it, 60 bytes.
[[nodiscard]] Frame frame(const Mac& to, const Mac& from, const std::string& text);

// Frames through a tap or macvtap queue, which has a virtio-net header of 12 bytes before each.
[[nodiscard]] bool queue_sees(const std::vector<OwnedFd>& queues, const Frame& frame);
void queue_send(const OwnedFd& queue, const Frame& frame);

inline constexpr Mac broadcast{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
inline constexpr Mac guest{0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
inline constexpr Mac server{0x52, 0x54, 0x00, 0xAA, 0xBB, 0xCC};

// A forked child that runs `task`, says so, and waits to be killed. An exception in it is printed, and it
// exits 1.
class Child {
  public:
    explicit Child(const std::function<void()>& task);
    ~Child() { kill(); }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    Child(Child&&) = delete;
    Child& operator=(Child&&) = delete;

    [[nodiscard]] bool done() const;  // waits until the task has returned; false when the child died
    void kill();                      // SIGKILL, and reaps

  private:
    pid_t pid_ = -1;
    OwnedFd done_;
};

// Runs `task` in a forked child, which may drop privileges or mount things. True when nothing was thrown.
[[nodiscard]] bool in_child(const std::function<void()>& task);

// Takes an effective and permitted capability (linux/capability.h) from the calling process.
void drop_capability(unsigned number);

// Throws std::runtime_error with `text` unless `holds`: for use in children, where Catch's macros do not
// reach.
void demand(bool holds, const std::string& text);

}  // namespace vml::net::test

namespace Catch {

template <>
struct StringMaker<vml::net::Link> {
    static std::string convert(const vml::net::Link& link);
};

}  // namespace Catch
