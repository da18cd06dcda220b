#include "control/claim.h"

#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "base/error.h"
#include "control/folder.h"

namespace vml::control {

namespace {

Error no_folder(const std::vector<std::string>& obstacles, uid_t user) {
    return Error{{"this VM has no control socket", fmt::format("{}", fmt::join(obstacles, "; ")),
                  user == 0 ? "give it a folder to write to: in a container, --tmpfs /run"
                            : "give it a folder to write to: $XDG_RUNTIME_DIR, or /tmp",
                  ExitCode::host}};
}

}  // namespace

Claim::Claim(const std::vector<Folder>& folders, const std::string& name) : address_{{}, name} {
    std::vector<std::string> obstacles;
    for (const Folder& folder : folders) {
        LockAttempt attempt = take_lock(folder, lock_file(name));
        if (attempt.by_another) {
            throw Error{{fmt::format("cannot make the control socket of {}", name),
                         "a VM of that name is running", "--name gives this VM a name of its own",
                         ExitCode::failed}};
        }
        if (attempt.lock) {
            address_.folder = folder;
            lock_.emplace(std::move(*attempt.lock));
            ::unlinkat(lock_->folder(), socket_file(name).c_str(), 0);
            return;
        }
        obstacles.push_back(std::move(attempt.obstacle));
    }
    throw no_folder(obstacles, folders.empty() ? ::geteuid() : folders.front().owner);
}

Claim::~Claim() {
    ::unlinkat(lock_->folder(), socket_file(address_.name).c_str(), 0);
    sweep(lock_->folder());
}

std::string Claim::path() const {
    return fmt::format("/proc/self/fd/{}/{}", lock_->folder(), socket_file(address_.name));
}

}  // namespace vml::control
