#include "launcher/start/apply.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "launcher/process/spawn.h"
#include "launcher/start/kept_files.h"
#include "launcher/start/seed_image.h"
#include "rom/efi_cd.h"

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
    if (::pwrite(file.get(), content.data(), content.size(), 0) != static_cast<ssize_t>(content.size())) {
        throw failed(what, errno, "", ExitCode::host);
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
                return planned.kept.empty() ? private_copy(planned.source, plan_.run_user)
                                            : open_kept_copy(planned.kept, planned.source);
            case FdPurpose::efi_cd:
                return memory_file_with(rom::efi_cd(program_in(planned.source), planned.arch));
            case FdPurpose::blank_disk:
                return planned.kept.empty() ? blank_file(planned.size)
                                            : open_kept_blank(planned.kept, planned.size);
            case FdPurpose::read_file:
                return open_file(planned.source, O_RDONLY);
            case FdPurpose::write_file:
                return open_file(planned.source, O_RDWR);
            case FdPurpose::firmware:
                return pair(vm_.firmware_log);
            case FdPurpose::agent:
                return pair(vm_.agent);
            case FdPurpose::screenshot:
                return screenshot_file(planned.number, vm_.screenshot);
            case FdPurpose::seed:
                return memory_file_with(seed_image(*plan_.seed));
            case FdPurpose::tpm:
                return pair(vm_.tpm_socket);
            case FdPurpose::tap:
                return queue(planned.nic);
            case FdPurpose::vhost:
                return open_file("/dev/vhost-net", O_RDWR);
            case FdPurpose::capture:
                return dump_pipe(planned.nic);
        }
        return OwnedFd{};
    }

  private:
    static OwnedFd pair(OwnedFd& ours) {
        SocketPair ends = socket_pair();
        make_room(ends.theirs.get());
        ours = std::move(ends.ours);
        return std::move(ends.theirs);
    }

    // QEMU opens its end anew, by name, with the rights of its own user.
    OwnedFd dump_pipe(unsigned nic) {
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
        const auto point = std::find_if(plan_.wire.begin(), plan_.wire.end(),
                                        [&](const WirePoint& candidate) { return candidate.nic == nic; });
        vm_.wire.push_back({point->id, point->mac, std::move(ours), 0, point->filter});
        return theirs;
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

void make_links(const Plan& plan, RunningVm& vm, net::KernelExecutor::Homes ahead) {
    if (plan.links.empty()) {
        return;
    }
    vm.links = std::make_unique<HostLinks>(plan.links, std::move(ahead));
    for (const PortWait& wait : plan.port_waits) {
        net::KernelExecutor& executor = vm.links->executor();
        vm.port_watches.push_back({wait, executor.link_name(wait.nic), executor.watch(wait.nic)});
    }
    for (const WirePoint& point : plan.wire) {
        if (point.filter.empty()) {
            const net::KernelExecutor& executor = vm.links->executor();
            vm.wire.push_back(
                {point.id, point.mac, executor.capture(point.nic), executor.link_index(point.nic)});
        }
    }
}

// swtpm ends when its socket to QEMU closes. It opens its state by name, so the file is QEMU's user's.
pid_t start_tpm(const Plan& plan, RunningVm& vm, int output) {
    const std::string what = "cannot make the TPM's state";
    OwnedFd state = plan.tpm->kept ? open_kept_blank(*plan.tpm->kept, 0) : memory_file(plan.run_user, what);
    if (plan.run_user && ::fchown(state.get(), plan.run_user->uid, plan.run_user->gid) != 0) {
        throw failed(what, errno, "", ExitCode::host);
    }
    constexpr int state_number = 300;
    constexpr int socket_number = 301;
    const OwnedFd placed_state = placed(std::move(state), state_number);
    const OwnedFd placed_socket = placed(std::move(vm.tpm_socket), socket_number);
    return spawn(
        {plan.tpm->program,
         {"socket", "--tpm2", "--tpmstate", fmt::format("backend-uri=file:///proc/self/fd/{}", state_number),
          "--ctrl", fmt::format("type=unixio,clientfd={}", socket_number)},
         {state_number, socket_number},
         output,
         plan.run_user});
}

// Opens the folder's server, and gives the arguments with its port in them.
std::vector<std::string> with_http(const Plan& plan, RunningVm& vm) {
    std::vector<std::string> words = argv_of(plan);
    if (!plan.http_folder) {
        return words;
    }
    serve::Listener listener = serve::listen_on_loopback();
    vm.http = serve::HttpServer::Config{std::move(listener.socket),
                                        open_file(*plan.http_folder, O_PATH | O_DIRECTORY),
                                        plan.run_user ? plan.run_user->uid : ::geteuid()};
    for (std::string& word : words) {
        if (const std::size_t at = word.find(http_port_place);
            at != std::string::npos && word.starts_with("user,")) {
            word.replace(at, http_port_place.size(), std::to_string(listener.port));
        }
    }
    return words;
}

}  // namespace

std::vector<ReportFile> open_reports(const std::vector<std::filesystem::path>& paths) {
    std::vector<ReportFile> files;
    for (const std::filesystem::path& path : paths) {
        OwnedFd file{::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644)};
        if (!file) {
            throw Error{{fmt::format("cannot write the report {}", path.string()), errno_text(errno),
                         "check the folder and its mode", ExitCode::host}};
        }
        files.push_back({path, std::move(file)});
    }
    return files;
}

HostLinks::HostLinks(const std::vector<net::Operation>& operations, net::KernelExecutor::Homes ahead)
    : executor_{std::move(ahead)} {
    applied_.apply(operations);
}

RunningVm apply(const Plan& plan, net::KernelExecutor::Homes ahead) {
    RunningVm vm;
    if (plan.state_folder) {
        vm.state_folder = open_state_folder(*plan.state_folder);
    }
    make_links(plan, vm, std::move(ahead));
    Opener opener{plan, vm};
    std::vector<OwnedFd> inherited;
    SpawnRequest request{plan.program, with_http(plan, vm), {}, -1, plan.run_user};
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
    if (plan.tpm) {
        vm.tpm_pid = start_tpm(plan, vm, write_end.get());
    }
    vm.pid = spawn(request);
    return vm;
}

}  // namespace vml
