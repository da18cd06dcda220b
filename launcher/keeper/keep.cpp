#include "launcher/keeper/keep.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/folder.h"
#include "launcher/keeper/messages.h"
#include "launcher/process/lock_down.h"

namespace vml {

namespace {

// Far more than a report has (boot::largest_report, bootwatch/report.h).
constexpr off_t largest_report = 256 << 20;

// Nothing of the terminal's, and no descriptor but these.
void keep_open(std::vector<int> wanted) {
    const OwnedFd nothing{::open("/dev/null", O_RDWR | O_CLOEXEC)};
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        ::dup2(nothing.get(), standard);
    }
    std::sort(wanted.begin(), wanted.end());
    unsigned next = STDERR_FILENO + 1;
    for (const int fd : wanted) {
        const auto number = static_cast<unsigned>(fd);
        if (number > next) {
            ::close_range(next, number - 1, 0);
        }
        next = std::max(next, number + 1);
    }
    ::close_range(next, ~0U, 0);
}

// The folder that the VM's sockets and locks are in, or will be: the first that can be had (control/claim.h).
std::vector<control::Folder> folder_in_use(const std::vector<control::Folder>& folders) {
    const auto first = std::find_if(folders.begin(), folders.end(), [](const control::Folder& folder) {
        return static_cast<bool>(control::make_folder(folder).fd);
    });
    return first == folders.end() ? std::vector<control::Folder>{} : std::vector{*first};
}

std::vector<int> descriptors_of(const KeptFor& vm, const OpenFiles& files, const Leavings& leavings) {
    std::vector<int> fds{vm.socket, vm.process, files.served.folder.get(), files.state_folder.get(),
                         leavings.systemd ? leavings.systemd->fd() : -1};
    for (const serve::Content::File& file : files.served.files) {
        fds.push_back(file.fd.get());
    }
    for (const ReportFile& report : files.reports) {
        fds.push_back(report.stream.get());
        fds.push_back(report.folder.get());
    }
    std::erase(fds, -1);
    return fds;
}

int write_report(VmFiles& files, const Question& question) {
    struct stat status {};
    if (::fstat(question.fd.get(), &status) != 0) {
        return errno;
    }
    if (!S_ISREG(status.st_mode) || status.st_size > largest_report) {
        return EINVAL;
    }
    std::string text(static_cast<std::size_t>(status.st_size), '\0');
    const ssize_t count = ::pread(question.fd.get(), text.data(), text.size(), 0);
    return count == status.st_size ? files.write_report(question.number, text) : EIO;
}

Reply answer(VmFiles& files, const Question& question) {
    switch (question.wish) {
        case Wish::open_served: {
            serve::FoundFile found = files.open_served(question.name);
            return {found.error, found.size, std::move(found.fd)};
        }
        case Wish::begin_report: {
            BegunReport begun = files.begin_report(question.number);
            return {begun.error, 0, std::move(begun.fd)};
        }
        case Wish::write_report:
            return {write_report(files, question), 0, OwnedFd{}};
        case Wish::mark_first_boot:
            return {files.mark_first_boot(), 0, OwnedFd{}};
        case Wish::end:
            break;
    }
    return {EINVAL, 0, OwnedFd{}};
}

// Of a process that is killed the kernel closes one descriptor after the other: its locks may be held for a
// moment yet when its socket has gone.
void wait_for_end(int process) {
    constexpr int longest_ms = 5000;
    pollfd ended{process, POLLIN, 0};
    ::poll(&ended, 1, longest_ms);
}

void answer_all(const KeptFor& vm, VmFiles& files) {
    while (const std::optional<Question> question = receive_question(vm.socket)) {
        if (question->wish == Wish::end) {
            return;
        }
        if (!send_reply(vm.socket, answer(files, *question))) {
            break;
        }
    }
    if (vm.process >= 0) {
        wait_for_end(vm.process);
    }
}

void take_away(Leavings leavings) {
    for (const control::Folder& folder : leavings.folders) {
        if (const control::OpenFolder open = control::open_folder(folder); open.fd) {
            control::sweep(open.fd.get());
            control::remove_unused(folder.path);
        }
    }
    leavings.systemd.reset();
}

Confinement confinement_for(const VmFiles& files) {
    Confinement confinement{.files = files.reach(), .tcp_ports = std::vector<std::uint16_t>{}};
    confinement.files.push_back({SystemdLock::systemds_folder, FileUse::change});
    return confinement;
}

}  // namespace

void keep(const KeptFor& vm, OpenFiles files, Leavings leavings) {
    int code = 0;
    try {
        ::setsid();  // the terminal's signals are for its VM's vm-launch alone
        ::prctl(PR_SET_NAME, keeper_comm);
        keep_open(descriptors_of(vm, files, leavings));
        leavings.folders = folder_in_use(leavings.folders);
        {
            OwnVmFiles own{std::move(files),
                           leavings.folders};  // what was begun, and not finished, goes with it
            lock_down({std::nullopt, false, confinement_for(own)});
            answer_all(vm, own);
        }
        take_away(std::move(leavings));
    } catch (const std::exception&) {
        code = 1;  // its VM's vm-launch says what was not done
    }
    ::_exit(code);
}

}  // namespace vml
