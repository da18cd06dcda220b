#include "launcher/keeper/file_keeper.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "launcher/keeper/keep.h"
#include "launcher/keeper/messages.h"
#include "launcher/start/files.h"

namespace vml {

namespace {

Reply answer_to(int socket, const Question& question) {
    if (send_question(socket, question)) {
        if (std::optional<Reply> reply = receive_reply(socket)) {
            return std::move(*reply);
        }
    }
    return {EPIPE, 0, OwnedFd{}};  // the keeper is gone
}

}  // namespace

FileKeeper::FileKeeper(OpenFiles files, Leavings leavings) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw failed("cannot make a pair of sockets", errno, "");
    }
    socket_.reset(ends[0]);
    const OwnedFd its{ends[1]};
    const OwnedFd self{static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0))};
    pid_ = ::fork();
    if (pid_ < 0) {
        throw failed("cannot begin the process that keeps the VM's files", errno, "");
    }
    if (pid_ == 0) {
        keep({its.get(), self.get()}, std::move(files), std::move(leavings));
    }
}

FileKeeper::~FileKeeper() {
    static_cast<void>(send_question(socket_.get(), {Wish::end, 0, {}, {}}));
    socket_.reset();
    ::waitpid(pid_, nullptr, 0);
}

serve::FoundFile FileKeeper::open_served(const std::string& name) {
    Reply reply = answer_to(socket_.get(), {Wish::open_served, 0, name, {}});
    return {std::move(reply.fd), reply.size, reply.error};
}

BegunReport FileKeeper::begin_report(std::size_t number) {
    Reply reply = answer_to(socket_.get(), {Wish::begin_report, static_cast<std::uint32_t>(number), {}, {}});
    return {std::move(reply.fd), reply.error};
}

int FileKeeper::write_report(std::size_t number, std::string_view text) {
    Question question{Wish::write_report, static_cast<std::uint32_t>(number), {}, {}};
    question.fd.reset(::memfd_create("report", MFD_CLOEXEC));
    if (!question.fd) {
        return errno;
    }
    const int error = write_whole(question.fd.get(), text, 0);
    return error != 0 ? error : answer_to(socket_.get(), question).error;
}

int FileKeeper::mark_first_boot() {
    return answer_to(socket_.get(), {Wish::mark_first_boot, 0, {}, {}}).error;
}

std::unique_ptr<VmFiles> vm_files(OpenFiles open, bool becomes, const std::string& runtime_dir,
                                  std::optional<SystemdLock> systemd) {
    std::vector<control::Folder> folders = control::folders_of(::geteuid(), runtime_dir);
    if (!becomes) {
        return std::make_unique<OwnVmFiles>(std::move(open), std::move(folders));
    }
    return std::make_unique<FileKeeper>(std::move(open), Leavings{std::move(folders), std::move(systemd)});
}

}  // namespace vml
