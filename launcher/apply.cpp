#include "launcher/apply.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "launcher/spawn.h"

namespace vml {

namespace {

Error failed(const std::string& what, int error_number, std::string hint, ExitCode code = ExitCode::failed) {
    return Error{{what, errno_text(error_number), std::move(hint), code}};
}

// The descriptor moved to the number that the argv says.
OwnedFd placed(OwnedFd fd, int number) {
    OwnedFd moved{::fcntl(fd.get(), F_DUPFD_CLOEXEC, number)};
    if (!moved) {
        throw failed(fmt::format("cannot place descriptor {}", number), errno,
                     "raise the limit of open files: ulimit -n");
    }
    if (moved.get() != number) {
        throw failed(fmt::format("descriptor {} is taken", number), EBUSY,
                     "start vm-launch with fewer open descriptors");
    }
    return moved;
}

struct SocketPair {
    OwnedFd ours;
    OwnedFd theirs;
};

SocketPair socket_pair() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw failed("cannot make a socket pair", errno, "");
    }
    return {OwnedFd{ends[0]}, OwnedFd{ends[1]}};
}

// Zero pages are skipped: a variable store of 64 MiB is nearly all holes.
void copy_sparse(int from, int to, const std::string& what) {
    std::vector<char> page(std::size_t{64} << 10);
    off_t offset = 0;
    while (true) {
        const ssize_t got = ::pread(from, page.data(), page.size(), offset);
        if (got < 0) {
            throw failed(what, errno, "", ExitCode::host);
        }
        if (got == 0) {
            break;
        }
        const auto count = static_cast<std::size_t>(got);
        const bool empty = std::all_of(page.begin(), page.begin() + got, [](char c) { return c == 0; });
        if (!empty && ::pwrite(to, page.data(), count, offset) != got) {
            throw failed(what, errno, "", ExitCode::host);
        }
        offset += got;
    }
    if (::ftruncate(to, offset) != 0) {
        throw failed(what, errno, "", ExitCode::host);
    }
}

// A file of our own without a name, which QEMU's user may read and write.
OwnedFd memory_file(const std::optional<RunUser>& user, const std::string& what) {
    OwnedFd file{::memfd_create("vm-launch", MFD_CLOEXEC)};
    if (!file || (user && ::fchown(file.get(), user->uid, user->gid) != 0)) {
        throw failed(what, errno, "", ExitCode::host);
    }
    return file;
}

OwnedFd open_file(const std::filesystem::path& path, int flags) {
    OwnedFd file{::open(path.c_str(), flags | O_CLOEXEC)};
    if (!file) {
        throw failed(fmt::format("cannot open {}", path.string()), errno, "", ExitCode::host);
    }
    return file;
}

OwnedFd private_copy(const std::filesystem::path& source, const std::optional<RunUser>& user) {
    const std::string what = fmt::format("cannot copy {}", source.string());
    const OwnedFd from = open_file(source, O_RDONLY);
    OwnedFd copy = memory_file(user, what);
    copy_sparse(from.get(), copy.get(), what);
    return copy;
}

OwnedFd blank_file(std::uint64_t size) {
    OwnedFd file;
    for (const char* folder : {"/var/tmp", "/tmp"}) {
        file.reset(::open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
        if (file) {
            break;
        }
    }
    if (!file || ::ftruncate(file.get(), static_cast<off_t>(size)) != 0) {
        throw failed("cannot make a blank disk in /var/tmp", errno, "give an image of your own: --disk PATH",
                     ExitCode::host);
    }
    return file;
}

// Opens what planned descriptors stand for. QEMU's end is returned; ours, of a pair, goes to `vm`.
class Opener {
  public:
    Opener(const Plan& plan, RunningVm& vm) : plan_{plan}, vm_{vm} {}

    OwnedFd open(const PlannedFd& planned) {
        switch (planned.purpose) {
            case FdPurpose::qmp:
                return pair(vm_.qmp);
            case FdPurpose::console:
                return pair(vm_.console);
            case FdPurpose::nvram:
            case FdPurpose::rom:
                return private_copy(planned.source, plan_.run_user);
            case FdPurpose::blank_disk:
                return blank_file(planned.size);
            case FdPurpose::read_file:
                return open_file(planned.source, O_RDONLY);
            case FdPurpose::write_file:
                return open_file(planned.source, O_RDWR);
            case FdPurpose::tap:
                return queue(planned.nic);
            case FdPurpose::vhost:
                return open_file("/dev/vhost-net", O_RDWR);
        }
        return OwnedFd{};
    }

  private:
    static OwnedFd pair(OwnedFd& ours) {
        SocketPair ends = socket_pair();
        ours = std::move(ends.ours);
        return std::move(ends.theirs);
    }

    // The executor hands all queues of a NIC over at once; the plan names them one by one, in order.
    OwnedFd queue(unsigned nic) {
        auto [queues, is_new] = queues_.try_emplace(nic);
        if (is_new) {
            queues->second = vm_.links->executor().take_queues(nic);
            std::reverse(queues->second.begin(), queues->second.end());
        }
        OwnedFd next = std::move(queues->second.back());
        queues->second.pop_back();
        return next;
    }

    const Plan& plan_;
    RunningVm& vm_;
    std::map<unsigned, std::vector<OwnedFd>> queues_;
};

void make_links(const Plan& plan, RunningVm& vm) {
    if (plan.links.empty()) {
        return;
    }
    vm.links = std::make_unique<HostLinks>(plan.links);
    for (const PortWait& wait : plan.port_waits) {
        net::KernelExecutor& executor = vm.links->executor();
        vm.port_watches.push_back({wait, executor.link_name(wait.nic), executor.watch(wait.nic)});
    }
}

}  // namespace

HostLinks::HostLinks(const std::vector<net::Operation>& operations) {
    applied_.apply(operations);
}

RunningVm apply(const Plan& plan) {
    RunningVm vm;
    make_links(plan, vm);
    Opener opener{plan, vm};
    std::vector<OwnedFd> inherited;
    SpawnRequest request{plan.program, argv_of(plan), {}, -1, plan.run_user};
    for (const PlannedFd& planned : plan.fds) {
        inherited.push_back(placed(opener.open(planned), planned.number));
        request.inherited.push_back(planned.number);
    }
    std::array<int, 2> output{};
    if (::pipe2(output.data(), O_CLOEXEC) != 0) {
        throw failed("cannot make a pipe", errno, "");
    }
    vm.output.reset(output[0]);
    const OwnedFd write_end{output[1]};
    request.output = write_end.get();
    vm.pid = spawn(request);
    return vm;
}

}  // namespace vml
