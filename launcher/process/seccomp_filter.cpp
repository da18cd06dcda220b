#include "launcher/process/seccomp_filter.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <tuple>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"

namespace vml {

namespace {

#include "seccomp_filter.inc"

void say(const char* text) {
    std::ignore = ::write(STDERR_FILENO, text, std::strlen(text));
}

const char* name_of_call(int number) {
    const auto index = static_cast<std::size_t>(number);
    const char* const name = index < call_names.size() ? call_names[index] : nullptr;
    return name == nullptr ? "of a number without a name" : name;
}

// What a violation ends with: nothing here may allocate or lock. The signal alone, of whomever, means
// nothing.
void on_violation(int /*signal*/, siginfo_t* info, void* /*context*/) {
    constexpr int of_seccomp = 1;  // SYS_SECCOMP (Linux, asm-generic/siginfo.h)
    if (info->si_code != of_seccomp) {
        return;
    }
    say("vm-launch: error: the system call ");
    say(name_of_call(info->si_syscall));
    say(" is none that vm-launch makes: it ends here, and the VM with it\n"
        "  why: its own seccomp filter refused it: a fault of vm-launch, or somebody's attack by way of the "
        "guest or its network\n"
        "  hint: report it, with this message\n");
    ::_exit(static_cast<int>(ExitCode::failed));
}

Error cannot_filter(const char* what) {
    return Error{{"cannot limit the system calls of vm-launch", std::string{what} + ": " + errno_text(errno),
                  "", ExitCode::failed}};
}

}  // namespace

void enter_seccomp() {
    struct sigaction action {};
    action.sa_sigaction = on_violation;
    action.sa_flags = SA_SIGINFO;
    if (::sigaction(SIGSYS, &action, nullptr) != 0) {
        throw cannot_filter("sigaction");
    }
    // The kernel only reads it.
    std::array<sock_filter, filter_code.size()> code = filter_code;
    const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
    // A kernel may have been built without; `status` says so.
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0 &&
        errno != ENOSYS) {
        throw cannot_filter("seccomp");
    }
}

}  // namespace vml
