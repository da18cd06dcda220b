#include "netsetup/private_netns.h"

#include <cerrno>
#include <exception>
#include <utility>

#include <fcntl.h>
#include <sched.h>

#include "netsetup/failure.h"

namespace vml::net {

namespace {

[[noreturn]] void throw_errno(const char* what) {
    throw Error{failure(Step::make_private_netns, what, errno)};
}

OwnedFd own_namespace(const char* what) {
    OwnedFd fd{open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)};
    if (!fd) {
        throw_errno(what);
    }
    return fd;
}

// Moves the calling thread into a new namespace; what holds it.
OwnedFd enter_new() {
    constexpr const char* what = "cannot make a private network namespace";
    if (unshare(CLONE_NEWNET) != 0) {
        throw_errno(what);
    }
    return own_namespace(what);
}

void enter(int fd) {
    if (setns(fd, CLONE_NEWNET) != 0) {
        throw_errno("cannot enter a network namespace");
    }
}

}  // namespace

PrivateNetns::PrivateNetns(std::function<void()> first)
    : made_{std::async(std::launch::async, [this, first = std::move(first)] {
          fd_ = enter_new();
          if (first) {
              first();
          }
      })} {}

int PrivateNetns::fd() const {
    made_.get();
    return fd_.get();
}

void PrivateNetns::run(const std::function<void()>& task) const {
    const int inside = fd();
    const OwnedFd outside = own_namespace("cannot find the way back from a private network namespace");
    enter(inside);
    std::exception_ptr thrown;
    try {
        task();
    } catch (...) {
        thrown = std::current_exception();
    }
    enter(outside.get());
    if (thrown) {
        std::rethrow_exception(thrown);
    }
}

}  // namespace vml::net
