// QEMU and swtpm as processes: their end, and what QEMU said last. Makes system calls; the one place that
// waits for children, as PID 1 for everybody's orphans too.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <sys/types.h>

namespace vml {

class Children {
  public:
    struct Handlers {
        // QEMU has ended and been reaped, and QMP's last word, SHUTDOWN above all, has been heard. `status`
        // is as waitpid gives it.
        std::function<void(int status)> on_ended;
        std::function<void()> on_tpm_lost;  // swtpm ended before QEMU
    };

    // `tpm` -1: there is none.
    Children(boost::asio::io_context& io, pid_t qemu, pid_t tpm, Handlers handlers);

    [[nodiscard]] pid_t qemu() const { return qemu_; }
    // A child may have ended.
    void reap();
    void kill_qemu(int signal) const;
    // QEMU's end of QMP is closed: nothing more will be heard there.
    void qmp_closed();
    // At the end of the run swtpm has nothing to do any more; it is waited for, so that nothing is left
    // behind.
    void end_tpm() const;
    // The kernel has killed in our control group for want of memory since the start.
    [[nodiscard]] bool out_of_memory() const;

  private:
    void ended(int status);
    void end_if_all_is_said();

    pid_t qemu_;
    pid_t tpm_;
    Handlers handlers_;
    std::uint64_t kills_before_;
    bool qmp_closed_ = false;
    std::optional<int> status_;
    boost::asio::steady_timer last_word_;
};

}  // namespace vml
