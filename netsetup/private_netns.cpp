#include "netsetup/private_netns.h"

#include <cerrno>
#include <exception>
#include <thread>

#include <fcntl.h>
#include <sched.h>

#include "netsetup/failure.h"

namespace vml::net {

namespace {

constexpr const char* what = "cannot make a private network namespace";

[[noreturn]] void throw_errno() {
    throw Error{failure(Step::make_private_netns, what, errno)};
}

void in_thread(const std::function<void()>& task) {
    std::exception_ptr thrown;
    std::thread thread{[&] {
        try {
            task();
        } catch (...) {
            thrown = std::current_exception();
        }
    }};
    thread.join();
    if (thrown) {
        std::rethrow_exception(thrown);
    }
}

}  // namespace

PrivateNetns::PrivateNetns(const std::function<void()>& first) {
    in_thread([&] {
        if (unshare(CLONE_NEWNET) != 0) {
            throw_errno();
        }
        fd_.reset(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
        if (!fd_) {
            throw_errno();
        }
        if (first) {
            first();
        }
    });
}

void PrivateNetns::run(const std::function<void()>& task) const {
    in_thread([&] {
        if (setns(fd_.get(), CLONE_NEWNET) != 0) {
            throw_errno();
        }
        task();
    });
}

}  // namespace vml::net
