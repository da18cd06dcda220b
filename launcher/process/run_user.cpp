#include "launcher/process/run_user.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <sstream>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"

namespace vml {

namespace {

// The group that owns /dev/kvm, if its mode lets the group in (Debian: 0660 root:kvm).
std::vector<gid_t> kvm_groups() {
    struct stat status {};
    const bool opened_by_group = ::stat("/dev/kvm", &status) == 0 && (status.st_mode & S_IRGRP) != 0 &&
                                 (status.st_mode & S_IWGRP) != 0 && status.st_gid != 0;
    return opened_by_group ? std::vector{status.st_gid} : std::vector<gid_t>{};
}

std::string local_users() {
    return read_file("/etc/passwd").value_or("");
}

// Calls `take` with each entry of a text as in passwd(5), which is read whole, since fgetpwent asks a file
// for its place at every line.
template <typename Take>
void for_each_user(std::string users, Take take) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> lines{::fmemopen(users.data(), users.size(), "r"),
                                                                &std::fclose};
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread asks for users
    while (const passwd* entry = lines ? ::fgetpwent(lines.get()) : nullptr) {
        take(*entry);
    }
}

std::optional<RunUser> user_named(const std::string& name, const std::string& users) {
    std::optional<RunUser> found;
    for_each_user(users, [&](const passwd& entry) {
        if (!found && entry.pw_name == name) {
            found = RunUser{name, entry.pw_uid, entry.pw_gid, kvm_groups(), false};
        }
    });
    return found;
}

// /etc/passwd alone: the other sources of names (systemd's, LDAP) do not have a distribution's system users.
std::optional<RunUser> first_local_user(const std::array<std::string_view, 3>& names) {
    std::optional<RunUser> found;
    const auto* better_than = names.end();
    for_each_user(local_users(), [&](const passwd& entry) {
        const auto* const name = std::find(names.begin(), better_than, entry.pw_name);
        if (name != better_than) {
            found = RunUser{entry.pw_name, entry.pw_uid, entry.pw_gid, kvm_groups(), false};
            better_than = name;
        }
    });
    return found;
}

std::string name_of(uid_t uid, const std::string& users) {
    std::string name;
    for_each_user(users, [&](const passwd& entry) {
        if (name.empty() && entry.pw_uid == uid) {
            name = entry.pw_name;
        }
    });
    return name;
}

// What `find` makes of /etc/passwd; and where that is nothing, of what other sources say of the key.
template <typename Find>
auto found_by(const Find& find, const std::string& key, const AskForUser& ask) {
    auto found = find(local_users());
    return found == decltype(found){} ? find(ask(key)) : found;
}

// The raw calls change the calling thread alone; the C library's would change every thread (nptl(7)).
bool take_rights_of(const RunUser& user) {
    return ::syscall(SYS_setgroups, user.groups.size(), user.groups.data()) == 0 &&
           ::syscall(SYS_setresgid, user.gid, user.gid, user.gid) == 0 &&
           ::syscall(SYS_setresuid, user.uid, user.uid, user.uid) == 0;
}

int open_error(const AccessQuestion& question) {
    const OwnedFd fd{::open(question.path.c_str(), question.flags | O_CLOEXEC | O_NONBLOCK)};
    return fd ? 0 : errno;
}

}  // namespace

bool maps_own_users(const std::string& map) {
    std::istringstream lines{map};
    uid_t inside = 0;
    uid_t outside = 0;
    std::uint64_t count = 0;
    while (lines >> inside >> outside >> count) {
        if (inside <= first_own_uid && last_own_uid < inside + count) {
            return true;
        }
    }
    return false;
}

bool may_have_own_user() {
    const auto maps = [](const char* file) { return maps_own_users(read_file(file).value_or("")); };
    return ::geteuid() == 0 && maps("/proc/self/uid_map") && maps("/proc/self/gid_map");
}

uid_t preferred_uid(const std::string& vm_name) {
    constexpr std::size_t all = last_own_uid - first_own_uid + 1;
    std::array<char, HOST_NAME_MAX + 1> host{};
    ::gethostname(host.data(), host.size() - 1);
    const std::string whose = vm_name + "@" + host.data();
    return first_own_uid + static_cast<uid_t>(std::hash<std::string>{}(whose) % all);
}

RunUser own_user(uid_t uid) {
    return {std::to_string(uid), uid, uid, kvm_groups(), true};
}

bool is_assigned(uid_t uid, const std::string& table) {
    return table.find(":" + std::to_string(uid) + ":") != std::string::npos;
}

RunUserFacts look_for_run_user(const std::optional<std::string>& wanted, const std::optional<RunUser>& own,
                               const AskForUser& ask) {
    RunUserFacts facts;
    facts.can_change = ::geteuid() == 0;
    if (wanted) {
        const uid_t uid = ::geteuid();
        const std::string number = std::to_string(uid);
        const std::string name =
            found_by([uid](const std::string& users) { return name_of(uid, users); }, number, ask);
        facts.own_name = name.empty() ? number : name;
        facts.user =
            found_by([&](const std::string& users) { return user_named(*wanted, users); }, *wanted, ask);
    } else if (own) {
        facts.user = own;
    } else if (facts.can_change) {
        facts.user = first_local_user({"libvirt-qemu", "qemu", "nobody"});
    }
    return facts;
}

std::vector<int> open_errors_as(const RunUser& user, const std::vector<AccessQuestion>& questions) {
    std::vector<int> errors(questions.size(), EPERM);
    std::thread{[&] {
        if (take_rights_of(user)) {
            for (std::size_t i = 0; i < questions.size(); ++i) {
                errors[i] = open_error(questions[i]);
            }
        }
    }}.join();
    return errors;
}

}  // namespace vml
