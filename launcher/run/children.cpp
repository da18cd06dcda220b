#include "launcher/run/children.h"

#include <chrono>
#include <csignal>
#include <utility>

#include <boost/system/error_code.hpp>
#include <poll.h>
#include <sys/wait.h>

#include "base/cgroup.h"

namespace vml {

namespace {

// QEMU's end of the QMP socket closes with QEMU; should somebody else hold it open, the end is not put off
// for long.
constexpr std::chrono::seconds last_word_limit{1};
// swtpm writes its state whenever a command changes it: nothing is lost with one that was stopped, or hangs.
constexpr std::chrono::milliseconds tpm_limit{3000};

bool ends_within(pid_t child, std::chrono::milliseconds limit) {
    constexpr std::chrono::milliseconds look{2};
    for (std::chrono::milliseconds waited{0}; waited < limit; waited += look) {
        if (::waitpid(child, nullptr, WNOHANG) != 0) {
            return true;
        }
        ::poll(nullptr, 0, static_cast<int>(look.count()));
    }
    return false;
}

}  // namespace

Children::Children(boost::asio::io_context& io, pid_t qemu, pid_t tpm, Handlers handlers)
    : qemu_{qemu},
      tpm_{tpm},
      handlers_{std::move(handlers)},
      kills_before_{out_of_memory_kills()},
      last_word_{io} {}

void Children::reap() {
    int status = 0;
    pid_t pid = 0;
    while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == tpm_) {
            tpm_ = -1;
            if (!status_ && !qmp_closed_) {
                handlers_.on_tpm_lost();
            }
        } else if (pid == qemu_) {
            ended(status);
        }
    }
}

void Children::ended(int status) {
    status_ = status;
    last_word_.expires_after(last_word_limit);
    last_word_.async_wait([this](const boost::system::error_code& error) {
        if (!error) {
            handlers_.on_ended(*status_);
        }
    });
    end_if_all_is_said();
}

void Children::kill_qemu(int signal) const {
    ::kill(qemu_, signal);
}

void Children::qmp_closed() {
    qmp_closed_ = true;
    end_if_all_is_said();
}

void Children::end_if_all_is_said() {
    if (status_ && qmp_closed_) {
        last_word_.cancel();
        handlers_.on_ended(*status_);
    }
}

bool Children::out_of_memory() const {
    return out_of_memory_kills() > kills_before_;
}

void Children::end_tpm() const {
    if (tpm_ > 0) {
        ::kill(tpm_, SIGTERM);
        if (!ends_within(tpm_, tpm_limit)) {
            ::kill(tpm_, SIGKILL);
            ::waitpid(tpm_, nullptr, 0);
        }
    }
}

}  // namespace vml
