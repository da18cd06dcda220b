#include "launcher/apply.h"

#include <algorithm>
#include <array>
#include <cerrno>
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

OwnedFd private_copy(const std::filesystem::path& source) {
    const std::string what = fmt::format("cannot copy the UEFI variable store {}", source.string());
    const OwnedFd from{::open(source.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!from) {
        throw failed(what, errno, "reinstall the firmware's package", ExitCode::host);
    }
    OwnedFd copy{::memfd_create("nvram", MFD_CLOEXEC)};
    if (!copy) {
        throw failed(what, errno, "", ExitCode::host);
    }
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

// Opens one planned descriptor; QEMU's end goes to `inherited`, ours (of a pair) to `vm`.
OwnedFd open_planned(const PlannedFd& planned, RunningVm& vm) {
    switch (planned.purpose) {
        case FdPurpose::qmp:
        case FdPurpose::console: {
            SocketPair pair = socket_pair();
            (planned.purpose == FdPurpose::qmp ? vm.qmp : vm.console) = std::move(pair.ours);
            return std::move(pair.theirs);
        }
        case FdPurpose::nvram:
            return private_copy(planned.source);
        case FdPurpose::blank_disk:
            return blank_file(planned.size);
    }
    return OwnedFd{};
}

}  // namespace

RunningVm apply(const Plan& plan) {
    RunningVm vm;
    std::vector<OwnedFd> inherited;
    SpawnRequest request{plan.program, argv_of(plan), {}, -1};
    for (const PlannedFd& planned : plan.fds) {
        inherited.push_back(placed(open_planned(planned, vm), planned.number));
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
