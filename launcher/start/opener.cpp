#include "launcher/start/opener.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <string>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "launcher/start/files.h"
#include "launcher/start/kept_files.h"
#include "launcher/start/seed_image.h"
#include "netsetup/tap_device.h"
#include "rom/efi_cd.h"

namespace vml {

namespace {

struct SocketPair {
    OwnedFd ours;
    OwnedFd theirs;
};

// QEMU's serial port gives up on a byte after four tries (hw/char/serial.c, MAX_XMIT_RETRY), and each byte
// that waits for us takes an sk_buff of 768 bytes: the default buffer holds 277 of them, and a busy host lets
// us wait longer than that.
void make_room(int fd) {
    constexpr int room = 16 << 20;
    if (::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) != 0) {
        ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    }
}

SocketPair socket_pair() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw failed("cannot make a socket pair", errno, "");
    }
    return {OwnedFd{ends[0]}, OwnedFd{ends[1]}};
}

OwnedFd private_copy(const std::filesystem::path& source, const std::optional<RunUser>& user) {
    const std::string what = fmt::format("cannot copy {}", source.string());
    const OwnedFd from = open_file(source, O_RDONLY);
    OwnedFd copy = memory_file(user, what);
    copy_sparse(from.get(), copy.get(), what);
    return copy;
}

OwnedFd memory_file_of(const std::vector<std::uint8_t>& content, const std::optional<RunUser>& user) {
    const std::string what = "cannot make a file in memory";
    OwnedFd file = memory_file(user, what);
    if (const int error = write_whole(file.get(), Bytes{content}.chars(), 0); error != 0) {
        throw failed(what, error, "", ExitCode::host);
    }
    return file;
}

// QEMU's end may only write; a set of descriptors hands out one whose mode is asked for (QEMU monitor/fds.c).
OwnedFd screenshot_file(int number, ScreenshotFile& ours) {
    const std::string what = "cannot make a file for screenshots";
    ours.fdset = number;
    ours.readable = memory_file(std::nullopt, what);
    OwnedFd writable = open_file(fmt::format("/proc/self/fd/{}", ours.readable.get()), O_WRONLY);
    ours.writable.reset(::fcntl(writable.get(), F_DUPFD_CLOEXEC, 0));
    if (!ours.writable) {
        throw failed(what, errno, "");
    }
    return writable;
}

// For reading alone: a set of descriptors hands out one whose mode is asked for.
OwnedFd memory_file_with(const std::string& content) {
    const std::string what = "cannot make a file in memory";
    const OwnedFd file = memory_file(std::nullopt, what);
    if (const int error = write_whole(file.get(), content, 0); error != 0) {
        throw failed(what, error, "", ExitCode::host);
    }
    return open_file(fmt::format("/proc/self/fd/{}", file.get()), O_RDONLY);
}

// iPXE's program has 1 MB; a wrong file (a disk image) is not read into memory.
constexpr std::size_t largest_program = std::size_t{64} * 1024 * 1024;

std::string program_in(const std::filesystem::path& path) {
    const auto refused = [&](int error) {
        return failed(fmt::format("cannot read {}", path.string()), error, "give iPXE's EFI program",
                      ExitCode::host);
    };
    const OwnedFd file = open_file(path, O_RDONLY);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) {
        throw refused(errno);
    }
    if (static_cast<std::uint64_t>(status.st_size) > largest_program) {
        throw refused(EFBIG);
    }
    std::string content(static_cast<std::size_t>(status.st_size), '\0');
    std::span<char> rest{content};
    while (!rest.empty()) {
        const ssize_t got =
            ::pread(file.get(), rest.data(), rest.size(), static_cast<off_t>(content.size() - rest.size()));
        if (got <= 0) {
            throw refused(got < 0 ? errno : ENODATA);
        }
        rest = rest.subspan(static_cast<std::size_t>(got));
    }
    return content;
}

OwnedFd blank_file(const PlannedFd& planned) {
    constexpr std::array<const char*, 2> folders{"/var/tmp", "/tmp"};
    std::string why;
    for (const char* folder : folders) {
        OwnedFd file{::open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
        if (file && ::ftruncate(file.get(), static_cast<off_t>(planned.size)) == 0) {
            if (planned.direct) {
                require_direct(file.get(), fmt::format("a blank disk in {}", folder));
            }
            return file;
        }
        why += fmt::format("{}{}: {}", why.empty() ? "" : "; ", folder, errno_text(errno));
    }
    throw Error{
        {"cannot make a blank disk", why,
         "mount a folder for temporary files there, give an image of your own (--disk PATH), or keep the "
         "disk (--data-dir DIR)",
         ExitCode::host}};
}

OwnedFd image_file(const PlannedFd& planned, int mode) {
    OwnedFd file = open_file(planned.source, mode);
    refuse_in_use(file.get(), planned.source, mode == O_RDWR);
    if (planned.direct) {
        require_direct(file.get(), planned.source);
    }
    return file;
}

// QEMU's end of a socket pair.
OwnedFd pair(OwnedFd& ours) {
    SocketPair ends = socket_pair();
    make_room(ends.theirs.get());
    ours = std::move(ends.ours);
    return std::move(ends.theirs);
}

// For what is to be sent in the guest's name.
void keep_guest_end(const Plan& plan, unsigned nic, const OwnedFd& queue, RunningVm& vm) {
    for (WireTap& wire : vm.wire) {
        if (plan.probe && plan.probe->nic == nic && wire.nic == plan.probe->id && wire.alone) {
            wire.guest_end = net::copy_of(queue);
        }
    }
}

}  // namespace

OwnedFd Opener::open(const PlannedFd& planned) {
    switch (planned.purpose) {
        case FdPurpose::qmp:
            return pair(vm_.qmp);
        case FdPurpose::console:
            return pair(vm_.console);
        case FdPurpose::rom:
            return planned.content ? memory_file_of(*planned.content, plan_.run_user)
                                   : private_copy(planned.source, plan_.run_user);
        case FdPurpose::nvram:
            return nvram(planned);
        case FdPurpose::efi_cd:
            return memory_file_with(rom::efi_cd(program_in(planned.source), planned.arch));
        case FdPurpose::blank_disk:
            return planned.kept.empty() ? blank_file(planned)
                                        : open_kept_blank(vm_.state_folder.get(),
                                                          {planned.kept, planned.size, planned.direct});
        case FdPurpose::read_file:
            return image_file(planned, O_RDONLY);
        case FdPurpose::write_file:
            return image_file(planned, O_RDWR);
        case FdPurpose::firmware:
            return pair(vm_.firmware_log);
        case FdPurpose::agent:
            return pair(vm_.agent);
        case FdPurpose::screenshot:
            return screenshot_file(planned.number, vm_.told.screenshot);
        case FdPurpose::seed:
            return memory_file_with(seed_image(*plan_.seed));
        case FdPurpose::vnc_password:
            return memory_file_with(plan_.vnc_password);
        case FdPurpose::tpm:
            return pair(tpm_socket_);
        case FdPurpose::tpm_socket:
            return std::move(tpm_socket_);
        case FdPurpose::tpm_state:
            return tpm_state(planned);
        case FdPurpose::tap:
            return queue(planned.nic);
        case FdPurpose::vhost:
            return open_file("/dev/vhost-net", O_RDWR);
        case FdPurpose::capture:
            return dump_pipe(planned.nic);
        case FdPurpose::frames:
            return pair(tap_of(planned.nic).inlet);
    }
    return OwnedFd{};
}

OwnedFd Opener::nvram(const PlannedFd& planned) {
    OwnedFd store = planned.kept.empty()
                        ? private_copy(planned.source, plan_.run_user)
                        : open_kept_store(vm_.state_folder.get(),
                                          {planned.kept, planned.source, planned.anew, planned.origin});
    if (plan_.has_secure_boot) {
        vm_.told.nvram.reset(::fcntl(store.get(), F_DUPFD_CLOEXEC, 0));
    }
    return store;
}

// QEMU opens its end anew, by name, with the rights of its own user.
OwnedFd Opener::dump_pipe(unsigned nic) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw failed("cannot make a pipe", errno, "");
    }
    OwnedFd ours{ends[0]};
    OwnedFd theirs{ends[1]};
    if (plan_.run_user && ::fchown(theirs.get(), plan_.run_user->uid, plan_.run_user->gid) != 0) {
        throw failed("cannot hand a pipe to QEMU's user", errno, "");
    }
    // QEMU waits when the pipe is full, so it is made as large as everybody may have it (fs/pipe.c).
    constexpr int pipe_size = 1 << 20;
    ::fcntl(theirs.get(), F_SETPIPE_SZ, pipe_size);
    const WirePoint& point = point_of(nic);
    vm_.wire.push_back({point.id, point.mac, std::move(ours), 0, false, point.filter});
    return theirs;
}

const WirePoint& Opener::point_of(unsigned nic) const {
    return *std::find_if(plan_.wire.begin(), plan_.wire.end(),
                         [&](const WirePoint& candidate) { return candidate.nic == nic; });
}

// Its dump stands before it in the plan.
WireTap& Opener::tap_of(unsigned nic) {
    const WirePoint& point = point_of(nic);
    WireTap& tap = *std::find_if(vm_.wire.begin(), vm_.wire.end(),
                                 [&](const WireTap& candidate) { return candidate.nic == point.id; });
    tap.inlet_name = point.inlet;
    return tap;
}

// The executor hands all queues of a NIC over at once; the plan names them one by one, in order.
OwnedFd Opener::queue(unsigned nic) {
    if (const PlannedSegment* segment = plan_.segment_of(nic)) {
        const auto place = static_cast<std::size_t>(segment - plan_.segments.data());
        return std::move(vm_.segments.at(place).fd(net::SegmentFd::tap));
    }
    auto [queues, is_new] = queues_.try_emplace(nic);
    if (is_new) {
        queues->second = vm_.links->executor().take_queues(nic);
        std::reverse(queues->second.begin(), queues->second.end());
    }
    OwnedFd next = std::move(queues->second.back());
    queues->second.pop_back();
    if (is_new) {
        keep_guest_end(plan_, nic, next, vm_);
    }
    return next;
}

// swtpm opens its state by name, with the rights of QEMU's user.
OwnedFd Opener::tpm_state(const PlannedFd& planned) const {
    return planned.kept.empty() ? memory_file(plan_.run_user, "cannot make the TPM's state")
                                : open_kept_tpm(vm_.state_folder.get(), planned.kept, plan_.run_user);
}

}  // namespace vml
